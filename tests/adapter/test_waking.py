"""A task runs on in the step of the event loop that has its answer, and is itself there."""

from __future__ import annotations

import asyncio
import selectors
from contextvars import ContextVar

import psqlpy
import pytest
from psqlpy_adapter import PsqlpyConfig
from sqlspec.exceptions import SQLSpecError

POINT = "SELECT name FROM users WHERE id = $1"
# Never answered before it is awaited, as a short statement at times is on a busy machine.
LONG = "SELECT name FROM users WHERE id = $1 AND pg_sleep(0.005) IS NOT NULL"
STATEMENTS = 100
_who: ContextVar[int] = ContextVar("_who")


class CountingSelector(selectors.DefaultSelector):  # type: ignore[valid-type,misc]
    """Counts the steps of an event loop: each begins with one question to the selector."""

    steps = 0

    def select(self, timeout=None):
        self.steps += 1
        return super().select(timeout)


async def test_an_answer_takes_one_step_of_the_event_loop_where_psqlpys_own_takes_two(dsn):
    selector = CountingSelector()

    async def steps(read) -> float:
        await read()
        before = selector.steps
        for _ in range(STATEMENTS):
            await read()
        return (selector.steps - before) / STATEMENTS

    async def both() -> tuple[float, float]:
        pool = psqlpy.ConnectionPool(dsn=dsn, max_db_pool_size=2)
        connection = await pool.connection()
        own = await steps(lambda: connection.fetch(LONG, [1]))
        pool.close()
        config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
        async with config.provide_session() as session:
            ours = await steps(lambda: session.select_value(LONG, 1))
        await config.close_pool()
        return own, ours

    def run() -> tuple[float, float]:
        with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
            return runner.run(both())

    own, ours = await asyncio.to_thread(run)
    assert ours <= 1.1
    assert own >= 1.9


async def test_a_task_that_is_woken_at_once_is_itself_in_its_own_context(config):
    async def read(number: int) -> tuple[int, asyncio.Task[None] | None]:
        _who.set(number)
        async with config.provide_session() as session:
            for _ in range(20):
                await session.select_value(POINT, 1)
                assert _who.get() == number
                assert asyncio.current_task() is tasks[number]
        return number

    tasks = [asyncio.ensure_future(read(number)) for number in range(4)]
    assert await asyncio.gather(*tasks) == [0, 1, 2, 3]


async def test_after_an_answer_and_after_an_error_the_running_loop_is_the_one_that_runs(config):
    loop = asyncio.get_running_loop()
    async with config.provide_session() as session:
        await session.select_value(POINT, 1)
        assert asyncio.get_running_loop() is loop
        with pytest.raises(SQLSpecError, match="division by zero"):
            await session.select_value("SELECT 1 / $1::int", 0)
        assert asyncio.get_running_loop() is loop


async def test_tasks_that_wait_for_a_statement_with_others_are_woken_too(config):
    """`asyncio.wait`, `wait_for` and `shield` put tasks and futures of their own between."""
    async with config.provide_session() as session:
        done, _ = await asyncio.wait([asyncio.ensure_future(session.select_value(POINT, 1))])
        name = done.pop().result()
        assert await asyncio.wait_for(session.select_value(POINT, 1), 5) == name
        assert await asyncio.shield(session.select_value(POINT, 1)) == name


async def test_on_uvloop_answers_and_cancellations_come_as_on_asyncio(dsn):
    uvloop = pytest.importorskip("uvloop")

    async def use() -> tuple[str, str]:
        config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
        async with config.provide_session() as session:
            first = await session.select_value(POINT, 1)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await session.select_value("SELECT pg_sleep(30)")
            second = await session.select_value(POINT, 1)
        await config.close_pool()
        return first, second

    def run() -> tuple[str, str]:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(use())

    first, second = await asyncio.to_thread(run)
    assert first == second
