"""What the tests of gathered statements share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any


async def gather(session, *statements: Awaitable[Any]) -> list[Any]:
    """Await statements at once while the server is busy.

    psqlpy may answer one before the next is begun, and there is nothing to group then.
    """
    _, *answers = await asyncio.gather(session.select("SELECT pg_sleep(0.05)"), *statements)
    return answers


async def is_grouped(session, statement: str) -> bool:
    grouping = session.describer.known(statement).batch
    return grouping is not None and grouping.is_checked(session) and grouping.usable(session)
