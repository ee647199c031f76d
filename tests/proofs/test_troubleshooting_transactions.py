"""Proofs of references/troubleshooting.md: queries to stop, aborted transactions, migrations."""

from __future__ import annotations

import asyncio

import pytest
import sqlspec.exceptions
from best_practices_tools import failure
from observing import until_asleep
from pooling_tools import later
from proveskill import proves
from psqlpy.extra_types import Float64
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import SQLSpecError
from watching_tools import PID, ask

NAP = "SELECT pg_sleep($1)::text"


async def timeout(worker):
    async with asyncio.timeout(60):
        await worker.select(NAP, Float64(30))


async def wait_for(worker):
    await asyncio.wait_for(worker.select(NAP, Float64(30)), 60)


@proves(
    "Cancelling, `asyncio.timeout` and `wait_for` raise `{kind}` from a statement's second run on, "
    "and the server goes on with the query.",
    "`{message}` | Stop a query",
    adapter="stock",
    table="You see | Section",
)
async def test_ways_to_stop_a_query_in_python(dsn, session, kind: str, message: str):
    raised = {}
    for is_second in (False, True):
        for way in ("cancel", "timeout", "wait_for"):
            config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
            async with config.provide_session() as worker:
                if is_second:
                    await worker.select(NAP, Float64(0))
                pid = await worker.select_value(PID)
                work = {"timeout": timeout, "wait_for": wait_for}.get(way)
                nap = work(worker) if work else worker.select(NAP, Float64(30))
                task = asyncio.create_task(failure(nap)) if work else asyncio.ensure_future(nap)
                await until_asleep(session, pid)
                if way == "cancel":
                    task.cancel()
                with later(61 if work else 0):
                    (outcome,) = await asyncio.gather(task, return_exceptions=True)
                raised[is_second, way] = type(outcome).__name__
                assert str(outcome).startswith(f"{message} but ") is is_second
                look = "SELECT wait_event FROM pg_stat_activity WHERE pid = %s"
                assert ask(dsn, look, pid) == "PgSleep"
                ask(dsn, "SELECT pg_terminate_backend(%s)", pid)
            await config.close_pool()
    assert [name for (is_second, _), name in raised.items() if is_second] == [kind] * 3
    first = [name for (is_second, _), name in raised.items() if not is_second]
    assert first == ["CancelledError", "TimeoutError", "TimeoutError"]


@proves("Cure: let the server end it.")
async def test_the_server_ends_a_query(dsn, session):
    await session.select(NAP, Float64(0))
    pid = await session.select_value(PID)

    async def nap_within_a_limit():
        async with session.transaction():
            await session.execute("SET LOCAL statement_timeout = 50")
            await session.select(NAP, Float64(30))

    with pytest.raises(sqlspec.exceptions.QueryTimeoutError, match="due to statement timeout"):
        await nap_within_a_limit()
    assert await session.select_value(PID) == pid
    assert await session.select_value("SHOW statement_timeout") == "0"


@proves(
    "`{message}`, commit without effect | Leave an aborted transaction",
    adapter="stock",
    table="You see | Section",
)
async def test_a_commit_without_effect(kept, dsn, message: str):
    await kept.begin()
    await kept.execute("INSERT INTO kept VALUES (1, 'a')")
    assert await failure(kept.execute("SELECT 1 / 0")) is not None
    assert f"ERROR: {message}, commands ignored" in str(await failure(kept.execute("SELECT 1")))
    assert await failure(kept.commit()) is None
    assert ask(dsn, "SELECT count(*) FROM kept") == 0


@proves(
    "To go on after an expected error, use a savepoint: `{create}(name)`, then `{back}(name)`.",
)
async def test_a_savepoint(kept, dsn, create: str, back: str):
    add, count = "INSERT INTO kept VALUES ($1, 'a')", "SELECT count(*) FROM kept"
    async with kept.transaction():
        await kept.execute(add, 1)
        await getattr(kept, create)("here")
        await kept.execute(add, 2)
        assert isinstance(await failure(kept.execute(add, 1)), SQLSpecError)
        assert "transaction is aborted" in str(await failure(kept.execute("SELECT 1")))
        await getattr(kept, back)("here")
        assert await kept.select_value(count) == 1
        await kept.execute(add, 3)
    assert ask(dsn, "SELECT array_agg(id ORDER BY id) FROM kept") == [1, 3]


@proves(
    "Name the columns, or renew the pool with `config.{close}()`; the next session opens a new "
    "one.",
    "`{message}` | Query after a migration",
    adapter="stock",
    table="You see | Section",
)
async def test_plans_after_a_migration(kept, dsn, close: str, message: str):
    await kept.execute("CREATE TABLE altered (id int, name text)")
    everything, named = "SELECT * FROM altered", "SELECT id, name FROM altered"
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    pool = await config.provide_pool()
    async with config.provide_session() as session:
        pid = await session.select_value(PID)
        await session.select(everything)
        await session.select(named)
        await kept.execute("ALTER TABLE altered ADD COLUMN note text")
        for _ in range(2):
            error = await failure(session.select(everything))
            assert str(error).endswith(f"ERROR: {message}")
    async with config.provide_session() as session:
        assert await session.select_value(PID) == pid
        assert await failure(session.select(everything)) is not None
        assert await failure(session.select(named)) is None
    await getattr(config, close)()
    async with config.provide_session() as session:
        assert await session.select_value(PID) != pid
        assert await failure(session.select(everything)) is None
    assert await config.provide_pool() is not pool
    await config.close_pool()
    await kept.execute("DROP TABLE altered")
