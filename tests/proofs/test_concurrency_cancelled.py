"""Proofs of references/concurrency.md: timeouts and cancellation in Python.

The queries wait for a lock that the test holds, and are given up once the server says so; a
timeout is made to end by putting the clock of the loop forward.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from pooling_tools import cancellable, later
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig, PsqlpyDriver
from watching_tools import PID, ask, becomes, until

STATE = "SELECT state FROM pg_stat_activity WHERE pid = %s"
BLOCKED = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE (wait_event_type = 'Lock' OR wait_event = 'PgSleep') AND datname = current_database()"
)
INSERT = "INSERT INTO late SELECT $1 FROM pg_advisory_xact_lock(4711)"
COUNT = "SELECT count(*) FROM late WHERE name = $1"


@contextmanager
def blocking(dsn: str) -> Iterator[None]:
    """Hold a lock for which INSERT waits while it runs."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS late (name text)")
        connection.execute("SELECT pg_advisory_lock(4711)")
        yield


async def insert(session: PsqlpyDriver, name: str) -> None:
    await session.execute(INSERT, name)


async def in_timeout(work: Coroutine[Any, Any, None]) -> None:
    async with asyncio.timeout(60):
        await work


async def in_wait_for(work: Coroutine[Any, Any, None]) -> None:
    await asyncio.wait_for(work, 60)


async def in_task(work: Coroutine[Any, Any, None]) -> None:
    await work


WAYS = {in_timeout: TimeoutError, in_wait_for: TimeoutError, in_task: asyncio.CancelledError}


async def give_up(dsn: str, way: Any, work: Coroutine[Any, Any, None]) -> None:
    """Run something until its query waits for the lock, and give it up; raises what comes of it."""
    task = asyncio.create_task(way(work))
    await until(lambda: ask(dsn, BLOCKED) or task.done())
    if way is in_task:
        task.cancel()
    with later(61 if way is not in_task else 0):
        await asyncio.wait({task})
    await task


@proves(
    "The first execution of a statement by a config answers `asyncio.timeout`, "
    "`asyncio.wait_for` and `task.cancel()` as asyncio promises.",
    "From the second on it raises `{error}`:",
    "Turn that `{error_again}` back into the cancellation, inside the timeout, around everything "
    "that uses the session:",
    adapter="stock",
)
async def test_what_timeouts_and_cancellation_raise(dsn: str, error: str, error_again: str) -> None:
    for way, promised in WAYS.items():
        config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})

        async def work(config: PsqlpyConfig = config) -> None:
            async with config.provide_session() as session:
                await insert(session, "cancelled")

        async def restored(config: PsqlpyConfig = config) -> None:
            async with cancellable(), config.provide_session() as session:
                await insert(session, "cancelled")

        for expected in (promised, TypeError, TypeError):
            with blocking(dsn), pytest.raises(expected) as raised:
                await give_up(dsn, way, work())
        assert raised.type.__name__ == error == error_again
        with blocking(dsn), pytest.raises(promised):
            await give_up(dsn, way, restored())
        await config.close_pool()


@proves(
    "A timeout or cancellation in Python does not reach the server.",
    "The query runs on there, and a write lands:",
    "The SELECT had to wait for the INSERT.",
    "The wrapper cures the class only: the query itself runs on.",
    adapter="stock",
)
async def test_an_abandoned_query_runs_on(dsn: str, session: PsqlpyDriver) -> None:
    async def wrapped(name: str) -> None:
        async with cancellable():
            await insert(session, name)

    pid = await session.select_value(PID)
    for way, promised in WAYS.items():
        for name in (f"{way.__name__} 1", f"{way.__name__} 2"):
            with blocking(dsn):
                with pytest.raises(promised):
                    await give_up(dsn, way, wrapped(name))
                assert ask(dsn, STATE, pid) == "active"
                select = asyncio.create_task(session.select_value(COUNT, name))
                await asyncio.wait({select}, timeout=0.02)
                assert not select.done()
            assert await select == 1


@proves(
    "So does the next session that gets this connection, which returns to the pool while it is "
    "busy.",
    "A cancelled `{block}()` block waits too, before its ROLLBACK:",
    adapter="stock",
)
async def test_what_waits_for_an_abandoned_query(dsn: str, block: str) -> None:
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    pool = await config.provide_pool()
    pids = []

    async def in_session() -> None:
        async with config.provide_session() as session:
            pids.append(await session.select_value(PID))
            await insert(session, "in a session")

    async def in_block() -> None:
        async with config.provide_session() as session:
            pids.append(await session.select_value(PID))
            async with getattr(session, block)():
                # A first execution, which is cancelled without a TypeError.
                await session.execute(INSERT.replace("$1", "'in a block'"))

    async def following() -> int:
        async with config.provide_session() as session:
            assert await session.select_value(PID) == pids[0]
            return await session.select_value(COUNT, "in a session")

    with blocking(dsn):
        with pytest.raises(asyncio.CancelledError):
            await give_up(dsn, in_task, in_session())
        assert pool.status().available == 1
        assert ask(dsn, STATE, pids[0]) == "active"
        count = asyncio.create_task(following())
        await asyncio.wait({count}, timeout=0.02)
        assert not count.done()
    assert await count == 1

    with blocking(dsn):
        task = asyncio.create_task(in_block())
        await until(lambda: ask(dsn, BLOCKED))
        task.cancel()
        await asyncio.wait({task}, timeout=0.02)
        assert not task.done()
        assert ask(dsn, STATE, pids[1]) == "active"
    await asyncio.wait({task})
    assert task.cancelled()
    assert await becomes(dsn, pids[1], "idle") == "idle"
    assert ask(dsn, "SELECT count(*) FROM late WHERE name = 'in a block'") == 0
    await config.close_pool()


@proves(
    "A running query that is given up this way runs on: bound it with `{setting}`, see "
    "Concurrency.",
    adapter="stock",
)
async def test_what_bounds_an_abandoned_query(dsn: str, setting: str) -> None:
    slow = "INSERT INTO late SELECT $1 FROM pg_sleep(0.3)"
    with blocking(dsn):
        pass  # the table is there
    for options, landed in (("-c application_name=unbounded", 1), (f"-c {setting}=250", 0)):
        config = PsqlpyConfig(
            connection_config={"dsn": dsn, "max_db_pool_size": 2, "options": options}
        )
        async with config.provide_session() as session:
            with pytest.raises(TimeoutError):
                await give_up(dsn, in_timeout, session.execute(slow, options))
            assert await session.select_value(COUNT, options) == landed
        await config.close_pool()
