"""Proofs of references/best-practices.md: keepalives, and the limits of waits."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from best_practices_tools import failure
from configuration_tools import full_queue
from observing import until_asleep
from proveskill import proves
from psqlpy.exceptions import BaseConnectionPoolError
from socket_options import connected
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import DatabaseConnectionError, QueryTimeoutError
from watching_tools import PID, ask, until


def pool_of(dsn, **keys):
    return PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2, **keys})


async def options(dsn, **keys):
    """The options that the operating system has for the socket of a connection."""
    config = pool_of(dsn, **keys)
    async with config.provide_session() as session:
        found = connected()[await session.select_value("SELECT inet_client_port()")]
    await config.close_pool()
    return found


@proves(
    "`{idle}`, `{interval}` and `{retries}` are ignored without `{key}: {value}`.", adapter="stock"
)
async def test_keepalive_keys_need_their_switch(
    dsn, idle: str, interval: str, retries: str, key: str, value: bool
):
    times = {idle: 61, interval: 11, retries: 3}
    system = await options(dsn)
    assert await options(dsn, **times) == system
    found = await options(dsn, **times, **{key: value})
    assert (found.idle, found.interval, found.retries) == (61, 11, 3)


@proves(
    "{idle} s idle is the kernel's default already: set a time below the idle limit of the NAT or "
    "load balancer in between."
)
async def test_the_default_of_the_kernel(dsn, idle: int):
    assert (await options(dsn)).idle == idle
    assert (await options(dsn, keepalives=True, keepalives_idle_sec=60)).idle == 60


async def ends_a_connect(name, dsn):
    with full_queue() as nowhere:
        nanos = name.replace("_sec", "_nanosec")
        config = pool_of(nowhere, **{name: 0, nanos: 50_000_000})
        async with asyncio.timeout(10):
            error = await failure(take(config))
    return isinstance(error, BaseConnectionPoolError | DatabaseConnectionError)


async def take(config):
    async with config.provide_session() as session:
        return await session.select_value(PID)


async def ends_a_query(name, dsn):
    config = pool_of(dsn, options=f"-c {name}=20")
    async with config.provide_session() as session:
        error = await failure(session.execute("SELECT pg_sleep(1)"))
    await config.close_pool()
    return isinstance(error, QueryTimeoutError)


async def ends_a_wait_for_a_lock(name, dsn):
    lock = "SELECT count(*) FROM (SELECT FROM users WHERE id = 1 FOR UPDATE) AS locked"
    config = pool_of(dsn, options=f"-c {name}=20")
    async with config.provide_session() as one, config.provide_session() as other:
        await one.begin()
        await one.execute(lock)
        waiting = asyncio.create_task(failure(other.execute(lock)))
        await asyncio.wait([waiting], timeout=3)
        await one.rollback()
        error = await waiting
    await config.close_pool()
    return isinstance(error, QueryTimeoutError) and "lock timeout" in str(error)


async def ends_an_idle_transaction(name, dsn):
    alive = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"
    config = pool_of(dsn, options=f"-c {name}=20")
    async with config.provide_session() as session:
        pid = await session.select_value(PID)
        await session.begin()
        try:
            await asyncio.wait_for(until(lambda: not ask(dsn, alive, pid)), 3)
        finally:
            await failure(session.rollback())
    await config.close_pool()
    return True


LIMITS = {
    "TCP connect": ends_a_connect,
    "a query": ends_a_query,
    "a lock": ends_a_wait_for_a_lock,
    "a forgotten transaction": ends_an_idle_transaction,
}


@proves("{wait} | `{limit}`", table="Wait | Limit")
async def test_each_wait_has_its_limit(dsn, wait: str, limit: str):
    assert await LIMITS[wait](limit, dsn)


@proves("a dead peer | `{key}`, {keys}", table="Wait | Limit")
async def test_the_socket_options_that_give_up_a_dead_peer(dsn, key: str, keys: str):
    """Linux closes a socket after these times: of unanswered data, and of unanswered probes."""
    assert (await options(dsn, **{key: 7})).user == 7_000
    assert (await options(dsn, **{keys: True}, **{f"{keys}_idle_sec": 7})).idle == 7


@proves(
    "a pool slot, the login | `asyncio.timeout` around the acquisition",
    "Giving up the wait for a slot is clean; an attempt to connect to a silent server that you "
    "give up keeps its slot until `{end}()`.",
    adapter="stock",
    table="Wait | Limit",
)
async def test_what_a_given_up_acquisition_leaves(dsn, silent, end: str):
    config = pool_of(dsn)
    pool = await config.provide_pool()
    async with config.provide_session() as one, config.provide_session():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await take(config)
        pid = await one.select_value(PID)
    await until(lambda: pool.status().available == 2)
    assert (pool.status().size, pool.status().waiting) == (2, 0)
    async with config.provide_session() as one, config.provide_session() as two:
        assert pid in (await one.select_value(PID), await two.select_value(PID))
    await config.close_pool()

    mute = pool_of(silent.dsn, connect_timeout_sec=1)
    for number in (1, 2, 2):
        waiting = asyncio.create_task(take(mute))
        await until(lambda number=number: silent.accepted == number)
        await asyncio.wait([waiting], timeout=0.02)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert silent.accepted == 2
    await getattr(mute, end)()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(mute.close_pool)
        waiting = asyncio.create_task(take(mute))
        await until(lambda: silent.accepted == 3)
        waiting.cancel()
        await asyncio.wait([waiting])


@proves("Put no `asyncio.timeout` around a query: the server goes on with it.", adapter="stock")
async def test_the_server_goes_on_with_a_query_that_was_given_up(dsn, session):
    config = pool_of(dsn)
    async with config.provide_session() as worker:
        pid = await worker.select_value(PID)
        limit = asyncio.timeout(60)

        async def ask_slowly():
            async with limit:
                await worker.execute("SELECT pg_sleep(30)")

        asking = asyncio.create_task(failure(ask_slowly()))
        await until_asleep(session, pid)
        limit.reschedule(asyncio.get_running_loop().time())
        assert isinstance(await asking, TimeoutError | TypeError)
        look = "SELECT wait_event FROM pg_stat_activity WHERE pid = %s"
        assert ask(dsn, look, pid) == "PgSleep"
        ask(dsn, "SELECT pg_terminate_backend(%s)", pid)
    await config.close_pool()
