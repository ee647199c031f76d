"""What of Arrow's types goes into which of PostgreSQL's, and what the server then has."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from decimal import Decimal
from typing import Any

import numpy as np
import psqlpy_adapter
import pyarrow as pa
import pytest
from harness import Adapter
from sqlspec.exceptions import DataError

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


@pytest.fixture
def adapter() -> Adapter:
    return Adapter("bundled", psqlpy_adapter)


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
NESTED: list[Row] = [
    ("int4[]", pa.array([[1, None, 3], [], None]), ["{1,NULL,3}", "{}", None]),
    ("int4[]", pa.array([[[1, 2], [3, 4]], [], [[5], [6]]]), ["{{1,2},{3,4}}", "{}", "{{5},{6}}"]),
    ("int8[]", pa.array([[1, 2], None], pa.list_(pa.int32(), 2)), ["{1,2}", None]),
    ("int8[]", pa.array([[1, 2], None], pa.list_view(pa.int32())), ["{1,2}", None]),
    ("int8[]", pa.array([[1, 2], [3]], pa.large_list(pa.int32())), ["{1,2}", "{3}"]),
    ("int4[]", pa.array(["{1,2}"]), ["{1,2}"]),
    ("text[]", pa.array([["a", None, '"\\,{}']]), ['{a,NULL,"\\"\\\\,{}"}']),
    ("uuid[]", pa.array([[str(ID)]]), [f"{{{ID}}}"]),
    ("numeric[]", pa.array([[1.5, None]]), ["{1.5,NULL}"]),
    ("inet[]", pa.array([["10.0.0.0/8", None], None, []]), ["{10.0.0.0/8,NULL}", None, "{}"]),
    ("inet[]", pa.array([[["10.0.0.0/8"], ["::1"]]]), ["{{10.0.0.0/8},{::1}}"]),
    ("mood[]", pa.array([["ok"]]), ["{ok}"]),
    ("positive[]", pa.array([[5, None]]), ["{5,NULL}"]),
    ("timestamptz[]", pa.array([[at(2020, 1, 1)]]), ['{"2020-01-01 01:00:00+01"}']),
    ("pair", pa.array([{"b": "x", "a": 1}, {"a": None, "b": None}, None]), ["(1,x)", "(,)", None]),
    ("pair[]", pa.array([[{"a": 1, "b": '(,"'}, None]]), ['{"(1,\\"(,\\"\\"\\")",NULL}']),
    ("outer_pair", pa.array([{"n": 1.5, "p": {"a": 1, "b": 'q"'}}]), ['(1.5,"(1,""q"""""")")']),
]
VECTORS: list[Row] = [
    ("vector(3)", pa.array([[1, 2, 3], None], pa.list_(pa.float32())), ["[1,2,3]", None]),
    (
        "vector(3)",
        pa.array([[1, 2, 3], [4, 5, 6]], pa.list_(pa.float64(), 3)),
        ["[1,2,3]", "[4,5,6]"],
    ),
    ("vector(3)", pa.array([None, [4, 5, 6]], pa.list_(pa.float32(), 3)), [None, "[4,5,6]"]),
    ("vector", pa.array([[1, 2], [3]], pa.large_list(pa.int64())), ["[1,2]", "[3]"]),
    ("vector(2)", pa.array(["[1,2]"]), ["[1,2]"]),
    (
        "vector(2)",
        pa.ExtensionArray.from_storage(
            pa.fixed_shape_tensor(pa.float32(), [2]), pa.array([[1, 2]], pa.list_(pa.float32(), 2))
        ),
        ["[1,2]"],
    ),
    ("small_vector", pa.array([[1, 2]], pa.list_(pa.float32())), ["[1,2]"]),
    ("halfvec(3)", pa.array([[1, 2, 3.5], None], pa.list_(pa.float64(), 3)), ["[1,2,3.5]", None]),
    ("sparsevec(5)", pa.array([[0, 1, 0, 2, 0], None, [0] * 5]), ["{2:1,4:2}/5", None, "{}/5"]),
    ("sparsevec(5)", pa.array(["{1:1.5}/5"]), ["{1:1.5}/5"]),
    (
        "vector[]",
        pa.array([[[1, 2], [3, 4]]], pa.list_(pa.list_(pa.float32()))),
        ['{"[1,2]","[3,4]"}'],
    ),
]
DOCUMENTS: list[Row] = [
    ("jsonb", pa.array(['{"a": 1}', None, "5"]), ['{"a": 1}', None, "5"]),
    (
        "jsonb",
        pa.array([{"b": [1.0, None], "a": 'x"\\\n\x01é'}, None]),
        ['{"a": "x\\"\\\\\\n\\u0001é", "b": [1.0, null]}', None],
    ),
    (
        "jsonb",
        pa.array([{"at": at(2020, 1, 1), "on": dt.date(2020, 1, 1), "id": None}]),
        ['{"at": "2020-01-01T00:00:00.000000+00", "id": null, "on": "2020-01-01"}'],
    ),
    ("jsonb", pa.array([[1, 2], [], None]), ["[1, 2]", "[]", None]),
    ("jsonb", pa.array([[["a"], []], None]), ['[["a"], []]', None]),
    ("jsonb", pa.array([1.5, None]), ["1.5", None]),
    ("jsonb", pa.array([True]), ["true"]),
    ("jsonb", decimals(5, 2, "1.50"), ["1.50"]),
    ("jsonb", pa.array([ID.bytes], pa.uuid()), [f'"{ID}"']),
    (
        "json",
        pa.array([[("k", 1), ('l"', None)], None, []], pa.map_(pa.string(), pa.int32())),
        ['{"k":1,"l\\"":null}', None, "{}"],
    ),
    ("jsonb[]", pa.array([['{"a":1}', None]]), ['{"{\\"a\\": 1}",NULL}']),
    ("jsonb", pa.array(["{}"], pa.json_()), ["{}"]),
]
NULLS: list[Row] = [
    (pg_type, pa.nulls(2), [None, None])
    for pg_type in ("int8", "text", "vector(3)", "pair", "inet")
]
TABLE = [*NUMBERS, *TEXTS, *TIMES, *NESTED, *VECTORS, *DOCUMENTS, *NULLS]


async def load(session: Any, pg_type: str, array: pa.Array) -> list[str | None]:
    await session.execute_script(f"CREATE TABLE IF NOT EXISTS loaded (id int8, value {pg_type})")
    source = pa.table({"id": np.arange(len(array)), "value": array})
    await session.load_from_arrow("loaded", source, overwrite=True)
    rows = await session.select("SELECT value::text AS value FROM loaded ORDER BY id")
    return [row["value"] for row in rows]


@pytest.mark.parametrize(
    ("pg_type", "array", "texts"), TABLE, ids=[f"{name}-{array.type}" for name, array, _ in TABLE]
)
async def test_an_arrow_type_goes_into_a_postgresql_type(session, pg_type, array, texts):
    await session.execute_script(TYPES + "SET TIME ZONE 'Europe/Berlin'")
    assert await load(session, pg_type, array) == texts
    # The same from a slice, whose buffers begin before it and go on after it.
    middle = pa.concat_arrays([array, array, array]).slice(len(array), len(array))
    assert await load(session, pg_type, middle) == texts


ELEMENTS = [*NUMBERS, *TEXTS, *TIMES, *VECTORS[:3], *DOCUMENTS[:2]]


@pytest.mark.parametrize(
    ("pg_type", "array", "texts"),
    ELEMENTS,
    ids=[f"{name}-{array.type}" for name, array, _ in ELEMENTS],
)
async def test_what_goes_into_a_type_goes_into_its_array(session, pg_type, array, texts):
    await session.execute_script(TYPES + "SET TIME ZONE 'Europe/Berlin'")
    lists = pa.ListArray.from_arrays(pa.array([0, 0, len(array), len(array)], pa.int32()), array)
    found = await load(session, f"{pg_type}[]", lists)
    assert (found[0], found[2]) == ("{}", "{}")
    rows = await session.select(
        "SELECT e::text AS e FROM loaded, unnest(value) WITH ORDINALITY AS u (e, n) ORDER BY n"
    )
    assert [row["e"] for row in rows] == texts
    assert await load(session, f"{pg_type}[]", lists.slice(0, 1)) == ["{}"]


@pytest.mark.parametrize(
    ("pg_type", "array", "reason"),
    [
        ("int2", pa.array([1, 40_000]), "out of the range of int2: 40000"),
        ("int8", pa.array([0, 2**63], pa.uint64()), "out of the range of int8"),
        ("int8", pa.array([0, 2.0**63]), "out of the range of int8"),
        ("int4", pa.array([0, 1.5]), "not a whole number: 1.5"),
        ("int4", pa.array([0, float("nan")]), "not a whole number"),
        ("int4", decimals(5, 2, "1", "1.5"), "not a whole number: 1.50"),
        ("int4", decimals(38, 0, "1", "9" * 30), "out of the range of int4"),
        ("float4", pa.array([0, 1e300]), "out of the range of float4"),
        ("text", pa.array(["a", "b\0c"]), "U+0000"),
        ("text", pa.array([b"a", b"\xff"]), "not UTF-8"),
        ("varchar(3)", pa.array(["abc", "abcd"]), "longer than 3 characters: abcd"),
        ("uuid", pa.array([str(ID), "nonsense"]), "not a UUID: nonsense"),
        ("uuid", pa.array([ID.bytes, b"short"]), "a UUID has 16 bytes"),
        ("date", pa.array([at(2020, 1, 1), at(2020, 1, 1, 1)]), "not at midnight"),
        ("varchar(3)", pa.array(["é" * 3, "é" * 4]), "longer than 3 characters"),
        ("vector(3)", pa.array([[1, 2, 3], [1, 2]]), "2 dimensions instead of 3"),
        ("vector", pa.array([[1], []]), "0 dimensions instead of 1 to 16,000"),
        ("vector(2)", pa.array([[1, 2], [1, None]]), "an element is NULL"),
        ("vector(2)", pa.array([[1, 2], [1, float("nan")]]), "element nan is not finite"),
        ("halfvec(2)", pa.array([[1, 2], [1, 70_000]]), "element 70000 is not finite in a halfvec"),
        ("int4[]", pa.array([[[1]], [[1], [2, 3]]]), "differ in length"),
        ("int4[]", pa.array([[[1]], [None]]), "NULL"),
        ("int2[]", pa.array([[1, 2, 3], [4, 40_000]]), "out of the range of int2: 40000"),
        ("jsonb", pa.array([1.0, float("nan")]), "JSON has no such number"),
        ("jsonb", pa.array(["{}", "{nonsense}"]), "Expecting property name"),
        ("timestamp", pa.array([0, 2**50], pa.timestamp("s")), "out of range: 1125899906842624"),
        ("timestamp", pa.array([0, -(2**62)], pa.timestamp("us")), "out of the range of timestamp"),
        ("timestamp", pa.array([0, -(2**63)], pa.timestamp("us")), "out of the range of timestamp"),
        ("timestamptz", pa.array([0, -(2**63)], pa.timestamp("s", "UTC")), "out of range"),
        ("interval", pa.array([0, -(2**63)], pa.duration("ms")), "out of range"),
        ("date", pa.array([0, -3_000_000], pa.date32()), "out of the range of date: -3000000"),
        ("date", pa.array([0, 2**62], pa.timestamp("s")), ""),
        ("inet", pa.array(["::1", "nonsense"]), "the server cannot read 'nonsense'"),
        ("int4", pa.array(["1", "one"]), "the server cannot read 'one'"),
        ("positive", pa.array(["1", "-1"]), "the server cannot read '-1'"),
    ],
    ids=str,
)
async def test_a_value_that_does_not_fit_is_refused_with_its_row(session, pg_type, array, reason):
    await session.execute_script(TYPES)
    with pytest.raises(DataError) as failure:
        await load(session, pg_type, array)
    message = str(failure.value)
    assert message.startswith(f'column "value", row 1: Arrow {array.type} cannot be loaded into')
    assert reason in message
    assert await session.select_value("SELECT count(*) FROM loaded") == 0


@pytest.mark.parametrize(
    ("pg_type", "array"),
    [
        ("int4", pa.array([True])),
        ("bool", pa.array([1])),
        ("int4", pa.array([b"1"])),
        ("bytea", pa.array([1])),
        ("text", pa.array([b"abcd"], pa.binary(4))),
        ("date", pa.array([1])),
        ("interval", pa.array([1])),
        ("mood", pa.array([1])),
        ("money", pa.array([1999])),
        ("int4[]", pa.array([1])),
        ("int4", pa.array([[1]])),
        ("vector(2)", pa.array([1.0])),
        ("pair", pa.array([{"a": 1}])),
        ("pair", pa.array([1])),
        ("uuid[]", pa.array([[1]])),
        ("jsonb", pa.array([b"{}"])),
        (
            "text",
            pa.UnionArray.from_dense(
                pa.array([0], pa.int8()), pa.array([0], pa.int32()), [pa.array([1])]
            ),
        ),
    ],
    ids=str,
)
async def test_a_type_that_does_not_go_into_another_is_refused(session, pg_type, array):
    await session.execute_script(TYPES)
    with pytest.raises(DataError, match=r'column "value": Arrow .* cannot be loaded into'):
        await load(session, pg_type, array)


@pytest.mark.parametrize(
    ("pg_type", "fits", "array", "sqlstate"),
    [
        ("bit(3)", "101", pa.array(["10110"]), "22026"),
        ("bit(3)", "101", pa.array(["1"]), "22026"),
        ("varbit(3)", "101", pa.array(["10110"]), "22001"),
        ("bit(3)[]", "{101}", pa.array([["10110"]]), "22026"),
        ("varchar(3)[]", "{abc}", pa.array(["{abcd}"]), "22001"),
        ("char(3)[]", "{abc}", pa.array(["{abcd}"]), "22001"),
        ("short_text", "abc", pa.array([1234]), None),  # refused before it is sent
        ("short_bits", "101", pa.array(["10110"]), "22001"),
        ("bits_inside", "(101)", pa.array([{"b": "10110"}]), "22026"),
        ("numeric(5,2)", "1.00", pa.array([123456.0]), "22003"),
    ],
    ids=str,
)
async def test_what_is_too_long_for_the_type_is_refused_and_never_cut(
    session, pg_type, fits, array, sqlstate
):
    await session.execute_script(
        "CREATE DOMAIN short_text AS varchar(3); CREATE DOMAIN short_bits AS varbit(3);"
        f"CREATE TYPE bits_inside AS (b bit(3)); CREATE TABLE loaded (id int8, value {pg_type})"
    )
    await session.load_from_arrow("loaded", pa.table({"id": [0], "value": [fits]}))
    with pytest.raises(DataError) as failure:
        await session.load_from_arrow("loaded", pa.table({"id": [1], "value": array}))
    assert getattr(failure.value, "sqlstate", None) == sqlstate
    rows = await session.select("SELECT value::text AS value FROM loaded")
    assert rows == [{"value": fits}]


@pytest.mark.filterwarnings("error")
async def test_half_floats_go_into_bigint_without_a_warning(session):
    assert await load(session, "int8", pa.array(np.array([2.0, -3.0], np.float16))) == ["2", "-3"]


async def test_decimals_in_vectors_are_the_nearest_numbers(session):
    lists = pa.array([[Decimal("43451.44963869245"), Decimal("0.1")]])
    (found,) = await load(session, "vector(2)", lists)
    expected = np.float32([43451.44963869245, 0.1]).tolist()
    assert np.float32(json.loads(found)).tolist() == expected


@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe", "Europe/Dublin"])
@pytest.mark.parametrize("unit", ["s", "us", "ns"])
async def test_times_after_2037_are_read_in_the_zone_of_the_session(session, zone, unit):
    await session.execute(f"SET timezone = '{zone}'")
    await session.execute("CREATE TABLE far (said text, at timestamptz, recorded timestamptz)")
    years = (2036, 2037, 2038, 2100, 2200)
    times = [dt.datetime(year, month, 3, 12, 30) for year in years for month in range(1, 13)]
    said = [str(time) for time in times]
    at = pa.array([None, *times], pa.timestamp(unit))
    await session.load_from_arrow("far", pa.table({"said": [None, *said], "at": at}))
    await session.load_from_records(
        "far", list(zip(said, times, strict=True)), columns=["said", "recorded"]
    )
    wrong = "SELECT said FROM far WHERE said::timestamptz <> coalesce(at, recorded)"
    assert await session.select(wrong) == []
    assert await session.select_value("SELECT count(coalesce(at, recorded)) FROM far") == 120


async def test_a_time_after_2037_that_the_clocks_leave_out_is_refused(session):
    await session.execute("SET timezone = 'Europe/Berlin'")
    with pytest.raises(DataError, match="2040-03-25 02:30:00 is left out in Europe/Berlin"):
        await load(session, "timestamptz", pa.array([dt.datetime(2040, 3, 25, 2, 30)]))
