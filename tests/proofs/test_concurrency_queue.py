"""Proofs of references/concurrency.md: events that wait in a table."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from event_tools import Ear, kill_listener, listeners
from proveskill import proves
from sqlspec import AsyncEventChannel
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.adapters.psqlpy.events import PsqlpyEventQueueStore
from watching_tools import ask, until

STORED = "SELECT count(*) FROM sqlspec_event_queue WHERE channel = %s AND status = %s"
Open = Callable[[str], Awaitable[AsyncEventChannel]]


@pytest.fixture
async def open_channel(dsn: str) -> AsyncIterator[Open]:
    """Open event channels on a backend, with the table of the queue."""
    opened: list[tuple[AsyncEventChannel, PsqlpyConfig]] = []

    async def open_channel(backend: str) -> AsyncEventChannel:
        config = PsqlpyConfig(
            connection_config={"dsn": dsn, "max_db_pool_size": 4},
            driver_features={"events_backend": backend},
            extension_config={"events": {}},
        )
        if not ask(dsn, "SELECT to_regclass('sqlspec_event_queue') IS NOT NULL"):
            async with config.provide_session() as session:
                for statement in PsqlpyEventQueueStore(config).create_statements():
                    await session.execute_script(statement)
        opened.append((AsyncEventChannel(config), config))
        return opened[-1][0]

    yield open_channel
    for channel, config in opened:
        await channel.shutdown()
        await config.close_pool()


def following(channel: AsyncEventChannel, name: str, poll_interval: float) -> asyncio.Task[Any]:
    return asyncio.ensure_future(anext(channel.iter_events(name, poll_interval=poll_interval)))


@proves(
    "The `{backend}` backend stores each event in a table, wakes by NOTIFY, and polls the table "
    "when no wake-up comes."
)
async def test_the_queue_stores_wakes_and_polls(dsn: str, open_channel: Open, backend: str) -> None:
    channel = await open_channel(backend)
    ear = Ear(dsn, "stored")
    await channel.publish("stored", {"number": 1})
    assert len(ear.heard()) == 1
    assert ask(dsn, STORED, "stored", "pending") == 1
    ear.close()

    # It looks into the table every minute only. SQLSpec asks by a message of its own whether it is
    # heard, and waits that minute for it if it was sent too early, which happens now and then.
    for attempt in range(5):
        channel = await open_channel(backend)
        listening = listeners(dsn)
        event = following(channel, f"woken{attempt}", 60)
        await until(lambda before=listening: listeners(dsn) > before)
        await channel.publish(f"woken{attempt}", {"number": 2})
        with suppress(TimeoutError):
            assert (await asyncio.wait_for(event, 5)).payload == {"number": 2}
            break
    else:
        pytest.fail("nothing woke it in five attempts")

    silent = await open_channel("poll_queue")
    ear = Ear(dsn, "polled")
    await silent.publish("polled", {"number": 3})
    assert ear.heard() == []
    ear.close()
    event = following(channel, "polled", 0.02)
    assert (await asyncio.wait_for(event, 5)).payload == {"number": 3}


@proves("It delivers what was published while the listener was dead or not yet started:")
async def test_the_queue_outlives_a_listener(dsn: str, open_channel: Open) -> None:
    channel = await open_channel("notify_queue")
    await channel.publish("early", {"number": 1})
    events = channel.iter_events("early", poll_interval=0.02)
    event = await asyncio.wait_for(anext(events), 5)
    assert event.payload == {"number": 1}
    await channel.ack(event.event_id)
    await until(lambda: kill_listener(dsn))
    await channel.publish("early", {"number": 2})
    event = await asyncio.wait_for(anext(events), 5)
    assert event.payload == {"number": 2}
    await channel.ack(event.event_id)


@proves(
    "`{method}` each handled event: an unacknowledged one is delivered again when its lease ends."
)
async def test_unacknowledged_events_come_again(dsn: str, open_channel: Open, method: str) -> None:
    end_lease = (
        "UPDATE sqlspec_event_queue SET lease_expires_at = now() - interval '1 second' "
        "WHERE channel = 'leased' AND status = 'leased' RETURNING event_id"
    )
    channel = await open_channel("notify_queue")
    await channel.publish("leased", {"number": 1})
    first = await asyncio.wait_for(following(channel, "leased", 0.01), 5)
    again = following(channel, "leased", 0.01)
    await asyncio.wait({again}, timeout=0.05)
    assert not again.done()
    assert ask(dsn, end_lease) == first.event_id
    assert (await asyncio.wait_for(again, 5)).event_id == first.event_id
    await getattr(channel, method)(first.event_id)
    assert ask(dsn, end_lease) is None
    assert ask(dsn, STORED, "leased", "acked") == 1
