"""Proofs of references/pooling.md: recycling methods and connections that just died."""

from __future__ import annotations

import pytest
from proveskill import proves
from recycling_tools import METHODS, using
from sqlspec.exceptions import DatabaseConnectionError


async def hands_out_the_dead(method: str, dsn: str, tries: int) -> bool:
    """Whether a session gets a connection whose end the client was just told."""
    config = using(method, dsn)
    found = False
    for _ in range(tries):
        async with config.provide_session() as session:
            with pytest.raises(DatabaseConnectionError):
                await session.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        try:
            async with config.provide_session() as session:
                await session.select_value("SELECT 1")
        except DatabaseConnectionError:
            found = True
            break
    await config.close_pool()
    return found


@proves(
    "connection that died a moment ago | {fast} | {verified} | {clean}",
    adapter="stock",
    table=" | `Fast` (default) | `Verified` | `Clean`",
)
async def test_connections_that_just_died(dsn: str, fast: str, verified: str, clean: str) -> None:
    found = [
        await hands_out_the_dead(method, dsn, tries)
        for method, tries in zip(METHODS, (100, 10, 10), strict=True)
    ]
    words = {True: "may be handed out", False: "replaced"}
    assert [words[is_dead] for is_dead in found] == [fast, verified, clean]


@proves(
    "With `{careless}` the pool can hand out a connection that has just died, and the first "
    "statement of a fresh session fails.",
    "`{one}` and `{other}` replace it.",
    adapter="stock",
)
async def test_methods_and_the_dead(dsn: str, careless: str, one: str, other: str) -> None:
    assert await hands_out_the_dead(careless, dsn, 100)
    assert not await hands_out_the_dead(one, dsn, 25)
    assert not await hands_out_the_dead(other, dsn, 25)
    assert one != other
