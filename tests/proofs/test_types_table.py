"""Proofs of references/types.md: the table of types."""

from __future__ import annotations

import importlib

import pytest
from proveskill import proves
from types_tools import ROWS, SETUP, WRAPPED, stored, told_given, told_read, words


@pytest.fixture
async def typed(session):
    if not await session.select("SELECT 1 AS one FROM pg_type WHERE typname = 'feeling'"):
        await session.execute_script(SETUP)
    return session


@proves("{row} | {given} | {read}", table="PostgreSQL | pass | comes back as", adapter="stock")
async def test_values_of_a_row_go_in_and_come_back_three_times(
    typed, row: str, given: str, read: str
) -> None:
    passed, returned = set(), set()
    for value in ROWS[row.replace("`", "")]:
        values, texts = await stored(typed, value)
        assert texts == [value.text] * 3
        passed |= told_given(value)
        returned = returned.union(*(told_read(value, found) for found in values))
    assert words(given) == passed
    assert words(read) == returned


@proves("`{a}`, `{b}`, `{c}`, `{d}`, `{e}`, `{f}` and `{g}` come from `{module}`.", adapter="stock")
def test_the_wrappers_of_the_table_and_their_module(
    a: str, b: str, c: str, d: str, e: str, f: str, g: str, module: str
) -> None:
    named = {a, b, c, d, e, f, g}
    assert named == {kind.__name__ for kind in WRAPPED}
    assert all(getattr(importlib.import_module(module), kind.__name__) is kind for kind in WRAPPED)


@proves("`{nothing}` is NULL for every type.", "These types hold at every run.", adapter="stock")
async def test_none_and_a_value_go_into_every_type_at_every_run(typed, nothing: str) -> None:
    values = [value for row in ROWS.values() for value in row]
    columns = ", ".join(f"c{number} {value.type}" for number, value in enumerate(values))
    await typed.execute(f"CREATE TEMP TABLE everything ({columns})")
    marks = [value.written.replace("$1", f"${number}") for number, value in enumerate(values, 1)]
    insert = f"INSERT INTO everything VALUES ({', '.join(marks)})"
    for _ in range(3):
        await typed.execute(insert, *[None] * len(values))
    assert nothing == repr(None)
    count = "SELECT count(*) FROM everything e WHERE e IS NULL"
    assert await typed.select_value(count) == 3
    await typed.execute("DELETE FROM everything")
    for _ in range(3):
        await typed.execute(insert, *(value.value for value in values))
    texts = ", ".join(f"c{number}::text" for number in range(len(values)))
    rows = await typed.select(f"SELECT {texts} FROM everything")
    assert [list(row.values()) for row in rows] == [[value.text for value in values]] * 3
