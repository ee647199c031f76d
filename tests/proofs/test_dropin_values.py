"""Proofs of references/drop-in.md: SQL as it comes, and the values that go in and come out."""

from __future__ import annotations

import datetime as dt
import enum
import ipaddress
import math
import uuid
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from proveskill import proves
from psqlpy_adapter.types import Interval, Range

KEY = uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")


async def through(session: Any, pg_type: str, *values: Any) -> list[Any]:
    """Store and read values in a column of a type, each twice."""
    await session.execute_script(
        f"DROP TABLE IF EXISTS kept; CREATE TEMP TABLE kept (n serial, value {pg_type})"
    )
    for value in values:
        for _ in (1, 2):
            await session.execute("INSERT INTO kept (value) VALUES ($1)", (value,))
    rows = await session.select("SELECT value FROM kept ORDER BY n")
    assert len(rows) == 2 * len(values)
    assert [repr(row) for row in rows[::2]] == [repr(row) for row in rows[1::2]]
    return [row["value"] for row in rows[::2]]


@proves(
    "`{one}`, `{two}`, `{three}` and `{four}` lose no row, "
    "and every run of a statement gives the same."
)
async def test_no_row_is_lost(one: str, two: str, three: str, four: str, dropin) -> None:
    for spelling in (one, two, three, four):
        text = f"SELECT id FROM users WHERE id IN ({spelling}) ORDER BY id"
        values = ({"a": 1, "b": 2},) if ":" in spelling else (1, 2)
        for _ in range(4):
            assert await dropin.select(text, *values) == [{"id": 1}, {"id": 2}]
    for cast, value in (("uuid", str(KEY)), ("float8", 4.2), ("vector", [1.0, 2.5])):
        text = f"SELECT $1::{cast}::text"
        found = [await dropin.select_value(text, (value,)) for _ in range(4)]
        assert len(set(found)) == 1


@proves("The server is asked for the type of every parameter and column.")
async def test_the_types_are_the_servers(dropin) -> None:
    await dropin.execute("CREATE TEMP TABLE asked (a int2, b numeric, c float4, d text[], e uuid)")
    insert = "INSERT INTO asked VALUES ($1, $2, $3, $4, $5)"
    await dropin.execute(insert, 1, 1, 1, ["1"], str(KEY))
    types = await dropin.select_value(
        "SELECT parameter_types::text FROM pg_prepared_statements WHERE statement LIKE $1",
        "INSERT INTO asked%",
    )
    assert types == "{smallint,numeric,real,text[],uuid}"
    row = await dropin.select_one("SELECT * FROM asked")
    assert row == {"a": 1, "b": Decimal(1), "c": 1.0, "d": ["1"], "e": KEY}
    assert [type(value) for value in row.values()] == [int, Decimal, float, list, uuid.UUID]


@proves(
    "A value that does not fit raises `{error}`, which names both types, before anything is stored."
)
async def test_a_value_that_does_not_fit_names_both_types(error: str, dropin) -> None:
    await dropin.execute("CREATE TEMP TABLE fitting (n int4, d date)")
    for value, name in ((4.5, "float"), (object(), "object"), (KEY, "UUID")):
        with pytest.raises(Exception, match=rf"{name}.*int4") as raised:
            await dropin.execute("INSERT INTO fitting (n) VALUES ($1)", value)
        assert raised.type.__name__ == error
        sets = [*((n,) for n in range(20)), (value,)]
        with pytest.raises(Exception, match=rf"{name}.*int4"):
            await dropin.execute_many("INSERT INTO fitting (n) VALUES ($1)", sets)
    assert await dropin.select_value("SELECT count(*) FROM fitting") == 0


TEXTS = {
    "int2": "7", "int8": " 7 ", "float8": "1e3", "numeric": "1.50", "bool": "yes", "text": "x",
    "bytea": "\\x00ff", "date": "0044-03-15 BC", "time": "04:05", "timestamp": "2026-01-02",
    "timestamptz": "2026-01-02 12:00+02", "interval": "1 month 2 days", "uuid": str(KEY).upper(),
    "inet": "10.0.0.1/8", "macaddr": "08-00-2b-01-02-03", "int4range": "[1,4]", "bit(3)": "101",
    "int4multirange": "{[1,4]}", "int[]": "{1,NULL}", "vector": "[1,2]", "point": "1,2",
    "money": "$1.50", "tsvector": "a fat cat", "name": "x", "oid": "7", "regclass": "users",
}  # fmt: skip


@proves(
    "A `{kind}` goes into a parameter of any type but `{one}` and `{other}`, "
    "as the server reads it."
)
async def test_a_text_is_read_as_the_server_reads_it(
    kind: str, one: str, other: str, dropin
) -> None:
    for pg_type, text in TEXTS.items():
        assert type(text).__name__ == kind
        for _ in (1, 2):
            read = f"SELECT $1::{pg_type}::text AS ours, '{text}'::{pg_type}::text AS theirs"
            row = await dropin.select_one(read, text)
            assert row["ours"] == row["theirs"]
    for pg_type in (one, other):
        assert await dropin.select_value(f"SELECT $1::{pg_type}::text", "5") == '"5"'


@proves(
    "`int` | `int`, numpy integers | `{whole}`",
    "`float`, `numeric` | `int`, `float`, `Decimal`, numpy numbers | "
    "`{binary}`; `{exact}` with all digits",
    table="PostgreSQL | in | out",
)
async def test_numbers(whole: str, binary: str, exact: str, dropin) -> None:
    given = 5, 5.5, Decimal("5.5"), np.int64(5), np.float32(5.5)
    expected = [5, 5.5, 5.5, 5, 5.5]
    for pg_type, kind in (("float8", binary), ("numeric", exact)):
        found = await through(dropin, pg_type, *given)
        assert found == expected
        assert {type(value).__name__ for value in found} == {kind}
    found = await through(dropin, "int4", 5, np.int16(5))
    assert found == [5, 5]
    assert {type(value).__name__ for value in found} == {whole}
    digits = Decimal("12345678901234567890.12345678901234567890")
    assert await through(dropin, "numeric", digits) == [digits]


@proves("`uuid` | `{kind}` or `str` | `{out}`", table="PostgreSQL | in | out")
async def test_uuids(kind: str, out: str, dropin) -> None:
    assert type(KEY).__name__ == kind
    found = await through(dropin, "uuid", KEY, str(KEY))
    assert found == [KEY, KEY]
    assert {type(value).__name__ for value in found} == {out}


@proves(
    "`timestamptz` | aware, or naive: the session's time zone | aware, in {zone}",
    "A naive datetime for `timestamptz` is in the session's time zone, not {zone}.",
    table="PostgreSQL | in | out",
)
async def test_times(zone: str, dropin) -> None:
    await dropin.execute("SET TIME ZONE 'America/New_York'")
    naive = dt.datetime(2026, 1, 2, 12)
    aware = naive.replace(tzinfo=dt.timezone(dt.timedelta(hours=2)))
    found = await through(dropin, "timestamptz", naive, aware)
    assert [value.isoformat() for value in found] == [
        "2026-01-02T17:00:00+00:00", "2026-01-02T10:00:00+00:00",
    ]  # fmt: skip
    assert {value.tzinfo.tzname(value) for value in found} == {zone}


@proves(
    "`interval` | `timedelta`, `Interval` | `{out}`; with months `{months}`",
    table="PostgreSQL | in | out",
)
async def test_intervals(out: str, months: str, dropin) -> None:
    whole, long = dt.timedelta(days=2, hours=1), Interval(months=1, days=2)
    found = await through(dropin, "interval", whole, Interval(days=2, microseconds=3_600_000_000))
    assert found == [whole, whole]
    assert {type(value).__name__ for value in found} == {out}
    assert await through(dropin, "interval", long) == [long]
    assert [f"psqlpy_adapter.types.{type(long).__name__}"] == [months]


@proves("infinite dates and times | `math.{given}` | `math.{out}`", table="PostgreSQL | in | out")
async def test_infinite_times(given: str, out: str, dropin) -> None:
    for pg_type in ("date", "timestamp", "timestamptz"):
        [found] = await through(dropin, pg_type, getattr(math, given))
        assert found == math.inf == getattr(math, out)
        assert await through(dropin, pg_type, -math.inf) == [-math.inf]
        texts = "SELECT value::text FROM kept LIMIT 1"
        assert await dropin.select_value(texts) == "-infinity"


@proves(
    "`inet`, `cidr` | `{module}` objects | address, interface, network",
    table="PostgreSQL | in | out",
)
async def test_networks(module: str, dropin) -> None:
    address, interface = ipaddress.ip_address("::1"), ipaddress.ip_interface("10.0.0.1/8")
    assert await through(dropin, "inet", address, interface) == [address, interface]
    network = ipaddress.ip_network("10.0.0.0/8")
    assert await through(dropin, "cidr", network) == [network]
    found = [*await through(dropin, "inet", address, interface), network]
    assert [type(value).__name__[4:] for value in found] == ["Address", "Interface", "Network"]
    assert {type(value).__module__ for value in found} == {module}


@proves(
    "ranges, multiranges | `psqlpy_adapter.types.{name}`, a list of it | the same",
    table="PostgreSQL | in | out",
)
async def test_ranges(name: str, dropin) -> None:
    one, other = Range(1, 5), Range(7, None)
    assert type(one).__name__ == name
    assert await through(dropin, "int4range", one, other) == [one, other]
    assert await through(dropin, "int4multirange", [one, other]) == [[one, other]]


class Mood(enum.Enum):
    OK = "ok"


@proves(
    "enum, its arrays | `str`, `enum.{kind}` | `{out}`",
    "composite | `dict`, `tuple` | `{row}`",
    table="PostgreSQL | in | out",
)
async def test_types_of_ones_own(kind: str, out: str, row: str, dropin) -> None:
    await dropin.execute_script(
        "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE item AS (name text, price numeric)"
    )
    assert Mood.__mro__[1].__name__ == kind
    found = await through(dropin, "mood", "ok", Mood.OK)
    assert found == ["ok", "ok"]
    assert {type(value).__name__ for value in found} == {out}
    assert await through(dropin, "mood[]", ["sad", Mood.OK, None]) == [["sad", "ok", None]]
    item = {"name": "x", "price": Decimal("1.50")}
    found = await through(dropin, "item", item, tuple(item.values()))
    assert found == [item, item]
    assert {type(value).__name__ for value in found} == {row}


@proves(
    '`bit`, `varbit` | `"{bits}"` | `{out}`',
    "arrays | `list` with `None`, nested, numpy | `{many}`",
    table="PostgreSQL | in | out",
)
async def test_bits_and_arrays(bits: str, out: str, many: str, dropin) -> None:
    for pg_type in ("bit(3)", "varbit"):
        found = await through(dropin, pg_type, bits)
        assert [type(value).__name__ for value in found] == [out]
        assert await dropin.select_value(f"SELECT value = B'101'::{pg_type} FROM kept LIMIT 1")
    given = [1, None], [[1, 2], [3, 4]], np.array([1, 2])
    found = await through(dropin, "int[]", *given)
    assert found == [[1, None], [[1, 2], [3, 4]], [1, 2]]
    assert {type(value).__name__ for value in found} == {many}
