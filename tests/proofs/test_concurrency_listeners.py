"""Proofs of references/concurrency.md: listening with psqlpy itself."""

from __future__ import annotations

import asyncio

import psqlpy.exceptions
import pytest
from event_tools import kill_listener, listeners
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig
from watching_tools import ask, until

NOTIFY = "SELECT pg_notify('jobs', %s)"


async def ignore(connection: object, payload: str, channel: str, process_id: int) -> None:
    """Do nothing."""


@proves("`pool.{method}()` opens a connection of its own; it takes no slot of the pool.")
async def test_a_listener_has_a_connection_of_its_own(dsn: str, method: str) -> None:
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    pool = await config.provide_pool()
    async with config.provide_session(), config.provide_session(), asyncio.timeout(5):
        listener = getattr(pool, method)()
        await listener.add_callback(channel="jobs", callback=ignore)
        await listener.startup()
        listener.listen()
        await until(lambda: listeners(dsn))
        assert (pool.status().size, pool.status().available) == (2, 0)
    await listener.shutdown()
    await config.close_pool()


@proves(
    "Iterate it: the iteration raises `{error}` when the connection dies, so a loop can start "
    "again.",
    adapter="stock",
)
async def test_the_iteration_raises(dsn: str, config: PsqlpyConfig, error: str) -> None:
    pool = await config.provide_pool()
    for text in ("one", "two"):
        listener = pool.listener()
        await listener.add_callback(channel="jobs", callback=ignore)
        await listener.startup()
        message = asyncio.ensure_future(anext(listener))
        await until(lambda: listeners(dsn))
        ask(dsn, NOTIFY, text)
        assert (await asyncio.wait_for(message, 5)).payload == text
        message = asyncio.ensure_future(anext(listener))
        await asyncio.sleep(0)
        assert kill_listener(dsn)
        with pytest.raises(psqlpy.Error) as raised:
            await asyncio.wait_for(message, 5)
        assert raised.type is getattr(psqlpy.exceptions, error)
        await listener.shutdown()


@proves(
    "The other form, `listener.{method}()` with a callback, goes silent instead, and "
    "`{attribute}` stays `{value}`:",
    adapter="stock",
)
async def test_callbacks_go_silent(
    dsn: str, config: PsqlpyConfig, method: str, attribute: str, value: str
) -> None:
    heard: list[str] = []

    async def hear(connection: object, payload: str, channel: str, process_id: int) -> None:
        heard.extend((payload, channel))

    pool = await config.provide_pool()
    listener = pool.listener()
    await listener.add_callback(channel="jobs", callback=hear)
    await listener.startup()
    getattr(listener, method)()
    await until(lambda: listeners(dsn))
    ask(dsn, NOTIFY, "one")
    await until(lambda: "one" in heard)
    heard.clear()
    assert kill_listener(dsn)
    for _ in range(5):
        ask(dsn, NOTIFY, "two")
        await asyncio.sleep(0.01)
    assert heard == []
    assert listeners(dsn) == 0
    assert str(getattr(listener, attribute)) == value
    await listener.shutdown()
