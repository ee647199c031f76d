"""Proofs of references/results.md: pages, Arrow tables and scripts."""

from __future__ import annotations

import psqlpy.exceptions
import pyarrow as pa
import pytest
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyDriver
from sqlspec.exceptions import SQLSpecError
from traffic_tools import overheard

PAGE = "SELECT id FROM users WHERE age > {} ORDER BY id LIMIT {} OFFSET {}"
NAMED, NUMBERED = PAGE.format(":age", ":limit", ":offset"), PAGE.format("$1", "$2", "$3")


@proves(
    "`{method}` returns the page and the number of rows without LIMIT and OFFSET.",
    "`{option}=True` sends {one} query instead of {two}.",
    "Behind the last page its total is {total}.",
)
async def test_a_page_and_the_total(
    dsn: str, method: str, option: str, one: int, two: int, total: int
) -> None:
    async with overheard(dsn) as (session, wire):
        for is_one, queries in ((False, two), (True, one)):
            wire.forget()
            rows = await getattr(session, method)(
                NAMED, age=10, limit=2, offset=0, **{option: is_one}
            )
            assert rows == ([{"id": 1}, {"id": 2}], 3)
            assert len([text for text in wire.texts() if "FROM users" in text]) == queries
            behind = await session.select_with_total(
                NAMED, age=10, limit=2, offset=50, count_with_window=is_one
            )
            assert behind == ([], total if is_one else 3)


@proves("Use named parameters.", section="results#get-a-page-and-the-total", adapter="stock")
async def test_numbered_parameters_of_a_page(session: PsqlpyDriver) -> None:
    for _ in range(2):
        with pytest.raises(SQLSpecError, match="Parameter count mismatch"):
            await session.select_with_total(NUMBERED, 10, 2, 0)
        assert (await session.select_with_total(NAMED, age=10, limit=2, offset=0))[1] == 3


@proves(
    "`select_to_arrow(...)` returns an `{kind}`; `.{attribute}` is the `pyarrow.{table}`.",
    "It reads all rows into dicts first, whatever `{size}` is, so columns of one name become one.",
)
async def test_what_select_to_arrow_gives(
    dsn: str, kind: str, attribute: str, table: str, size: str
) -> None:
    numbers = "SELECT n, -n AS n FROM generate_series(1, 25) n"
    async with overheard(dsn) as (session, wire):
        for options in ({}, {size: 10}, {size: 10, "return_format": "batches"}):
            wire.forget()
            result = await session.select_to_arrow(numbers, **options)
            assert type(result).__name__ == kind
            assert not wire.limits()
            data = getattr(result, attribute)
            if "return_format" in options:
                assert [batch.num_rows for batch in data] == [10, 10, 5]
            else:
                assert type(data).__name__ == table
                assert data.column_names == ["n"]
                assert data["n"].to_pylist() == [-n for n in range(1, 26)]


@proves(
    "The schema is guessed from the values: `{integer}` becomes `{as_integer}`, `uuid` becomes "
    "`{as_key}`, `{vector}` becomes `list<{item}>`, a column of NULLs becomes `{nothing}`.",
    "An empty result has no columns.",
    "Give the schema where it matters.",
    adapter="stock",
)
async def test_the_guessed_schema(
    session: PsqlpyDriver, integer: str, as_integer: str, as_key: str,
    vector: str, item: str, nothing: str,
) -> None:  # fmt: skip
    columns = (
        f"'1'::{integer} AS a, '00000000-0000-0000-0000-000000000001'::uuid AS b, "
        f"'[1,2]'::{vector} AS c, NULL::date AS d"
    )
    schema = (await session.select_to_arrow(f"SELECT {columns}")).data.schema
    assert [str(schema.field(name).type) for name in "abd"] == [as_integer, as_key, nothing]
    assert str(schema.field("c").type.value_type) == item
    empty = f"SELECT {columns} LIMIT 0"
    assert (await session.select_to_arrow(empty)).data.num_columns == 0
    given = pa.schema([("a", pa.int32()), ("b", pa.string())])
    some = "SELECT 1 AS a, 'x' AS b LIMIT {}"
    for rows in (0, 1):
        found = await session.select_to_arrow(some.format(rows), arrow_schema=given)
        assert found.data.schema == given
        assert found.data.num_rows == rows


@proves("`{one}` takes one statement.", "`{many}` takes many; it returns no rows and no counts.")
async def test_one_statement_and_many(session: PsqlpyDriver, one: str, many: str) -> None:
    with pytest.raises(SQLSpecError, match="multiple commands"):
        await getattr(session, one)("SELECT 1; SELECT 2")
    result = await getattr(session, many)(
        "CREATE TEMP TABLE many (n int); INSERT INTO many VALUES (1), (2); SELECT n FROM many"
    )
    assert await session.select_value("SELECT count(*) FROM many") == 2
    assert result.all() == []
    assert result.rows_affected == 0
    await session.execute("DROP TABLE many")


@proves(
    "A script is not atomic: each statement commits alone.",
    "Put it into a transaction.",
    "Do not write `BEGIN` and `COMMIT` into the script: when a statement between them fails, the "
    "session stays in an aborted transaction.",
    "psqlpy's `{method}` sends the whole text at once, and the server runs it as one transaction.",
    "It takes no parameters, and its errors are psqlpy's.",
)
async def test_what_a_failing_script_leaves(dsn: str, method: str) -> None:
    text = "INSERT INTO noted VALUES (pg_current_xact_id()); "
    failing = f"{text}{text}SELECT 1 / 0"
    counted = "SELECT count(*) AS rows, count(DISTINCT id) AS transactions FROM noted"
    async with overheard(dsn) as (session, wire):
        await session.execute("CREATE TEMP TABLE noted (id xid8)")
        with pytest.raises(SQLSpecError, match="division by zero"):
            await session.execute_script(failing)
        two = {"rows": 2, "transactions": 2}
        assert await session.select_one(counted) == two
        with pytest.raises(SQLSpecError, match="division by zero"):
            async with session.transaction():
                await session.execute_script(failing)
        assert await session.select_one(counted) == two

        batch = getattr(session.connection, method)
        wire.forget()
        with pytest.raises(psqlpy.exceptions.DatabaseError, match="division by zero") as raised:
            await batch(failing)
        assert not isinstance(raised.value, SQLSpecError)
        assert wire.texts() == [failing]
        assert await session.select_one(counted) == two
        await batch(text + text)
        assert await session.select_one(counted) == {"rows": 4, "transactions": 3}
        with pytest.raises(TypeError, match="positional arguments"):
            await batch("SELECT $1", [1])

        with pytest.raises(SQLSpecError, match="division by zero"):
            await session.execute_script(f"BEGIN; {failing}; COMMIT")
        with pytest.raises(SQLSpecError, match="current transaction is aborted"):
            await session.execute("SELECT 1")
        await session.connection.execute("ROLLBACK")
