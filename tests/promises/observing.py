"""What a test sees of another backend."""

from __future__ import annotations

import asyncio
from typing import Any


async def until_asleep(observer: Any, pid: int) -> None:
    """Wait until a backend sleeps in pg_sleep; while it parses, nothing is even sent yet."""
    query = "SELECT wait_event FROM pg_stat_activity WHERE pid = $1 AND state = 'active'"
    async with asyncio.timeout(10):
        while await observer.select_value_or_none(query, pid) != "PgSleep":
            pass  # every look is a round trip, in which the other tasks go on
