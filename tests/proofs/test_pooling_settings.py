"""Proofs of references/pooling.md: settings for every connection, and the hook that is none."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import psqlpy
from proveskill import proves
from psqlpy import ConnRecyclingMethod
from sqlspec.adapters.psqlpy import PsqlpyConfig
from watching_tools import PID

SHOW = "SHOW statement_timeout"


@proves(
    "Put it into `{key}`.",
    "It holds from the first statement of each connection, and survives `{reset}` and `{method}`.",
    section="pooling#apply-a-setting-to-every-connection",
)
async def test_options_hold_for_every_connection(
    dsn: str, key: str, reset: str, method: str
) -> None:
    recycling = getattr(ConnRecyclingMethod, method)
    config = PsqlpyConfig(
        connection_config={
            "dsn": dsn,
            "max_db_pool_size": 2,
            "conn_recycling_method": recycling,
            key: "-c statement_timeout=31s",
        }
    )
    async with config.provide_session() as one, config.provide_session() as two:
        assert await one.select_value(SHOW) == await two.select_value(SHOW) == "31s"
        await one.execute("SET statement_timeout = '5s'")
        await one.execute("SET application_name = 'changed'")
        assert await one.select_value(SHOW) == "5s"
        await one.execute(reset)
        assert await one.select_value(SHOW) == "31s"
        # It did what it is for.
        assert await one.select_value("SHOW application_name") != "changed"
        for session in (one, two):
            await session.execute("SET statement_timeout = '5s'")
    for _ in range(2):
        async with config.provide_session() as session:
            assert await session.select_value(SHOW) == "31s"
    await config.close_pool()


@proves(
    "`{hook}` does not run once per connection.",
    "SQLSpec remembers whom it has called it for by the `id()` of a wrapper that every session "
    "makes anew.",
    "So it runs again for a connection it has seen:",
    "And it is skipped for a new connection whose wrapper got the `id()` of one that is gone, so "
    "a setting made there is missing on some connections:",
    adapter="stock",
)
async def test_the_hook_runs_for_wrappers(dsn: str, hook: str) -> None:
    """Wrappers that are kept alive have ids of their own; once they are gone, ids come again."""
    wrappers: list[psqlpy.Connection] = []

    async def limit(connection: psqlpy.Connection) -> None:
        wrappers.append(connection)
        await connection.execute("SET statement_timeout = '30s'")

    config = PsqlpyConfig(
        connection_config={"dsn": dsn, "max_db_pool_size": 20}, driver_features={hook: limit}
    )
    backends, ids = set(), set()
    for _ in range(10):
        async with config.provide_session() as session:
            backends.add(await session.select_value(PID))
            ids.add(id(session.connection))
    assert (len(backends), len(wrappers), len(ids)) == (1, 10, 10)

    del session

    timeouts: set[str] = set()
    for held in [*range(2, 21)] * 5:  # an id comes again by chance
        if held == 2 and timeouts:
            await config.close_pool()  # and all connections are new
        wrappers.clear()
        async with AsyncExitStack() as stack:
            entered = (stack.enter_async_context(config.provide_session()) for _ in range(held))
            sessions = await asyncio.gather(*entered)
            now = {id(wrapper) for wrapper in wrappers}
            for one in sessions:
                timeout = await one.select_value(SHOW)
                timeouts.add(timeout)
                if timeout == "0":  # of a new connection, whose wrapper's id was seen before
                    assert id(one.connection) in ids - now
            ids |= {id(one.connection) for one in sessions}
        del one, entered
        sessions.clear()
        if "0" in timeouts:
            break
    assert timeouts == {"0", "30s"}
    await config.close_pool()
