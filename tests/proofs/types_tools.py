"""Values for each row of the table of types, and what a column makes of them."""

from __future__ import annotations

import datetime as dt
import enum
import itertools
import re
from dataclasses import dataclass
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from uuid import UUID

from psqlpy.exceptions import Error as PsqlpyError
from psqlpy.extra_types import (
    Float32,
    Float64,
    Float64Array,
    MacAddr6,
    NumericArray,
    PgVector,
    Point,
)
from sqlspec.exceptions import DataError, SQLSpecError


class Mood(enum.Enum):
    HAPPY = "happy"


@dataclass(frozen=True)
class Given:
    """A value that goes into a column of a type, and its text on the server."""

    type: str
    value: Any
    text: str
    written: str = "$1"


def as_text(pg_type: str, text: str) -> Given:
    return Given(pg_type, text, text, f"$1::text::{pg_type}")


AWARE = dt.datetime(2026, 1, 2, 9, 30, tzinfo=dt.timezone(dt.timedelta(hours=2)))
NAIVE = dt.datetime(2026, 1, 2, 9, 30)
KEY = UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
ROWS: dict[str, list[Given]] = {
    "smallint, integer, bigint": [
        Given("smallint", -7, "-7"),
        Given("integer", 2**31 - 1, "2147483647"),
        Given("bigint", 2**40, "1099511627776"),
    ],
    "float8": [Given("float8", Float64(0.1), "0.1")],
    "float4": [Given("float4", Float32(0.5), "0.5")],
    "numeric": [Given("numeric", Decimal("19.90"), "19.90")],
    "money": [Given("money", 1999, "$19.99")],
    "boolean": [Given("boolean", True, "true")],
    "text, varchar": [Given("text", "a b", "a b"), Given("varchar", "a b", "a b")],
    "char(n)": [Given("char(3)", "abc", "abc")],
    "bytea": [Given("bytea", b"\x00\xff", "\\x00ff")],
    "uuid": [Given("uuid", KEY, str(KEY))],
    "date": [Given("date", dt.date(2026, 1, 2), "2026-01-02")],
    "time": [Given("time", dt.time(9, 30), "09:30:00")],
    "timestamp": [Given("timestamp", NAIVE, "2026-01-02 09:30:00")],
    "timestamptz": [Given("timestamptz", AWARE, "2026-01-02 07:30:00+00")],
    "interval": [Given("interval", dt.timedelta(1, 5), "1 day 00:00:05")],
    "json, jsonb": [
        Given("json", {"a": [1, None]}, '{"a":[1,null]}'),
        Given("json", ["x", 1], '["x",1]'),
        Given("jsonb", {"a": [1, None]}, '{"a": [1, null]}'),
        Given("jsonb", ["x", 1], '["x", 1]'),
    ],
    "an enum": [Given("feeling", "happy", "happy"), Given("feeling", Mood.HAPPY, "happy")],
    "int[], text[], uuid[]": [
        Given("int[]", [1, 2], "{1,2}"),
        Given("text[]", ["a", "b"], "{a,b}"),
        Given("uuid[]", [KEY], f"{{{KEY}}}"),
    ],
    "float8[]": [Given("float8[]", Float64Array([0.1, 0.5]), "{0.1,0.5}")],
    "float4[]": [Given("real[]", "{0.5,1.5}", "{0.5,1.5}", "$1::text::real[]")],
    "numeric[]": [Given("numeric[]", NumericArray([Decimal("1.50")]), "{1.50}")],
    "inet": [
        Given("inet", IPv4Address("10.0.0.1"), "10.0.0.1/32"),
        Given("inet", IPv6Address("::1"), "::1/128"),
    ],
    "macaddr": [Given("macaddr", MacAddr6("08:00:2b:01:02:03"), "08:00:2b:01:02:03")],
    "point": [Given("point", Point((1.5, 2.5)), "(1.5,2.5)")],
    "vector": [Given("vector", PgVector([1.0, 2.5]), "[1,2.5]")],
    "ranges, bit, cidr, timetz, tsvector, hstore": [
        as_text("int4range", "[1,5)"),
        as_text("tstzrange", '["2026-01-02 00:00:00+00",)'),
        as_text("bit(3)", "101"),
        as_text("cidr", "10.0.0.0/8"),
        as_text("timetz", "09:30:00+02"),
        as_text("tsvector", "'a':1"),
        as_text("hstore", '"a"=>"1"'),
    ],
}
WRAPPED = {
    Float64: "Float64(x)",
    Float32: "Float32(x)",
    Float64Array: "Float64Array([...])",
    NumericArray: "NumericArray([...])",
    MacAddr6: 'MacAddr6("...")',
    Point: "Point((x, y))",
    PgVector: "PgVector([...])",
}
SETUP = """
CREATE EXTENSION IF NOT EXISTS hstore;
CREATE TYPE feeling AS ENUM ('happy', 'sad');
"""


_NUMBER = itertools.count()


async def stored(session: Any, given: Given) -> tuple[list[Any], list[str]]:
    """Write a value three times, read it as often: what was read, and the server's texts.

    A column that cannot be read gives its error.
    """
    table = f"kept_{next(_NUMBER)}"
    await session.execute(f"CREATE TEMP TABLE {table} (value {given.type})")
    for _ in range(3):
        await session.execute(f"INSERT INTO {table} VALUES ({given.written})", (given.value,))
    texts = await session.select(f"SELECT value::text AS text FROM {table}")
    try:
        rows = [r for _ in range(3) for r in await session.select(f"SELECT value FROM {table}")]
        values = [row["value"] for row in rows]
    except DataError as error:
        values = [error]
    return values, [row["text"] for row in texts]


def told_given(given: Given) -> set[str]:
    """What the table says of what was passed: its words, without backticks."""
    if given.written != "$1":
        last = given.written.rpartition("::")[2]
        return {"text", f"as $1::text::{last if last == 'real[]' else 'TYPE'}"}
    if given.type == "money":
        return {"int", "in cents" if given.text == f"${given.value / 100}" else "?"}
    return {WRAPPED.get(type(given.value)) or told_plain(given.value)}


def told_plain(value: Any) -> str:
    """The class of a value; of a datetime also whether it is aware."""
    if isinstance(value, dt.datetime):
        return f"{'aware' if value.tzinfo else 'naive'} datetime"
    return "Enum" if isinstance(value, enum.Enum) else type(value).__name__


def told_read(given: Given, value: Any) -> set[str]:
    """What the table says of what came back."""
    if isinstance(value, Exception):
        return {"read column::text"}
    if given.type in ("json", "jsonb"):
        return {"decoded JSON" if value == given.value else "?"}
    if given.type == "inet":
        return {"the same" if value == given.value else "?", "prefix length lost"}
    if given.type == "money":
        return told_given(Given("money", value, given.text))
    if isinstance(value, dt.datetime) and value.tzinfo is dt.UTC:
        return {told_plain(value), "in UTC"}
    if isinstance(value, list) and given.type not in ("int[]", "text[]", "uuid[]"):
        return {f"list of {type(element).__name__}" for element in value}
    return {told_plain(value)}


def words(cell: str) -> set[str]:
    """What a cell says, without backticks: the parts between commas and "or"."""
    return set(re.split(r", (?!y)| or ", cell.replace("`", "")))


async def refusal(call: Any) -> Exception | None:
    """Await a call: the error that it raised, if it raised one."""
    try:
        await call
    except (SQLSpecError, PsqlpyError, TypeError, OverflowError, ValueError) as error:
        return error
    return None


async def outcomes(session: Any, sql: str, *values: Any, runs: int = 3) -> list[bool]:
    """Run a statement several times: each time, whether it went well."""
    return [await refusal(session.execute(sql, *values)) is None for _ in range(runs)]
