"""Proofs of references/pooling.md: connections are opened, lent and returned."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import psqlpy
import pytest
from pooling_tools import backends
from proveskill import proves
from psqlpy.exceptions import ConnectionClosedError
from sqlspec.adapters.psqlpy import PsqlpyConfig
from watching_tools import PID, until


def of_size(dsn: str, size: int, name: str = "lending") -> PsqlpyConfig:
    settings = {"dsn": dsn, "max_db_pool_size": size, "application_name": name}
    return PsqlpyConfig(connection_config=settings)


@proves(
    "A new pool has no connection; each is opened when a session needs it.",
    "One session after another opens {count} connection only:",
)
async def test_a_pool_opens_what_is_needed(dsn: str, count: int) -> None:
    config = of_size(dsn, 4, "needed")
    await config.provide_pool()
    assert backends(dsn, "needed") == 0
    for _ in range(4):
        async with config.provide_session() as session:
            await session.select_value("SELECT 1")
    assert backends(dsn, "needed") == count
    async with AsyncExitStack() as stack:
        for held in range(1, 5):
            await stack.enter_async_context(config.provide_session())
            assert backends(dsn, "needed") == held
    assert (await config.provide_pool()).status().available == 4
    await config.close_pool()


@proves(
    "`{method}()` takes a connection from the pool and returns it at exit, also after an exception."
)
async def test_a_session_returns_its_connection(dsn: str, method: str) -> None:
    config = of_size(dsn, 2)
    pool = await config.provide_pool()
    provide = getattr(config, method)
    async with provide() as session:
        backend = await session.select_value(PID)
        assert pool.status().available == 0
    assert pool.status().available == 1

    async def fail() -> None:
        async with provide() as session:
            assert await session.select_value(PID) == backend
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert (pool.status().size, pool.status().available) == (1, 1)
    await config.close_pool()


@proves("psqlpy's own methods are those of `session.{attribute}`, and of what `{method}()` gives:")
async def test_psqlpy_s_own_methods(config: PsqlpyConfig, attribute: str, method: str) -> None:
    own = {name for name in dir(psqlpy.Connection) if name[0] != "_"}
    async with config.provide_session() as session:
        lent = getattr(session, attribute)
        assert own <= set(dir(lent))
        assert await lent.fetch_val("SELECT 41 + 1") == 42
    async with getattr(config, method)() as lent:
        assert own <= set(dir(lent))
        assert await lent.fetch_val("SELECT 41 + 1") == 42


@proves(
    "`{method}()` also takes a connection of the pool, and holds it until `{end}()`.",
    "It is no connection beside the pool.",
    adapter="stock",
)
async def test_create_connection_takes_one_of_the_pool(dsn: str, method: str, end: str) -> None:
    config = of_size(dsn, 2, "created")
    pool = await config.provide_pool()
    one, two = [await getattr(config, method)() for _ in range(2)]
    assert (pool.status().size, pool.status().available) == (2, 0)
    assert backends(dsn, "created") == 2
    third = asyncio.create_task(getattr(config, method)())
    await until(lambda: pool.status().waiting)
    getattr(one, end)()
    await until(third.done)
    with pytest.raises(ConnectionClosedError):
        await one.fetch_val("SELECT 1")
    third.result().close()
    two.close()
    assert (pool.status().size, pool.status().available) == (2, 2)
    await config.close_pool()


@proves(
    "Where `waiting` stays above 0, enlarge the pool or hold sessions for a shorter time.",
    "Then run a load test, and watch `status().waiting`: it counts the tasks that wait for a "
    "connection.",
    "`{method}()` enlarges a running pool, and a waiting task is served.",
)
async def test_waiting_tasks_are_counted_and_served(dsn: str, method: str) -> None:
    config = of_size(dsn, 2)
    pool = await config.provide_pool()

    async def one() -> int:
        async with config.provide_session() as session:
            return await session.select_value("SELECT 1")

    async with config.provide_session() as first:
        async with config.provide_session(), asyncio.timeout(5):
            for enlarged in (3, 4):
                tasks = [asyncio.create_task(one()) for _ in range(enlarged)]
                await until(lambda wanted=enlarged: pool.status().waiting == wanted)
                getattr(pool, method)(enlarged)
                assert await asyncio.gather(*tasks) == [1] * enlarged
                assert pool.status().waiting == 0
                getattr(pool, method)(2)
            tasks = [asyncio.create_task(one()) for _ in range(3)]
            await until(lambda: pool.status().waiting == 3)
        # A session that ends earlier is as good.
        assert await asyncio.gather(*tasks) == [1, 1, 1]
        assert pool.status().waiting == 0
        assert await first.select_value("SELECT 1") == 1
    await config.close_pool()


@proves(
    "Do not shrink with `{method}()`.",
    "It only closes connections that exceed the new size; a pool that was not full goes on "
    "handing out the old number.",
    adapter="stock",
)
async def test_resize_is_no_limit(dsn: str, method: str) -> None:
    for is_full in (True, False):
        config = of_size(dsn, 4, f"shrunk {is_full}")
        pool = await config.provide_pool()
        if is_full:
            for connection in [await config.create_connection() for _ in range(4)]:
                connection.close()
            assert backends(dsn, f"shrunk {is_full}") == 4
        getattr(pool, method)(2)
        assert pool.status().max_size == 2
        if is_full:
            await until(lambda: backends(dsn, "shrunk True") == 2)
        else:
            async with asyncio.timeout(5):
                held = [await config.create_connection() for _ in range(4)]
            assert backends(dsn, f"shrunk {is_full}") == 4
            for connection in held:
                connection.close()
        await config.close_pool()
