"""Proofs of references/drop-in.md: behind a pooler."""

from __future__ import annotations

import asyncio

import pytest
from dropin_tools import answer, opened
from pooler_tools import Pooler
from proveskill import proves
from sqlspec.exceptions import DatabaseConnectionError
from watching_tools import ask

SAYS_SO = {"pooler_mode": "transaction"}


@proves(
    "Behind PgBouncer in transaction mode say so.",
    "The pool opens, and a pooler that does not track prepared statements (PgBouncer before "
    "{version}, or `{setting} = 0`) is refused before the first statement:",
    "use a pooler in transaction mode that does not track prepared statements.",
)
async def test_a_pooler_that_does_not_track_is_refused(version: str, setting: str, dsn) -> None:
    async with opened(dsn, SAYS_SO) as config:
        assert await answer(config) == 42
    async with Pooler(dsn, tracks=True) as pooler, opened(pooler.dsn, SAYS_SO) as config:
        numbers = range(20)
        asked = (answer(config, "SELECT $1::int", number) for number in numbers)
        assert await asyncio.gather(*asked) == list(numbers)
    async with Pooler(dsn, tracks=False) as pooler, opened(pooler.dsn, SAYS_SO) as config:
        with pytest.raises(DatabaseConnectionError, match="does not keep track") as raised:
            async with config.provide_session() as session:
                await session.execute("CREATE TABLE half_done (id int)")
    assert f"Use PgBouncer {version} or later with {setting} > 0" in str(raised.value)
    assert ask(dsn, "SELECT to_regclass('half_done')") is None
