"""Blocks that are cancelled at any moments, one to three times, beside a neighbour task."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import psqlpy_adapter
import pytest
from fault_tools import observing

ROUNDS = 40
ADD = "INSERT INTO notes VALUES ($1, $2)"
NUMBERS = "SELECT g, $1::int FROM generate_series(1, 500) AS g"


class BusinessError(Exception):
    """What a block raises by itself."""


async def unit(session: Any, number: int, chance: random.Random) -> None:
    nested, fails, pause = chance.random() < 0.3, chance.random() < 0.3, chance.random() * 0.004
    async with session.transaction():
        await session.execute(ADD, number, "first")
        await session.execute("SELECT pg_sleep($1)::text", pause)
        if nested:
            async with session.transaction():
                await session.execute(ADD, number, "second")
        else:
            await session.execute(ADD, number, "second")
        if fails:
            raise BusinessError


async def neighbour(session: Any, chance: random.Random) -> None:
    kind, pause = chance.randrange(3), chance.random() * 0.01
    await asyncio.sleep(chance.random() * 0.008)
    if kind == 0:
        await session.execute("SELECT pg_sleep($1)::text", pause)
    elif kind == 1:
        async with session.select_stream(NUMBERS, (1,), chunk_size=50) as stream:
            async for _ in stream:
                pass
    else:
        await asyncio.gather(*(session.select_value("SELECT $1::int", n) for n in range(5)))


async def outcome_of(task: asyncio.Task[None]) -> BaseException | None:
    """Return what the task raised, with its notes, which gather() drops."""
    try:
        await task
    except (asyncio.CancelledError, BusinessError) as error:
        return error
    return None


@pytest.mark.parametrize("seed", range(4))
async def test_a_block_cancelled_at_any_moment_is_done_or_undone_and_the_session_idle(dsn, seed):
    chance = random.Random(seed)
    config = psqlpy_adapter.PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 1})
    async with config.provide_session() as session, observing(dsn) as observer:
        await session.execute_script("CREATE TABLE notes (id int, what text)")
        pid = session.checkout.backend_pid

        async def stored(number: int) -> list[str]:
            found = await observer.fetch("SELECT what FROM notes WHERE id = $1", number)
            return sorted(row["what"] for row in found)

        for number in range(ROUNDS):
            beside = asyncio.create_task(neighbour(session, chance))
            task = asyncio.create_task(unit(session, number, chance))
            await asyncio.sleep(chance.random() * 0.015)
            for _ in range(chance.randint(1, 3)):
                task.cancel()
                await asyncio.sleep(chance.choice([0, 0, 0.001, 0.003]))
            outcome = await outcome_of(task)
            await session.execute(ADD, number, "acknowledged")
            found = await stored(number)
            if outcome is None:
                assert found == ["acknowledged", "first", "second"]
            elif isinstance(outcome, BusinessError):
                assert found == ["acknowledged"]
            else:
                was_committed = "COMMIT was done" in "".join(getattr(outcome, "__notes__", ()))
                if found != ["acknowledged"]:
                    assert found == ["acknowledged", "first", "second"]
                    assert was_committed or "not known" in "".join(outcome.__notes__)
                assert not (was_committed and len(found) == 1)
            await asyncio.gather(beside, return_exceptions=True)
            async with asyncio.timeout(5):
                query = "SELECT state FROM pg_stat_activity WHERE pid = $1"
                while (state := await observer.fetchval(query, pid)) != "idle":
                    assert state in ("active", "idle in transaction"), state
            assert session.lane.idle
            assert not session._transaction_active
            assert session._transaction_depth == 0
    await config.close_pool()
