"""Proofs of references/configuration.md: what bounds a wait, and what does not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from configuration_tools import database_of, value
from observing import until_asleep
from proveskill import proves
from psqlpy import SslMode
from silent_tools import Silent
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import QueryTimeoutError
from watching_tools import until

ALL_LIMITS = {
    "connect_timeout_sec": 0,
    "connect_timeout_nanosec": 50_000_000,
    "tcp_user_timeout_sec": 0,
    "tcp_user_timeout_nanosec": 50_000_000,
    "options": "-c statement_timeout=50 -c lock_timeout=50 -c authentication_timeout=50",
    "max_db_pool_size": 2,
}


async def gives_up(
    config: PsqlpyConfig, seconds: float, begun: Callable[[], bool] = lambda: True
) -> bool:
    """Whether the wait for a session goes on until it is given up, some time after it has begun."""
    stack = AsyncExitStack()
    waiting = asyncio.create_task(stack.enter_async_context(config.provide_session()))
    await until(begun)
    ended, _ = await asyncio.wait([waiting], timeout=seconds)
    if ended:
        await stack.aclose()
        return False
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    return True


@proves(
    "the TLS handshake and the login | no key: bound the wait",
    adapter="stock",
    table="What takes long | What bounds it",
)
@proves(
    "`connect_timeout_sec` and `tcp_user_timeout_sec` do not end the wait for a silent server:",
    "An attempt that you gave up keeps its place in the pool until `close_pool()`: Pooling.",
    adapter="stock",
)
async def test_no_key_bounds_the_wait_for_a_silent_server(silent: Silent) -> None:
    for mode in (SslMode.Require, SslMode.Disable):
        silent.accepted = 0
        keys = {**ALL_LIMITS, "dsn": silent.dsn, "ssl_mode": mode}
        config = PsqlpyConfig(connection_config=keys)
        for number in (1, 2):
            assert await gives_up(config, 0.1, lambda number=number: silent.accepted == number)
        # The two attempts have the two places; the third one does not even begin.
        assert await gives_up(config, 0.1)
        assert silent.accepted == 2
        await config.close_pool()
        assert await gives_up(config, 0.1, lambda: silent.accepted == 3)
        await config.close_pool()


@proves(
    "a free connection of the pool | no key: bound the wait",
    "{count} waits have no key: for a free connection, and for a server that accepts and then "
    "says nothing.",
    "Put a limit around the acquisition only:",
    adapter="stock",
    table="What takes long | What bounds it",
)
async def test_no_key_bounds_the_wait_for_a_free_connection(
    dsn: str, silent: Silent, count: int
) -> None:
    full = PsqlpyConfig(connection_config={**ALL_LIMITS, "options": "", "dsn": dsn})
    mute = PsqlpyConfig(connection_config={**ALL_LIMITS, "dsn": silent.dsn})
    async with full.provide_session() as session, full.provide_session():
        given_up = [await gives_up(full, 0.2), await gives_up(mute, 0.2)]
        assert await session.select_value("SELECT current_database()") == database_of(dsn)
    assert given_up.count(True) == count
    assert not await gives_up(full, 10)
    await full.close_pool()
    await mute.close_pool()


@proves("a statement | `options`: `{name}`", table="What takes long | What bounds it")
async def test_a_statement_is_bounded(dsn: str, name: str) -> None:
    with pytest.raises(QueryTimeoutError, match="statement timeout"):
        await value("SELECT pg_sleep(1)", dsn=dsn, options=f"-c {name}=20")


@proves("a lock | `options`: `{name}`", table="What takes long | What bounds it")
async def test_a_lock_is_bounded(dsn: str, session: Any, name: str) -> None:
    lock = "SELECT count(*) FROM (SELECT id FROM users WHERE id = 1 FOR UPDATE) AS locked"
    async with session.transaction():
        await session.select_value(lock)
        with pytest.raises(QueryTimeoutError, match="lock timeout"):
            async with asyncio.timeout(3):
                await value(lock, dsn=dsn, options=f"-c {name}=20")


@proves(
    "an open transaction that does nothing | `options`: `{name}`",
    table="What takes long | What bounds it",
)
async def test_an_idle_transaction_is_bounded(dsn: str, session: Any, name: str) -> None:
    keys = {"dsn": dsn, "max_db_pool_size": 2, "options": f"-c {name}=20"}
    config = PsqlpyConfig(connection_config=keys)
    raw = await (await config.provide_pool()).connection()
    await raw.execute("BEGIN")
    pid = (await raw.fetch("SELECT pg_backend_pid() AS pid")).result()[0]["pid"]
    alive = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1"
    async with asyncio.timeout(3):
        while left := await session.select_value(alive, pid):
            pass
    assert left == 0
    raw.close()
    await config.close_pool()


@proves(
    "Set `{name}` on the server rather than cancelling in Python: after an `asyncio.timeout` the "
    "server goes on with the query, see Concurrency.",
    adapter="stock",
)
async def test_the_server_goes_on_after_a_timeout_in_python(
    dsn: str, session: Any, name: str
) -> None:
    busy = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND state = 'active'"
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    limits = []

    async def ask(worker: Any) -> None:
        async with asyncio.timeout(60) as limit:
            limits.append(limit)
            await worker.select_value("SELECT pg_sleep(30)")

    async with config.provide_session() as worker:
        pid = await worker.select_value("SELECT pg_backend_pid()")
        asking = asyncio.create_task(ask(worker))
        await until_asleep(session, pid)
        limits[0].reschedule(asyncio.get_running_loop().time())
        with pytest.raises((TimeoutError, TypeError)):
            await asking
        assert await session.select_value(busy, pid) == 1
        await session.select_value("SELECT pg_terminate_backend($1, 5000)", pid)
    async with config.provide_session() as worker:
        await worker.execute(f"SET {name} = 20")
        pid = await worker.select_value("SELECT pg_backend_pid()")
        with pytest.raises(QueryTimeoutError):
            await worker.select_value("SELECT pg_sleep(30)")
        async with asyncio.timeout(5):
            while left := await session.select_value(busy, pid):
                pass
        assert left == 0
    await config.close_pool()
