"""Proofs of references/pooling.md: several event loops, several threads, several tasks."""

from __future__ import annotations

import asyncio
import threading

import pytest
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig, PsqlpyDriver
from watching_tools import PID


@proves(
    "A config and its pool may be used in one `asyncio.run` after another, and in several threads "
    "with a loop each.",
    "They share the connections.",
)
def test_one_pool_under_many_loops(dsn: str) -> None:
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})

    async def backend() -> int:
        async with config.provide_session() as session:
            return await session.select_value(PID)

    async def work(found: list[int]) -> None:
        for _ in range(20):
            found.append(await backend())

    first, pool = asyncio.run(backend()), asyncio.run(config.provide_pool())
    assert asyncio.run(backend()) == first

    backends: list[int] = []
    threads = [threading.Thread(target=lambda: asyncio.run(work(backends))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(backends) == 80
    assert first in backends
    assert len(set(backends)) <= 2
    assert asyncio.run(config.provide_pool()) is pool
    asyncio.run(config.close_pool())


@proves(
    "Give each task a session of its own: tasks that share one share its transaction, see "
    "Concurrency.",
    "Statements gathered on one session share its transaction state.",
)
async def test_tasks_that_share_a_session_share_its_transaction(session: PsqlpyDriver) -> None:
    await session.execute("CREATE TABLE shared (n int)")
    begun, inserted = asyncio.Event(), asyncio.Event()

    async def one() -> None:
        async with session.transaction():
            begun.set()
            await inserted.wait()
            raise LookupError

    async def other() -> int:
        await begun.wait()
        done = await session.execute("INSERT INTO shared VALUES (1)")
        inserted.set()
        return done.rows_affected

    failed, count = await asyncio.gather(one(), other(), return_exceptions=True)
    with pytest.raises(LookupError):
        raise failed
    assert count == 1
    assert await session.select_value("SELECT count(*) FROM shared") == 0
