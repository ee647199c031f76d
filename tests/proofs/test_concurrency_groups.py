"""Proofs of references/concurrency.md: what a failing task does to its siblings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext

import pytest
from pooling_tools import cancellable
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig
from watching_tools import PID, ask, until

SLEEPS = "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = %s"


async def run_group(
    dsn: str, config: PsqlpyConfig, around: Callable[[], AbstractAsyncContextManager[None]]
) -> list[str]:
    """Let a task fail beside a cached statement; return what the group raised."""
    pids: list[int] = []
    siblings = []

    async def slow(seconds: float) -> None:
        async with around(), config.provide_session() as session:
            pids.append(await session.select_value(PID))
            await session.select("SELECT pg_sleep($1::text::float8)::text", str(seconds))

    async def broken() -> None:
        await until(lambda: pids and ask(dsn, SLEEPS, pids[-1]))
        raise LookupError

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            siblings.append(group.create_task(slow(0.2)))
            group.create_task(broken())

    for _ in range(2):
        await slow(0)
    pids.clear()
    with pytest.raises(ExceptionGroup) as raised:
        await run()
    assert all(task.done() for task in siblings)
    return sorted(type(error).__name__ for error in raised.value.exceptions)


@proves(
    "A failing task cancels its siblings.",
    "Each sibling inside a cached statement then adds a `{error}` to the group, and `except* "
    "{own}` alone lets those through:",
    "Make each task restore its cancellation, with the wrapper from above:",
    adapter="stock",
)
async def test_siblings_of_a_failing_task(
    dsn: str, config: PsqlpyConfig, error: str, own: str
) -> None:
    assert await run_group(dsn, config, nullcontext) == [own, error]
    assert await run_group(dsn, config, cancellable) == [own]
