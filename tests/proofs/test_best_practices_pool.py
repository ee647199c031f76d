"""Proofs of references/best-practices.md: size, recycling and start of a pool."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import psqlpy
import pytest
from best_practices_tools import OPEN, Tap, cores, failure, run_apart
from proveskill import proves
from psqlpy import ConnRecyclingMethod
from psqlpy.exceptions import BaseConnectionPoolError, ConnectionPoolConfigurationError
from relay import Relay
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import DatabaseConnectionError
from watching_tools import PID, ask, until


def pool_of(dsn, size=2, **keys):
    return PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": size, **keys})


@proves(
    "Set `{key}` (at least {least}): the default is {factor} for each core of the machine.",
    adapter="stock",
)
async def test_the_least_size_and_the_default(dsn, key: str, least: int, factor: int):
    for size in (least - 1, 0):
        config = PsqlpyConfig(connection_config={"dsn": dsn, key: size})
        with pytest.raises(ConnectionPoolConfigurationError):
            await config.provide_pool()
    config = PsqlpyConfig(connection_config={"dsn": dsn, key: least})
    assert (await config.provide_pool()).status().max_size == least
    await config.close_pool()
    assert psqlpy.ConnectionPool(dsn=dsn).status().max_size == factor * cores()


@proves("The pool opens connections only when it needs them, and never more than that number.")
async def test_connections_are_opened_when_needed(dsn):
    config = pool_of(dsn, 3, application_name="needed")
    await config.provide_pool()
    assert ask(dsn, OPEN, "needed") == 0
    async with AsyncExitStack() as stack:
        for held in (1, 2, 3):
            await stack.enter_async_context(config.provide_session())
            assert ask(dsn, OPEN, "needed") == held
        more = asyncio.create_task(backend(config))
        await asyncio.wait([more], timeout=0.05)
        assert not more.done()
        assert ask(dsn, OPEN, "needed") == 3
    await more
    await config.close_pool()


async def backend(config):
    async with config.provide_session() as session:
        return await session.select_value(PID)


OTHER_PROCESS = """
import asyncio, os, psqlpy, sys

async def main():
    name = "processes"
    pool = psqlpy.ConnectionPool(dsn=sys.argv[1], max_db_pool_size=2, application_name=name)
    one, two = await pool.connection(), await pool.connection()
    print(await one.fetch_val(sys.argv[2].replace("%s", "$1"), [name]), flush=True)
    os._exit(0)

asyncio.run(main())
"""


@proves("Every process has its own pool: keep processes × pool size below `{limit}`.")
async def test_every_process_has_its_own_pool(dsn, limit: str):
    config = pool_of(dsn, 2, application_name="processes")
    async with config.provide_session(), config.provide_session():
        assert ask(dsn, OPEN, "processes") == 2
        assert run_apart(OTHER_PROCESS, dsn, OPEN).stdout.strip() == "4"
    await config.close_pool()
    described = "SELECT name FROM pg_settings WHERE short_desc LIKE %s"
    assert ask(dsn, described, "Sets the maximum number of concurrent connections.") == limit


@proves(
    "No size, 20-30 included, fits every load: run a load test and watch `status().{number}`, the "
    "number of tasks that wait for a connection."
)
async def test_waiting_tasks_are_counted(dsn, number: str):
    for size, tasks in ((20, 20), (20, 23)):
        config = pool_of(dsn, size)
        pool, over = await config.provide_pool(), asyncio.Event()

        async def work(config=config, over=over):
            async with config.provide_session():
                await over.wait()

        load = [asyncio.create_task(work()) for _ in range(tasks)]
        await until(lambda pool=pool, size=size: pool.status().size == size)
        waiting = max(0, tasks - size)
        await until(lambda pool=pool, waiting=waiting: pool.status().waiting == waiting)
        assert getattr(pool.status(), number) == waiting
        over.set()
        await asyncio.gather(*load)
        assert getattr(pool.status(), number) == 0
        await config.close_pool()


async def hands_out_the_dead(dsn, method, tries):
    """Whether a session gets a connection whose end the client was just told."""
    config = pool_of(dsn, **method)
    found = []
    for _ in range(tries):
        async with config.provide_session() as session:
            await failure(session.execute("SELECT pg_terminate_backend(pg_backend_pid())"))
        if isinstance(await failure(backend(config)), DatabaseConnectionError):
            found.append(True)
            break
    await config.close_pool()
    return bool(found)


def by(name):
    return {"conn_recycling_method": getattr(ConnRecyclingMethod, name)}


@proves(
    "Take `{safe}`: `{fast}`, the default, may hand out a connection that died a moment ago.",
    adapter="stock",
)
async def test_which_method_hands_out_dead_connections(dsn, safe: str, fast: str):
    assert await hands_out_the_dead(dsn, {}, 200)
    assert await hands_out_the_dead(dsn, by(fast), 200)
    assert not await hands_out_the_dead(dsn, by(safe), 20)
    assert await left_behind(dsn, by(safe)) == ["SET", "table", "lock"]


LEFT = {
    "SET": ("SET work_mem = '3MB'", "SELECT current_setting('work_mem') = '3MB'"),
    "table": ("CREATE TEMP TABLE scratch (n int)", "SELECT to_regclass('scratch') IS NOT NULL"),
    "lock": (
        "SELECT pg_advisory_lock(4711)::text",
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' "
        "AND pid = pg_backend_pid())",
    ),
}


async def left_behind(dsn, method):
    """What the next session finds of what a session has left."""
    config = pool_of(dsn, **method)
    async with config.provide_session() as session:
        pid = await session.select_value(PID)
        for change, _ in LEFT.values():
            await session.execute(change)
    async with config.provide_session() as session:
        left = [name for name, (_, look) in LEFT.items() if await session.select_value(look)]
        again = await session.select_value(PID)
    await config.close_pool()
    return left if pid == again else [None]


@proves(
    "Both hand the settings of a session to the next one; take `{clean}`, which resets them, when "
    "any code runs `SET`, creates temporary tables or takes advisory locks."
)
async def test_what_sessions_leave_to_the_next(dsn, clean: str):
    for method in ({}, by("Fast"), by("Verified")):
        assert await left_behind(dsn, method) == ["SET", "table", "lock"]
    assert await left_behind(dsn, by(clean)) == []


@proves("Either costs {count} round trip when a session takes a used connection.", adapter="stock")
async def test_what_recycling_sends(dsn, count: int):
    sent = []
    for method in ("Verified", "Clean", "Fast"):
        async with Tap.before(dsn) as tap:
            config = pool_of(tap.dsn(dsn), **by(method))
            await backend(config)
            tap.packets.clear()
            async with config.provide_session():
                sent.append(len(tap.packets))
            await config.close_pool()
    assert sent == [count, count, 0]


@proves(
    "There is no minimum size; `PsqlpyConfig()` neither connects nor checks a setting.",
    "Open the sessions yourself: this also turns a wrong setting into a failed start.",
    adapter="stock",
)
async def test_only_a_session_connects_and_checks(dsn):
    async with Relay.before(dsn) as relay:
        config = pool_of(relay.dsn(dsn), 3, application_name="started")
        await config.provide_pool()
        assert (relay.accepted, ask(dsn, OPEN, "started")) == (0, 0)
        async with AsyncExitStack() as stack:
            for _ in range(3):
                await stack.enter_async_context(config.provide_session())
        assert (relay.accepted, ask(dsn, OPEN, "started")) == (3, 3)
        await config.close_pool()
    for wrong, error in (
        (pool_of(dsn, min_size=4), TypeError),
        (pool_of(dsn, min_db_pool_size=4), TypeError),
        (pool_of(dsn, ssl_mode="prefer"), TypeError),
        (pool_of(dsn, 1), ConnectionPoolConfigurationError),
        (pool_of(dsn + "_typo"), BaseConnectionPoolError),
    ):
        assert type(await failure(backend(wrong))) is error
