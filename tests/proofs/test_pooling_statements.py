"""Proofs of references/pooling.md: prepared statements, and tables that change under them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig, PsqlpyDriver
from sqlspec.exceptions import SQLSpecError
from watching_tools import PID

COUNT = "SELECT count(*) FROM pg_prepared_statements"
NOTES = """
    DROP TABLE IF EXISTS notes;
    CREATE TABLE notes (id int PRIMARY KEY, body text);
    INSERT INTO notes VALUES (1, 'one'), (2, 'two');
"""
MEMORY = "SELECT sum(total_bytes)::int8 FROM pg_backend_memory_contexts"


@pytest.fixture
async def config(dsn: str) -> AsyncIterator[PsqlpyConfig]:
    """A pool that lends the same connection again."""
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    yield config
    await config.close_pool()


@pytest.fixture
async def session(config: PsqlpyConfig) -> AsyncIterator[PsqlpyDriver]:
    """A session with a table of its own, for which COUNT and MEMORY are prepared."""
    async with config.provide_session() as session:
        await session.execute_script(NOTES)
        for query in (COUNT, MEMORY):
            await session.select_value(query)
        yield session


@proves(
    "Each connection keeps every distinct SQL text it has run as a prepared statement, without a "
    "limit, in server memory.",
    "Closing the pool empties the cache.",
    adapter="stock",
)
async def test_every_text_is_kept(config: PsqlpyConfig, session: PsqlpyDriver) -> None:
    before, memory = await session.select_value(COUNT), await session.select_value(MEMORY)
    for number in range(20):
        for _ in range(2):
            await session.select(f"SELECT id, body FROM notes WHERE id = {number}")
    assert await session.select_value(COUNT) == before + 20
    for number in range(20, 300):
        await session.connection.fetch(f"SELECT body FROM notes WHERE id = $1 + {number}", [0])
    assert await session.select_value(COUNT) == before + 300
    assert await session.select_value(MEMORY) > memory + 300 * 1_000
    await config.close_pool()
    async with config.provide_session() as fresh:
        assert await fresh.select_value(COUNT) < 10


@proves(
    "Bind values instead of writing them into the text.",
    "A list goes into one parameter, too: `= {any}($1)`, not `IN (...)` of varying length.",
)
async def test_bound_values_are_one_text(session: PsqlpyDriver, any: str) -> None:
    before = await session.select_value(COUNT)
    for number in range(20):
        await session.select("SELECT body FROM notes WHERE id = $1", number)
    assert await session.select_value(COUNT) == before + 1
    query = f"SELECT count(*) FROM notes WHERE id = {any}($1::int[])"
    for length in range(1, 6):
        found = await session.select_value(query, (list(range(1, length + 1)),))
        assert found == min(length, 2)
    assert await session.select_value(COUNT) == before + 2
    for length in range(1, 6):
        places = ", ".join(f"${number}" for number in range(1, length + 1))
        await session.select(f"SELECT body FROM notes WHERE id IN ({places})", *range(length))
    assert await session.select_value(COUNT) == before + 7


@proves("For SQL that must be built anew each time, go past the cache:")
async def test_past_the_cache(session: PsqlpyDriver) -> None:
    before = await session.select_value(COUNT)
    for number in range(20):
        query = f"SELECT body FROM notes WHERE id > $1 ORDER BY id LIMIT {number}"
        result = await session.connection.fetch(query, [0], prepared=False)
    assert result.result() == [{"body": "one"}, {"body": "two"}]
    assert await session.select_value(COUNT) == before


@proves(
    "Never send `{one}` or `{other}`: the client side goes on using what is gone, and the "
    "connection fails for every statement it has run before.",
    adapter="stock",
)
async def test_statements_that_are_gone(dsn: str, one: str, other: str) -> None:
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    known = ["SELECT 41 AS n", "SELECT 42 AS n", PID]
    for discard in (one, other):
        async with config.provide_session() as session:
            for query in known:
                await session.select_value(query)
            await session.execute(discard)
            for query in known * 2:
                with pytest.raises(SQLSpecError, match="does not exist"):
                    await session.select_value(query)
            assert await session.select_value(f"SELECT '{discard}' AS n") == discard
        await config.close_pool()
    assert {one, other} == {"DEALLOCATE ALL", "DISCARD ALL"}


@proves(
    "A statement that was prepared before `ALTER TABLE` and now returns other columns fails, on "
    "every later try and in every later session of that connection.",
    "Name the columns, and call `{close}()` in each process after DDL.",
    "`RETURNING *` fails in the same way.",
    "A changed column type breaks named columns too:",
    adapter="stock",
)
async def test_tables_that_change(config: PsqlpyConfig, close: str) -> None:
    everything = "SELECT * FROM notes"
    named = "SELECT id, body FROM notes WHERE id = 1"
    returning = "UPDATE notes SET body = body RETURNING *"
    stale = "cached plan must not change result type"
    async with config.provide_session() as admin, config.provide_session() as session:
        backend = await session.select_value(PID)
        await admin.execute_script(NOTES)
        for query in (everything, named, returning):
            await session.select(query)
        await admin.execute("ALTER TABLE notes ADD COLUMN tag text")
        for query in (everything, returning, everything, returning):
            with pytest.raises(SQLSpecError, match=stale):
                await session.select(query)
        assert await session.select_one(named) == {"id": 1, "body": "one"}
        await admin.execute("ALTER TABLE notes ALTER COLUMN body TYPE varchar(50)")
        with pytest.raises(SQLSpecError, match=stale):
            await session.select(named)
    async with config.provide_session() as later, config.provide_session() as last:
        session = later if await later.select_value(PID) == backend else last
        assert await session.select_value(PID) == backend
        for query in (everything, named, returning):
            with pytest.raises(SQLSpecError, match=stale):
                await session.select(query)
    await getattr(config, close)()
    async with config.provide_session() as one, config.provide_session() as other:
        for fresh in (one, other):
            assert len(await fresh.select(everything)) == len(await fresh.select(returning)) == 2
            assert await fresh.select_one(named) == {"id": 1, "body": "one"}
