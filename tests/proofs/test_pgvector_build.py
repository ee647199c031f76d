"""Proofs of references/pgvector.md: an index that is built while writers go on."""

from __future__ import annotations

import asyncio

import pytest
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig, PsqlpyDriver
from sqlspec.exceptions import SQLSpecError

BUILD = "CREATE INDEX {} built_l2 ON built USING hnsw (vector vector_l2_ops)"
VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('built_l2')"
WAITS = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1"


@pytest.fixture
async def built(config: PsqlpyConfig) -> None:
    """A table without an index."""
    async with config.provide_session() as session:
        await session.execute_script(
            "DROP TABLE IF EXISTS built; CREATE TABLE built (id int, vector vector(3));"
            "INSERT INTO built VALUES (1, '[1,0,0]'), (2, '[0,1,0]')"
        )


async def until_it_waits(control: PsqlpyDriver, backend: int) -> None:
    """Wait until the backend that builds waits for a lock."""
    async with asyncio.timeout(10):
        while await control.select_value_or_none(WAITS, backend) is not True:
            pass  # every look is a round trip, in which the build goes on


@proves(
    "`{concurrently}` lets writers go on.",
    "Run it by `execute` outside a transaction:",
    "It waits for every open transaction that has written to the table.",
)
async def test_a_concurrent_build_waits_and_blocks_no_writer(
    config: PsqlpyConfig, session: PsqlpyDriver, built: None, concurrently: str
) -> None:
    assert concurrently.startswith("CREATE INDEX")
    concurrent = BUILD.replace("CREATE INDEX {}", concurrently)
    with pytest.raises(SQLSpecError, match="cannot run inside a transaction block"):
        async with session.transaction():
            await session.execute(concurrent)
    backend = await session.select_value("SELECT pg_backend_pid()")
    async with (
        config.provide_session() as first,
        config.provide_session() as second,
        config.provide_session() as writer,
    ):
        await writer.execute("SET lock_timeout = '2s'")
        await first.begin()
        await first.execute("UPDATE built SET id = 1 WHERE id = 1")
        await second.begin()
        await second.execute("INSERT INTO built VALUES (3, '[1,1,1]')")
        building = asyncio.create_task(session.execute(concurrent))
        await until_it_waits(writer, backend)
        await writer.execute("UPDATE built SET id = 22 WHERE id = 2")
        await first.commit()
        await until_it_waits(writer, backend)
        assert not building.done()
        await second.commit()
        await building
        assert await writer.select_value(VALID) is True
        await writer.execute("DROP INDEX built_l2")

        await session.begin()
        await session.execute(BUILD.format(""))
        await writer.execute("SET lock_timeout = '20ms'")
        with pytest.raises(SQLSpecError, match="lock timeout"):
            await writer.execute("UPDATE built SET id = 2 WHERE id = 22")
        await session.rollback()
        await writer.execute("RESET lock_timeout")


@proves(
    "If it is stopped, by a timeout or a cancel, it leaves an invalid index, which"
    " `IF NOT EXISTS` takes for done:",
    "Drop it and build it again, without a statement timeout:",
)
async def test_a_stopped_build_leaves_an_invalid_index(
    config: PsqlpyConfig, session: PsqlpyDriver, built: None
) -> None:
    concurrent = BUILD.format("CONCURRENTLY")
    backend = await session.select_value("SELECT pg_backend_pid()")
    for cause, timeout in (("statement timeout", "30ms"), ("user request", "0")):
        async with config.provide_session() as writer, config.provide_session() as control:
            await writer.begin()
            await writer.execute("UPDATE built SET id = 1 WHERE id = 1")
            await session.execute(f"SET statement_timeout = '{timeout}'")
            building = asyncio.create_task(session.execute(concurrent))
            if timeout == "0":
                while await control.select_value_or_none(VALID) is None:
                    pass
                await control.execute("SELECT pg_cancel_backend($1)", backend)
            with pytest.raises(SQLSpecError, match=cause):
                await building
            await writer.commit()
        await session.execute("SET statement_timeout = 0")
        assert await session.select_value(VALID) is False
        await session.execute(BUILD.format("CONCURRENTLY IF NOT EXISTS"))
        assert await session.select_value(VALID) is False
        await session.execute("DROP INDEX CONCURRENTLY IF EXISTS built_l2")
    await session.execute(concurrent)
    assert await session.select_value(VALID) is True
