"""Proofs of references/psqlpy-direct.md: cursors, named parameters, columns."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from proveskill import proves
from psqlpy.exceptions import PyToRustValueMappingError

NUMBERS = "SELECT n FROM numbers ORDER BY n"
CHANGE = "UPDATE numbers SET n = n + $1"
NAMED = "SELECT name FROM users WHERE id = {} AND status = {}"


@pytest.fixture
async def numbers(session):
    """A session and a table ``numbers (n int)`` of 1 to 5."""
    await session.connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS numbers (n int); DELETE FROM numbers;"
        "INSERT INTO numbers SELECT generate_series(1, 5)"
    )
    return session


async def total(session) -> int:
    return await session.connection.fetch_val("SELECT sum(n) FROM numbers")


@proves(
    "Prefer `session.{method}` on a session of its own.",
    "It wraps psqlpy's cursor, which rolls back the transaction around it when it closes, psqlpy's "
    "own transaction included:",
    adapter="stock",
)
async def test_a_cursor_rolls_back_the_transaction_around_it(config, numbers, method: str) -> None:
    stream = getattr(numbers, method)
    async with config.provide_session() as alone:
        rows = [row["n"] async for row in getattr(alone, method)(NUMBERS)]
    assert rows == [1, 2, 3, 4, 5]
    await numbers.begin()
    await numbers.execute(CHANGE, 10)
    assert [row["n"] async for row in stream(NUMBERS)] == [11, 12, 13, 14, 15]
    await numbers.commit()
    assert await total(numbers) == 15
    async with numbers.connection.transaction() as transaction:
        await transaction.execute(CHANGE, [10])
        async with transaction.cursor(NUMBERS, array_size=2) as cursor:
            seen = [row["n"] async for chunk in cursor for row in chunk.result()]
    assert seen == [11, 12, 13, 14, 15]
    assert await total(numbers) == 15


@proves(
    "To read in chunks and write in one transaction, declare the cursor in SQL.",
    "FETCH goes to the connection, because a session loses its rows:",
    adapter="stock",
)
async def test_a_cursor_declared_in_sql_reads_while_a_transaction_writes(numbers) -> None:
    chunks = []
    async with numbers.transaction():
        await numbers.execute(f"DECLARE all_numbers CURSOR FOR {NUMBERS}")
        while rows := (await numbers.connection.fetch("FETCH 2 FROM all_numbers", [])).result():
            chunks.append([row["n"] for row in rows])
            await numbers.execute(CHANGE, 10)
        await numbers.execute("MOVE ABSOLUTE 0 IN all_numbers")
        assert (await numbers.execute("FETCH 2 FROM all_numbers")).all() == []
    assert chunks == [[1, 2], [3, 4], [5]]
    assert await total(numbers) == 15 + 3 * 5 * 10


@proves(
    "The size of a chunk of psqlpy's cursor is `{keyword}`; the type stub's `{refused}` is refused:"
)
async def test_the_size_of_a_chunk(numbers, keyword: str, refused: str) -> None:
    for size, sizes in ((2, [2, 2, 1]), (3, [3, 2])):
        async with (
            numbers.connection.transaction() as transaction,
            transaction.cursor(NUMBERS, **{keyword: size}) as cursor,
        ):
            assert [len(chunk.result()) async for chunk in cursor] == sizes
    stub = files("psqlpy").joinpath("_internal", "__init__.pyi").read_text()
    assert re.search(rf"^ +{refused}: ", stub, re.MULTILINE)
    async with numbers.connection.transaction() as transaction:
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{refused}'"):
            transaction.cursor(NUMBERS, **{refused: 2})


@proves(
    "On the connection a named parameter is `$(name)p` with a dict:",
    "A session does not know this style.",
    "It returns no rows and no error; write `:name` there:",
    adapter="stock",
)
async def test_named_parameters(session) -> None:
    values = {"id": 1, "status": "active"}
    theirs = NAMED.format("$(id)p", "$(status)p")
    assert (await session.connection.fetch(theirs, values)).result() == [{"name": "Ada"}]
    with pytest.raises(PyToRustValueMappingError, match="Cannot find parameter with name <status>"):
        await session.connection.fetch(theirs, {"id": 1})
    for _ in range(3):
        assert await session.select(theirs, values) == []
        assert await session.select(NAMED.format(":id", ":status"), values) == [{"name": "Ada"}]


@proves(
    "`{prepare}` takes the parameters with the statement, and `{columns}()` tells names and table "
    "ids without running it.",
    "Without parameters the list stays empty, so add one:",
)
async def test_columns_of_a_prepared_statement(numbers, prepare: str, columns: str) -> None:
    connection = numbers.connection
    oid = await connection.fetch_val("SELECT 'numbers'::regclass::oid")
    sql = "UPDATE numbers SET n = n + $1 RETURNING n, now() AS seen"
    statement = await getattr(connection, prepare)(sql, [10])
    found = [(column.name, column.table_oid) for column in getattr(statement, columns)()]
    assert found == [("n", oid), ("seen", None)]
    assert await total(numbers) == 15
    assert len((await statement.execute()).result()) == 5
    assert await total(numbers) == 65
    for parameters in ((), ([],)):
        bare = await getattr(connection, prepare)("SELECT n FROM numbers", *parameters)
        assert getattr(bare, columns)() == []
