"""Proofs of references/pooling.md: waiting for a connection, and for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pooling_tools import later
from proveskill import proves
from psqlpy import ConnectionPool
from psqlpy_adapter import PsqlpyConfig as DropIn
from psqlpy_adapter.pool import PoolTimeoutError
from relay import Relay
from sqlspec.adapters.psqlpy import PsqlpyConfig, PsqlpyDriver
from watching_tools import PID, until


async def open_pool(dsn: str, **keys: object) -> tuple[PsqlpyConfig, ConnectionPool]:
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2, **keys})
    return config, await config.provide_pool()


async def backend(config: PsqlpyConfig) -> int:
    async with config.provide_session() as session:
        return await session.select_value(PID)


@asynccontextmanager
async def acquire(config: PsqlpyConfig, seconds: float) -> AsyncIterator[PsqlpyDriver]:
    async with asyncio.timeout(seconds) as limit, config.provide_session() as session:
        limit.reschedule(None)
        yield session


@proves(
    "An exhausted pool raises nothing: the next session waits until one is returned.",
    "`connect_timeout_sec` does not limit this wait.",
    "Nothing limits that wait: put a limit around the acquisition.",
    adapter="stock",
)
async def test_the_wait_for_a_connection_has_no_limit(dsn: str) -> None:
    limit = {"connect_timeout_sec": 0, "connect_timeout_nanosec": 50_000_000}
    config, pool = await open_pool(dsn, **limit)
    async with config.provide_session(), config.provide_session() as second:
        held = await second.select_value(PID)
        waiting = asyncio.create_task(backend(config))
        await until(lambda: pool.status().waiting)
        await asyncio.wait({waiting}, timeout=0.1)
        assert not waiting.done()
        assert pool.status().waiting == 1
    assert await waiting == held
    await config.close_pool()


@proves(
    "Put a limit around the acquisition, and lift it once you hold the session:",
    "Giving up the wait for a connection of a full pool is clean, as the last lines show.",
)
async def test_giving_up_the_wait_is_clean(dsn: str) -> None:
    config, pool = await open_pool(dsn)
    async with acquire(config, 10), acquire(config, 10) as session:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with acquire(config, 0.01):
                    pass
        with later(11):  # the limits of the two were lifted
            assert await session.select_value("SELECT 1 FROM pg_sleep(0.01)") == 1
    async with acquire(config, 10) as one, acquire(config, 10) as two:
        assert await one.select_value(PID) != await two.select_value(PID)
    status = pool.status()
    assert (status.size, status.available, status.waiting) == (2, 2, 0)
    await config.close_pool()


@proves("It also counts those that gave up, until a connection is returned.", adapter="stock")
async def test_those_that_gave_up_are_counted(dsn: str) -> None:
    config, pool = await open_pool(dsn)
    async with config.provide_session():
        async with config.provide_session():
            for given_up in range(1, 4):
                with pytest.raises(TimeoutError):
                    async with acquire(config, 0.01):
                        pass
                assert pool.status().waiting == given_up
        await until(lambda: pool.status().waiting == 0)
        assert pool.status().available == 1
    await config.close_pool()


@proves("The limit also covers opening a connection.")
async def test_the_limit_covers_opening(dsn: str) -> None:
    async with Relay.before(dsn) as relay:
        relay.is_mute = True
        config, _ = await open_pool(relay.dsn(dsn))

        async def open_session() -> None:
            async with acquire(config, 60):
                pass

        task = asyncio.create_task(open_session())
        await until(lambda: relay.accepted)
        with later(61), pytest.raises(TimeoutError):
            await task
        await config.close_pool()


@proves(
    "But an attempt to connect that you give up keeps its place in the pool, if the server "
    "accepted it and says nothing.",
    "After `{size}` of them the pool connects no more, even if the server is well by then.",
    "Close the pool; the next session opens a new one:",
    adapter="stock",
)
async def test_attempts_that_were_given_up_keep_their_places(dsn: str, size: str) -> None:
    async with Relay.before(dsn) as relay:
        relay.is_mute = True
        settings = {"dsn": relay.dsn(dsn), size: 3}
        config = PsqlpyConfig(connection_config=settings)
        pool = await config.provide_pool()
        for number in range(1, 4):
            attempt = asyncio.create_task(backend(config))
            await until(lambda wanted=number: relay.swallowed == wanted)
            attempt.cancel()
            await asyncio.wait({attempt})
        relay.is_mute = False
        attempt = asyncio.create_task(backend(config))
        await until(lambda: pool.status().waiting)
        await asyncio.wait({attempt}, timeout=0.05)
        assert not attempt.done()
        assert relay.accepted == 3
        attempt.cancel()
        await asyncio.wait({attempt})

        await config.close_pool()
        async with asyncio.timeout(5):
            assert await backend(config) > 0
        assert relay.accepted == 4
        await config.close_pool()


@proves("The drop-in has a limit of its own, {seconds} s where none is given:")
async def test_the_limit_of_the_drop_in(dsn: str, seconds: int) -> None:
    """The clock of the loop is put forward."""
    config = DropIn(connection_config={"dsn": dsn, "max_db_pool_size": 1})
    pool = await config.provide_pool()
    async with config.provide_session():
        waiting = asyncio.create_task(backend(config))
        await until(lambda: pool.status().waiting)
        with later(seconds - 1):
            for _ in range(5):
                await asyncio.sleep(0)
            assert not waiting.done()
        with later(seconds):
            for _ in range(5):
                await asyncio.sleep(0)
            assert waiting.done()
        with pytest.raises(PoolTimeoutError, match="max_db_pool_size"):
            await waiting
    await config.close_pool()


@proves(
    "A task that holds a session and asks for another can wait for itself.",
    "As many such tasks as the pool has connections block each other for ever.",
    "A test with {count} task does not show it.",
    "A task that holds a session and opens another one can wait for ever: hand the open session "
    "on.",
    adapter="stock",
)
async def test_sessions_inside_of_sessions_block_each_other(dsn: str, count: int) -> None:
    config, pool = await open_pool(dsn)

    def start(number: int) -> list[asyncio.Task[int]]:
        everybody_holds = asyncio.Barrier(number)

        async def nested() -> int:
            async with config.provide_session():
                await everybody_holds.wait()
                return await backend(config)

        return [asyncio.create_task(nested()) for _ in range(number)]

    async def are_blocked(tasks: list[asyncio.Task[int]]) -> bool:
        def is_decided() -> bool:
            status = pool.status()
            is_full = (status.size, status.available, status.waiting) == (2, 0, len(tasks))
            return is_full or all(task.done() for task in tasks)

        await until(is_decided)
        return not any(task.done() for task in tasks)

    assert not await are_blocked(start(count))
    tasks = start(count + 1)
    assert await are_blocked(tasks)
    # All connections are held by tasks that wait for one: nobody can ever return any.
    assert (pool.status().max_size, pool.status().available) == (2, 0)
    await asyncio.wait(tasks, timeout=0.05)
    assert not any(task.done() for task in tasks)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await config.close_pool()


@proves("Pass the session on, and all of them come through:")
async def test_a_session_that_is_passed_on(dsn: str) -> None:
    config, pool = await open_pool(dsn)

    async def inner(session: PsqlpyDriver) -> int:
        return await session.select_value(PID)

    async def outer() -> bool:
        async with config.provide_session() as session:
            return await session.select_value(PID) == await inner(session)

    async with asyncio.timeout(5):
        assert await asyncio.gather(*(outer() for _ in range(20))) == [True] * 20
    assert pool.status().size == 2
    await config.close_pool()
