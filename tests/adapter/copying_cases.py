"""Arrow's simple types, the PostgreSQL types they go into, and what is stored."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

ID = uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
TYPES = """
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE pair AS (a int, b text);
CREATE TYPE outer_pair AS (n numeric, p pair);
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE DOMAIN small_vector AS vector(2);
"""


def calendar(*values: tuple[int, int, int] | None) -> pa.Array:
    wanted = pa.month_day_nano_interval()
    return pa.array([None if v is None else pa.MonthDayNano(v) for v in values], wanted)


def at(*parts: int, zone: dt.tzinfo | None = dt.UTC) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=zone)


def decimals(precision: int, scale: int, *values: str | None) -> pa.Array:
    wanted = (pa.decimal128 if precision <= 38 else pa.decimal256)(precision, scale)
    return pa.array([None if v is None else Decimal(v) for v in values], wanted)


# PostgreSQL type, Arrow array, what the server prints (None for NULL).
Row = tuple[str, pa.Array, list[str | None]]
NUMBERS: list[Row] = [
    ("int2", pa.array([1, None, -5], pa.int64()), ["1", None, "-5"]),
    ("int4", pa.array([1.0, None], pa.float64()), ["1", None]),
    ("int8", decimals(30, 2, "5.00", "-7", None), ["5", "-7", None]),
    ("int8", pa.array([2**63 - 1, -(2**63)]), [str(2**63 - 1), str(-(2**63))]),
    ("int8", pa.array([1, None], pa.uint64()), ["1", None]),
    ("int4", pa.array([255], pa.uint8()), ["255"]),
    ("oid", pa.array([2**32 - 1]), [str(2**32 - 1)]),
    ("xid8", pa.array([5]), ["5"]),
    (
        "float4",
        pa.array([1.5, float("nan"), float("-inf"), None]),
        ["1.5", "NaN", "-Infinity", None],
    ),
    ("float8", pa.array([0.1, -0.0]), ["0.1", "-0"]),
    ("float8", pa.array(np.array([1.5], np.float16)), ["1.5"]),
    ("float8", pa.array([3, None]), ["3", None]),
    ("float8", decimals(5, 2, "1.25"), ["1.25"]),
    (
        "float8",
        decimals(16, 11, "43451.44963869245", "0.1", None),
        ["43451.44963869245", "0.1", None],
    ),
    (
        "numeric",
        decimals(38, 4, "1234567.8900", "-0.0001", "0", None),
        ["1234567.8900", "-0.0001", "0.0000", None],
    ),
    ("numeric", decimals(38, 0, "9" * 38, "-" + "9" * 38), ["9" * 38, "-" + "9" * 38]),
    (
        "numeric",
        decimals(76, 3, "1E+70", "-3", "0.001"),
        ["1" + "0" * 70 + ".000", "-3.000", "0.001"],
    ),
    ("numeric", decimals(76, 76, "1E-76"), ["0." + "0" * 75 + "1"]),
    ("numeric", decimals(5, -2, "12300"), ["12300"]),
    ("numeric", decimals(9, 2, "1.50").cast(pa.decimal32(9, 2)), ["1.50"]),
    ("numeric(12,3)", decimals(5, 2, "1.23"), ["1.230"]),
    ("numeric", pa.array([1, -(2**63), None, 10_000]), ["1", str(-(2**63)), None, "10000"]),
    ("numeric", pa.array([2**64 - 1], pa.uint64()), [str(2**64 - 1)]),
    (
        "numeric",
        pa.array([1e-9, 0.1, float("nan"), float("inf")]),
        ["0.000000001", "0.1", "NaN", "Infinity"],
    ),
    (
        "numeric",
        pa.array(["123456789012345678901234567890.5"]),
        ["123456789012345678901234567890.5"],
    ),
    ("money", decimals(5, 2, "12.34"), ["$12.34"]),
    ("bool", pa.array([True, None, False]), ["true", None, "false"]),
    ("bool", pa.array(["yes", "f"]), ["true", "false"]),
    ("positive", pa.array([5, None]), ["5", None]),
]
TEXTS: list[Row] = [
    ("text", pa.array(["a", "é😀", None, ""]), ["a", "é😀", None, ""]),
    ("text", pa.array(["a", None], pa.large_string()), ["a", None]),
    (
        "text",
        pa.array(["a", None, "longer than twelve"], pa.string_view()),
        ["a", None, "longer than twelve"],
    ),
    ("text", pa.array(["x", "y", "x", None]).dictionary_encode(), ["x", "y", "x", None]),
    ("text", pa.RunEndEncodedArray.from_arrays([2, 3], ["x", None]), ["x", "x", None]),
    ("text", pa.array([b"a"]), ["a"]),
    ("text", pa.array([5, None]), ["5", None]),
    ("text", pa.array([1.5, float("inf")]), ["1.5", "Infinity"]),
    ("text", pa.array([dt.date(2020, 1, 2)]), ["2020-01-02"]),
    ("text", pa.array([ID.bytes, None], pa.uuid()), [str(ID), None]),
    ("varchar(3)", pa.array(["abc", "ab   ", None]), ["abc", "ab ", None]),
    ("char(3)", pa.array(["a"]), ["a"]),
    ("citext", pa.array(["Ab"]), ["Ab"]),
    ("name", pa.array(["abc"]), ["abc"]),
    ('"char"', pa.array(["x"]), ["x"]),
    ("mood", pa.array(["sad", None]), ["sad", None]),
    ("bytea", pa.array([b"\0\1", None, b""]), ["\\x0001", None, "\\x"]),
    ("bytea", pa.array([b"abcd", None], pa.binary(4)), ["\\x61626364", None]),
    ("bytea", pa.array([b"ab"], pa.binary_view()), ["\\x6162"]),
    ("bytea", pa.array(["\\xdead"]), ["\\xdead"]),
    ("uuid", pa.array([str(ID), ID.hex.upper(), f"{{{ID}}}", None]), [str(ID)] * 3 + [None]),
    ("uuid", pa.array([ID.bytes, None]), [str(ID), None]),
    ("uuid", pa.array([ID.bytes, None], pa.binary(16)), [str(ID), None]),
    ("uuid", pa.array([ID.bytes, None], pa.uuid()), [str(ID), None]),
    ("inet", pa.array(["10.0.0.1/8", None]), ["10.0.0.1/8", None]),
    ("cidr", pa.array(["10.0.0.0/8"]), ["10.0.0.0/8"]),
    ("macaddr", pa.array(["08:00:2b:01:02:03"]), ["08:00:2b:01:02:03"]),
    ("int4range", pa.array(["[1,5)", "empty"]), ["[1,5)", "empty"]),
    ("int4multirange", pa.array(["{[1,3),[5,7)}"]), ["{[1,3),[5,7)}"]),
    ("bit(3)", pa.array(["101"]), ["101"]),
    ("varbit", pa.array(["1"]), ["1"]),
    ("tsvector", pa.array(["b a"]), ["'a' 'b'"]),
    ("tsquery", pa.array(["a & b"]), ["'a' & 'b'"]),
    ("point", pa.array(["(1,2)"]), ["(1,2)"]),
    ("pg_lsn", pa.array(["0/16"]), ["0/16"]),
    ("jsonpath", pa.array(["$.a"]), ['$."a"']),
    ("hstore", pa.array(["a=>1"]), ['"a"=>"1"']),
]
TIMES: list[Row] = [
    (
        "date",
        pa.array([dt.date(1, 1, 1), dt.date(9999, 12, 31), None]),
        ["0001-01-01", "9999-12-31", None],
    ),
    ("date", pa.array([dt.date(1999, 12, 31)], pa.date64()), ["1999-12-31"]),
    ("date", pa.array([dt.datetime(2020, 1, 1)], pa.timestamp("ms")), ["2020-01-01"]),
    ("date", pa.array(["infinity", "0044-03-15 BC"]), ["infinity", "0044-03-15 BC"]),
    ("time", pa.array([dt.time(12, 34, 56, 789), None]), ["12:34:56.000789", None]),
    ("time", pa.array([dt.time(1)], pa.time32("s")), ["01:00:00"]),
    ("time", pa.array([dt.time(1)], pa.time32("ms")), ["01:00:00"]),
    ("time", pa.array([1_500], pa.time64("ns")), ["00:00:00.000002"]),
    ("timetz", pa.array([dt.time(1)]), ["01:00:00+01"]),
    ("timetz", pa.array(["01:00:00+05"]), ["01:00:00+05"]),
    (
        "timestamp",
        pa.array([dt.datetime(2020, 1, 1, 1, 2, 3, 4), None]),
        ["2020-01-01 01:02:03.000004", None],
    ),
    (
        "timestamp",
        pa.array([500, 1_500, 2_500], pa.timestamp("ns")),
        ["1970-01-01 00:00:00", *["1970-01-01 00:00:00.000002"] * 2],
    ),
    ("timestamp", pa.array([dt.date(2020, 1, 1)]), ["2020-01-01 00:00:00"]),
    # As `execute` stores an aware datetime: its UTC time.
    ("timestamp", pa.array([at(2020, 7, 1)]), ["2020-07-01 00:00:00"]),
    (
        "timestamptz",
        pa.array([at(2020, 1, 1), None], pa.timestamp("s", "America/New_York")),
        ["2020-01-01 01:00:00+01", None],
    ),
    (
        "timestamptz",
        pa.array([dt.datetime(2020, 7, 1)], pa.timestamp("ms")),
        ["2020-07-01 00:00:00+02"],
    ),
    ("timestamptz", pa.array([dt.date(2020, 7, 1)]), ["2020-07-01 00:00:00+02"]),
    (
        "timestamptz",
        pa.array(["2020-01-01 00:00+02", "-infinity"]),
        ["2019-12-31 23:00:00+01", "-infinity"],
    ),
    ("interval", pa.array([dt.timedelta(1, 7200, 5), None]), ["1 day 02:00:00.000005", None]),
    ("interval", pa.array([90_061], pa.duration("s")), ["1 day 01:01:01"]),
    ("interval", calendar((1, 2, 3_000), None), ["1 mon 2 days 00:00:00.000003", None]),
    ("interval", pa.array(["1 mon"]), ["1 mon"]),
]
NULLS: list[Row] = [
    (pg_type, pa.nulls(2), [None, None])
    for pg_type in ("int8", "text", "vector(3)", "pair", "inet")
]


async def load(session: Any, pg_type: str, array: pa.Array) -> list[str | None]:
    await session.execute_script(f"CREATE TABLE IF NOT EXISTS loaded (id int8, value {pg_type})")
    source = pa.table({"id": np.arange(len(array)), "value": array})
    await session.load_from_arrow("loaded", source, overwrite=True)
    rows = await session.select("SELECT value::text AS value FROM loaded ORDER BY id")
    return [row["value"] for row in rows]
