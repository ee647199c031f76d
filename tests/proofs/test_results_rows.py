"""Proofs of references/results.md: rows, one row, one value, and the result of execute."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyDriver
from sqlspec.driver import AsyncDriverAdapterBase
from sqlspec.exceptions import (
    MultipleResultsFoundError,
    NotFoundError,
    SQLSpecError,
)

ROWS = "SELECT n AS a, -n AS b FROM generate_series(1, {}) n ORDER BY n"
RESULTS = {
    "list of rows": [{"a": 1, "b": -1}],
    "the row": {"a": 1, "b": -1},
    "first column": 1,
}
EXPECTED = (NotFoundError, ValueError, MultipleResultsFoundError)


async def outcome(call: Awaitable[Any]) -> str:
    try:
        return repr(await call)
    except EXPECTED as error:
        return type(error).__name__


@proves(
    "{call} | {returned} | {nothing} | {several}",
    section="results#query-rows-one-row-or-one-value",
    table="Call | returns | no row | several rows",
)
async def test_what_the_select_methods_return(
    session: PsqlpyDriver, call: str, returned: str, nothing: str, several: str
) -> None:
    method = getattr(session, call)
    assert await method(ROWS.format(1)) == RESULTS[returned]
    assert await outcome(method(ROWS.format(0))) == nothing
    seen = await outcome(method(ROWS.format(2)))
    everything = repr([{"a": 1, "b": -1}, {"a": 2, "b": -2}])
    assert ("all of them" if seen == everything else seen) == several


@proves("A row is a `{kind}`.", "`fetch*` methods are other names of the `select*` methods.")
async def test_rows_are_dicts_by_both_names(session: PsqlpyDriver, kind: str) -> None:
    assert {type(row).__name__ for row in await session.select(ROWS.format(2))} == {kind}
    others = [name for name in dir(AsyncDriverAdapterBase) if name.startswith("fetch")]
    assert len(others) == 8
    for name in others:
        method, other = (getattr(session, n) for n in (name.replace("fetch", "select"), name))
        if name.endswith("_stream"):
            assert [row async for row in method(ROWS.format(3))] == [
                row async for row in other(ROWS.format(3))
            ]
        elif name.endswith("_arrow"):
            assert (await method(ROWS.format(3))).data == (await other(ROWS.format(3))).data
        else:
            for count in (0, 1, 2):
                sql = ROWS.format(count)
                assert await outcome(method(sql)) == await outcome(other(sql))


@proves(
    "Give the first column a name of its own: `select_value` of `{sql}` is {value}.",
    "Columns of one name become one key, and the last one wins.",
    "Give each column an alias.",
)
async def test_columns_of_one_name(session: PsqlpyDriver, sql: str, value: int) -> None:
    assert sql == "SELECT 1 AS a, 2 AS a"
    assert await session.select_value(sql) == value
    assert await session.select_value_or_none(sql) == value
    assert await session.select(sql) == [{"a": 2}]
    join = "FROM users u JOIN events e ON e.user_id = u.id AND u.id = 2 AND e.kind = 'login'"
    assert await session.select(f"SELECT u.*, -e.id AS id {join}") != []
    (row,) = await session.select(f"SELECT u.id, -e.id AS id {join}")
    assert row == {"id": -2}
    (row,) = await session.select(f"SELECT u.id AS user_id, -e.id AS event_id {join}")
    assert row == {"user_id": 2, "event_id": -2}


@proves("Where you cannot name the columns, take tuples from psqlpy:")
async def test_psqlpy_gives_tuples(session: PsqlpyDriver) -> None:
    found = await session.connection.fetch("SELECT 1 AS a, 2 AS a UNION ALL SELECT 3, 4", [])
    assert found.result(as_tuple=True) == [(1, 2), (3, 4)]


@proves(
    '`None` from `{method}` may mean "no row" or "the value is NULL".',
    "`{strict}` tells them apart: NULL is `{null}`, no row raises.",
)
async def test_null_and_no_row(session: PsqlpyDriver, method: str, strict: str, null: str) -> None:
    for rows in (0, 1):
        sql = f"SELECT NULL::int AS a FROM generate_series(1, {rows})"
        assert await getattr(session, method)(sql) is None
    assert repr(await getattr(session, strict)(sql)) == null
    with pytest.raises(NotFoundError):
        await getattr(session, strict)("SELECT NULL::int AS a WHERE false")


@proves("Name the columns: `{sql} *` fails after ALTER TABLE.", adapter="stock")
async def test_select_star_after_alter_table(session: PsqlpyDriver, sql: str) -> None:
    await session.execute_script("CREATE TEMP TABLE grown (a int); INSERT INTO grown VALUES (1)")
    for columns in ("*", "a"):
        assert await session.select(f"{sql} {columns} FROM grown") == [{"a": 1}]
    await session.execute("ALTER TABLE grown ADD COLUMN b int")
    with pytest.raises(SQLSpecError, match="cached plan must not change result type"):
        await session.select(f"{sql} * FROM grown")
    assert await session.select(f"{sql} a FROM grown") == [{"a": 1}]


@proves(
    "If rows are missing that must be there, see Parameters: any two `$n` without white space "
    "between them lose them, and so does SQL that SQLSpec cannot parse.",
    adapter="stock",
)
async def test_statements_that_lose_their_rows(session: PsqlpyDriver) -> None:
    for pair in ("ARRAY[$1,$2::int]", "int4mul($1,$2)", "$1::int+$2::int", "$1*$2::int"):
        spaced = pair.replace(",", ", ").replace("+", " + ").replace("*", "* ")
        assert await session.select(f"SELECT {pair} AS n", 1, 2) == []
        assert len(await session.select(f"SELECT {spaced} AS n", 1, 2)) == 1
    for unread in ("SELECT @ -5 AS n", "SELECT id FROM users ORDER BY age USING >"):
        assert await session.select(unread) == []
        assert (await session.connection.fetch(unread, [])).result() != []


@proves("`execute` returns a `{kind}`.", "Await it first, then call a method of the result.")
async def test_execute_is_awaited(session: PsqlpyDriver, kind: str) -> None:
    call = session.execute(ROWS.format(2))
    assert not hasattr(call, "all")
    result = await call
    assert type(result).__name__ == kind
    assert result.all() == [{"a": 1, "b": -1}, {"a": 2, "b": -2}]


@proves(
    "`{first}()` gives `{nothing}` when there is no row.",
    "`{one}` and `{scalar}` want exactly {number} row: with none or several they raise "
    "`{strict}`, not `NotFoundError`.",
    "`{one_or_none}` and `{scalar_or_none}` give `{none}` for no row and raise `{several}` for "
    "several.",
)
async def test_methods_that_count_the_rows_of_a_result(
    session: PsqlpyDriver, first: str, nothing: str, one: str, scalar: str, number: int,
    strict: str, one_or_none: str, scalar_or_none: str, none: str, several: str,
) -> None:  # fmt: skip
    async def call(name: str, count: int) -> str:
        result = await session.execute(ROWS.format(count))
        try:
            return repr(getattr(result, name)())
        except EXPECTED as error:
            return type(error).__name__

    assert strict != NotFoundError.__name__
    exact, row = [strict, "1", strict], repr({"a": 1, "b": -1})
    assert [await call(scalar, count) for count in (number - 1, number, number + 1)] == exact
    exact[1] = row
    assert [await call(one, count) for count in (number - 1, number, number + 1)] == exact
    assert [await call(first, count) for count in (0, 1, 2)] == [nothing, row, row]
    assert [await call(one_or_none, count) for count in (0, 1, 2)] == [none, row, several]
    assert [await call(scalar_or_none, count) for count in (0, 1, 2)] == [none, "1", several]


@proves("Without rows there are no column names either.", adapter="stock")
async def test_no_rows_no_column_names(session: PsqlpyDriver) -> None:
    assert (await session.execute(ROWS.format(1))).column_names == ["a", "b"]
    assert (await session.execute(ROWS.format(0))).column_names == []
