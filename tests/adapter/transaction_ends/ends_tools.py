"""What tests of the ends of transactions wait for and look at."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

ADD = "INSERT INTO notes VALUES ($1)"


async def stored(observer: Any) -> list[int]:
    return [row["id"] for row in await observer.fetch("SELECT id FROM notes ORDER BY id")]


async def state_of(observer: Any, session: Any) -> str:
    pid = session.checkout.backend_pid
    return await observer.fetchval("SELECT state FROM pg_stat_activity WHERE pid = $1", pid)


async def until_idle(observer: Any, session: Any) -> None:
    async with asyncio.timeout(5):
        while await state_of(observer, session) != "idle":  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def until_queued(session: Any, neighbour: list[Any], count: int = 1) -> None:
    """Wait until so many wait for their turn behind the neighbour."""
    async with asyncio.timeout(5):
        while not neighbour or len(session.lane._queue) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def fail_inside(session: Any, add: int) -> None:
    async def unit() -> None:
        async with session.transaction():
            await session.execute(ADD, add)
            raise LookupError

    with pytest.raises(LookupError):
        await unit()
