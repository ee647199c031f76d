"""A pool of 2 under 500 tasks, with a limit of waiting."""

from __future__ import annotations

import asyncio

import psqlpy_adapter
from fault_tools import observing
from psqlpy_adapter.pool import PoolTimeoutError

TASKS = 500


async def test_each_of_500_tasks_has_its_row_or_an_error_that_says_why(dsn: str) -> None:
    config = psqlpy_adapter.PsqlpyConfig(
        connection_config={"dsn": dsn, "max_db_pool_size": 2, "pool_timeout_sec": 1}
    )
    most = 0

    async def insert(number: int) -> None:
        nonlocal most
        async with config.provide_session() as session:
            await session.execute("INSERT INTO served SELECT $1 FROM pg_sleep(0.01)", number)
            most = max(most, (await config.provide_pool()).status().size)

    async with observing(dsn) as observer:
        await observer.execute("CREATE TABLE served (n int PRIMARY KEY)")
        async with asyncio.timeout(60):
            outcomes = await asyncio.gather(
                *(insert(number) for number in range(TASKS)), return_exceptions=True
            )
        served = {number for number, outcome in enumerate(outcomes) if outcome is None}
        refused = [outcome for outcome in outcomes if outcome is not None]
        stored = {row["n"] for row in await observer.fetch("SELECT n FROM served")}
    assert stored == served
    assert served
    assert refused
    assert {type(outcome) for outcome in refused} == {PoolTimeoutError}
    assert most == 2
    async with asyncio.timeout(5), config.provide_session() as one, config.provide_session():
        assert await one.select_value("SELECT 1") == 1
    await config.close_pool()
