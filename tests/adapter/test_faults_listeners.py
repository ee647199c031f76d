"""Listeners: whose connection is lost, and what is sent while they begin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psqlpy_adapter
import pytest
from fault_tools import DEADLINE, terminate, whole_pool


@pytest.fixture
async def config(dsn: str) -> AsyncIterator[psqlpy_adapter.PsqlpyConfig]:
    async with whole_pool(dsn) as config:
        yield config


class Ear:
    """A listener, and what it has heard."""

    def __init__(self, listener: Any) -> None:
        self.listener = listener
        self.heard: asyncio.Queue[str] = asyncio.Queue()

    async def hear(self, _connection, payload, _channel, _pid) -> None:
        await self.heard.put(payload)

    async def until_heard(self, observer, word: str) -> None:
        """Send a word again and again, until it is heard."""
        async with asyncio.timeout(DEADLINE):
            while True:
                await observer.execute("SELECT pg_notify('news', $1)", word)
                try:
                    if await asyncio.wait_for(self.heard.get(), 0.2) == word:
                        return
                except TimeoutError:
                    continue


@asynccontextmanager
async def listening(config) -> AsyncIterator[Ear]:
    """A listener to "news" that is started and does not listen yet."""
    ear = Ear((await config.provide_pool()).listener())
    await ear.listener.startup()
    try:
        await ear.listener.add_callback("news", ear.hear)
        yield ear
    finally:
        await ear.listener.shutdown()


async def test_a_channel_is_listened_to_when_its_callback_has_been_added(config, observer):
    async with listening(config) as ear:
        await observer.execute("SELECT pg_notify('news', 'early')")
        ear.listener.listen()
        assert await asyncio.wait_for(ear.heard.get(), DEADLINE) == "early"


async def test_a_listener_goes_on_listening(config, observer):
    async with listening(config) as ear:
        ear.listener.listen()
        await ear.until_heard(observer, "before")
        found = "SELECT pid FROM pg_stat_activity WHERE query ILIKE 'LISTEN %'"
        await terminate(observer, await observer.fetchval(found))
        await ear.until_heard(observer, "after")


async def test_a_channel_added_to_a_listener_at_work_is_heard_at_once(config, observer):
    """psqlpy listens to it when the next message of another channel comes."""
    async with listening(config) as ear:
        ear.listener.listen()
        await ear.until_heard(observer, "before")
        await ear.listener.add_callback("sports", ear.hear)
        await observer.execute("NOTIFY sports, 'won'")
        async with asyncio.timeout(DEADLINE):
            while await ear.heard.get() != "won":
                pass
