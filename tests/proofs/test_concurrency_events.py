"""Proofs of references/concurrency.md: events by NOTIFY."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from event_tools import Ear, kill_listener, listeners
from proveskill import proves
from sqlspec import AsyncEventChannel
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import EventChannelError
from watching_tools import ask, until


@pytest.fixture
async def channel(config: PsqlpyConfig) -> AsyncIterator[AsyncEventChannel]:
    channel = AsyncEventChannel(config)
    yield channel
    await channel.shutdown()


@proves(
    "SQLSpec wraps LISTEN/NOTIFY in an event channel.",
    "The default backend is `{backend}`: nothing is stored, so a message without a listener is "
    "gone.",
)
async def test_the_default_backend_stores_nothing(
    dsn: str, channel: AsyncEventChannel, backend: str
) -> None:
    assert channel.backend_name == backend
    ear = Ear(dsn, "jobs")
    await channel.publish("jobs", {"number": 1})
    assert [json.loads(payload)["payload"] for payload in ear.heard()] == [{"number": 1}]
    ear.close()
    assert ask(dsn, "SELECT count(*) FROM pg_class WHERE relname LIKE '%%event%%queue%%'") == 0

    received: asyncio.Queue[int] = asyncio.Queue()
    channel.listen("jobs", lambda event: received.put(event.payload["number"]), poll_interval=0.05)
    await until(lambda: listeners(dsn))
    await channel.publish("jobs", {"number": 2})
    assert await asyncio.wait_for(received.get(), 5) == 2
    assert received.empty()


@proves(
    "A payload may have {limit} bytes, SQLSpec's JSON envelope included: send an id and let the "
    "receiver read the row."
)
async def test_the_size_of_payloads(dsn: str, channel: AsyncEventChannel, limit: int) -> None:
    ear = Ear(dsn, "jobs")
    await channel.publish("jobs", {"text": ""})
    (empty,) = ear.heard()
    room = limit - len(empty)
    await channel.publish("jobs", {"text": "x" * room})
    assert [len(payload) for payload in ear.heard()] == [limit]
    with pytest.raises(EventChannelError):
        await channel.publish("jobs", {"text": "x" * (room + 1)})
    assert ear.heard() == []
    ear.close()


@proves("PostgreSQL refuses a raw payload of {size} bytes:")
async def test_the_size_of_raw_payloads(dsn: str, size: int) -> None:
    import psycopg

    ask(dsn, "SELECT pg_notify('jobs', repeat('x', %s))", size - 1)
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="payload string too long"):
        ask(dsn, "SELECT pg_notify('jobs', repeat('x', %s))", size)


@proves(
    "A NOTIFY inside a transaction is sent at its COMMIT.",
    "Use SQL for that, since `{method}` opens a session of its own:",
)
async def test_notify_in_a_transaction(
    dsn: str, config: PsqlpyConfig, channel: AsyncEventChannel, method: str
) -> None:
    ear = Ear(dsn, "jobs")
    async with config.provide_session() as session:
        await session.begin()
        await session.execute("SELECT pg_notify('jobs', $1)", "first")
        assert ear.heard() == []
        await getattr(channel, method)("jobs", {"number": 2})
        assert [json.loads(payload)["payload"] for payload in ear.heard()] == [{"number": 2}]
        await session.commit()
        assert ear.heard() == ["first"]
        await session.begin()
        await session.execute("SELECT pg_notify('jobs', $1)", "undone")
        await session.rollback()
        assert ear.heard() == []
    ear.close()


@proves("Shut the channel down before the pool, or its listener opens a new pool:")
async def test_a_listener_opens_a_pool_again(dsn: str) -> None:
    for is_shut_down in (True, False):
        config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
        channel = AsyncEventChannel(config)
        listener = channel.listen("jobs", print, poll_interval=0.01)
        await until(lambda: listeners(dsn))
        pool = config.connection_instance
        if is_shut_down:
            await channel.stop_listener(listener.id)
            await channel.shutdown()
            await config.close_pool()
            assert listener.task.done()
            await until(lambda: not listeners(dsn))
            assert config.connection_instance is None
        else:
            await config.close_pool()
            await until(lambda old=pool, now=config: now.connection_instance not in (old, None))
            await until(lambda: listeners(dsn))
            await channel.shutdown()
            assert config.connection_instance is not None
            await config.close_pool()


@proves(
    "With the `{backend}` backend a listener whose connection dies stays silent for good: no "
    "error, no reconnect.",
    adapter="stock",
)
async def test_a_dead_listener_is_silent(dsn: str, config: PsqlpyConfig, backend: str) -> None:
    config.driver_features["events_backend"] = backend
    channel = AsyncEventChannel(config)
    received: list[int] = []
    listener = channel.listen(
        "jobs", lambda event: received.append(event.payload["number"]), poll_interval=0.01
    )
    await until(lambda: listeners(dsn))
    await channel.publish("jobs", {"number": 1})
    await until(lambda: received)
    await until(lambda: kill_listener(dsn))
    for number in range(2, 7):
        await channel.publish("jobs", {"number": number})
        await asyncio.wait({listener.task}, timeout=0.03)
    assert received == [1]
    assert not listener.task.done()
    assert listeners(dsn) == 0
    await channel.stop_listener(listener.id)
    await channel.shutdown()
