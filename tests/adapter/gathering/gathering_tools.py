"""What the tests of gathered statements share."""

from __future__ import annotations


async def is_grouped(session, statement: str) -> bool:
    grouping = session.describer.known(statement).batch
    return grouping is not None and grouping.is_checked(session) and grouping.usable(session)
