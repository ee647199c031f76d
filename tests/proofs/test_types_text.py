"""Proofs of references/types.md: what cannot be read, and what is written from text."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from proveskill import proves
from sqlspec.exceptions import DataError, SQLSpecError
from types_tools import SETUP, outcomes

UNREADABLE = {
    "char(3)": "ab ", "timetz": "09:30:00+02", "cidr": "10.0.0.0/8", "bit(3)": "101",
    "varbit": "101", "int4range": "[1,5)", "int4multirange": "{[1,2]}", "tsvector": "a",
    "tsquery": "a", "jsonpath": "$.a", "xid8": "1", "regclass": "users", "pg_lsn": "0/1",
    "tid": "(0,1)", "polygon": "((0,0),(1,1))", "halfvec": "[1,2]",
    "sparsevec": "{1:1}/2", "vector[]": '{"[1,2]"}', "int[]": "{1,NULL}", "numeric": "NaN",
    "date": "infinity", "jsonb": '{"n": 1e400}',
}  # fmt: skip
SAMPLES = {
    **{kind: text.strip() for kind, text in UNREADABLE.items()},
    "text": "a", "varchar": "a", "name": "a", "feeling": "sad", "inet": "10.0.0.1",
    "uuid": "00000000-0000-0000-0000-000000000001", "timestamptz": "2026-01-02",
    "timestamp": "2026-01-02", "date": "2026-01-02", "time": "09:30", "interval": "1 mon",
    "integer": "5", "bigint": "5", "numeric": "5", "float8": "5", "boolean": "true",
    "money": "5", "bytea": "\\x00", "jsonb": '{"a": 1}', "json": '{"a": 1}', "vector": "[1,2]",
    "point": "(1,2)", "macaddr": "08:00:2b:01:02:03", "hstore": "a=>1", "int[]": "{1}",
    "text[]": "{a}", "oid": "5", "char(3)": "abc",
}  # fmt: skip
OF_TEXT = {"text", "varchar", "name", "char(3)"}


@pytest.fixture
async def typed(session):
    if not await session.select("SELECT 1 AS one FROM pg_type WHERE typname = 'feeling'"):
        await session.execute_script(SETUP)
    return session


@proves(
    "Cast the column to `{text}`, or to a type of the table above.",
    "One such column fails the whole query, as soon as it holds a value: NULL is read.",
    "All of these fail:",
    adapter="stock",
)
async def test_types_that_cannot_be_read(typed, text: str) -> None:
    for kind, value in UNREADABLE.items():
        column = f"'{value}'::{kind}"
        with pytest.raises(DataError, match="Can't convert value from driver to python type"):
            await typed.select(f"SELECT 1 AS one, {column} AS v, 'x' AS two")
        found = await typed.select_value(f"SELECT ({column})::{text}")
        assert isinstance(found, str)
        assert await typed.select(f"SELECT 1 AS one, NULL::{kind} AS v") == [{"one": 1, "v": None}]
    readable = ("'[1,2]'::halfvec::vector", "B'101'::int", "'users'::regclass::oid = 0")
    found = [await typed.select_value(f"SELECT {expression}") for expression in readable]
    assert found == [[1.0, 2.0], 5, False]


@proves("An array of an enum is one of them, the enum itself is not.", adapter="stock")
async def test_an_array_of_an_enum_cannot_be_read(typed) -> None:
    assert await typed.select_value("SELECT 'sad'::feeling") == "sad"
    with pytest.raises(DataError, match="Cannot convert _feeling"):
        await typed.select("SELECT ARRAY['sad']::feeling[]")
    assert await typed.select_value("SELECT ARRAY['sad']::feeling[]::text[]") == ["sad"]


@proves(
    "A `str` for `$1::{a}`, `$1::{b}`, `$1::{c}` or `$1::{d}` works {times}: see Parameters.",
    "For a type without a Python value, write `{written}` and pass a `{given}`.",
    "With `$1::TYPE` alone a `str` is refused, at the latest at its second run, for every type but "
    "`{always}`, enums and those of text:",
    adapter="stock",
)
async def test_how_often_a_string_works(
    typed, a: str, b: str, c: str, d: str, times: str, written: str, given: str, always: str
) -> None:
    runs = {
        kind: await outcomes(typed, f"SELECT $1::{kind} IS NULL", value)
        for kind, value in SAMPLES.items()
    }
    at_first = {kind for kind, went in runs.items() if went == [True, False, False]}
    assert (at_first, times) == ({a, b, c, d}, "once")
    at_all_times = {kind for kind, went in runs.items() if all(went)}
    assert at_all_times == {always, "feeling"} | OF_TEXT
    assert all(not any(runs[kind]) for kind in runs.keys() - at_first - at_all_times)
    for kind, value in SAMPLES.items():
        sql = f"SELECT {written.replace('TYPE', kind)} IS NULL"
        assert (type(value).__name__, await outcomes(typed, sql, value)) == (given, [True] * 3)


@proves("A function that makes the value from plain types needs no cast:", adapter="stock")
async def test_functions_of_plain_types_need_no_cast(typed) -> None:
    first, last = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    for _ in range(3):
        sql = "SELECT upper(tstzrange($1, $2))"
        assert await typed.select_value(sql, first, last) == last
        sql = "SELECT to_tsvector('english', $1)::text"
        assert await typed.select_value(sql, "big cats") == "'big':1 'cat':2"
        sql = "SELECT to_tsvector('english', 'cats') @@ to_tsquery('english', $1)"
        assert await typed.select_value(sql, "cat") is True
        with pytest.raises(SQLSpecError):
            await typed.select("SELECT $1::tsvector::text", "'big':1 'cat':2")
