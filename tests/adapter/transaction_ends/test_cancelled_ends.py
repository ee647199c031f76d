"""A transaction is committed or rolled back, and says so, whatever is cancelled."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from ends_tools import ADD, state_of, stored, until_idle, until_queued
from fault_tools import until_at_work


async def slow_neighbour(session, observer) -> asyncio.Task[Any]:
    """A statement of another task, which is at work for a while."""
    neighbour = asyncio.create_task(session.execute("SELECT pg_sleep(0.3)::text"))
    await until_at_work(observer, session.checkout.backend_pid, "pg_sleep")
    return neighbour


async def add_one(session, observer, neighbour: list[asyncio.Task[Any]]) -> None:
    """A block whose end must wait for the neighbour, which is told by the list."""
    async with session.transaction():
        await session.execute(ADD, 1)
        neighbour.append(await slow_neighbour(session, observer))


@pytest.mark.parametrize("fails", [True, False], ids=["ROLLBACK", "COMMIT"])
async def test_a_block_whose_end_is_cancelled_behind_a_neighbour_is_rolled_back(
    session, observer, fails
):
    neighbour: list[asyncio.Task[Any]] = []

    async def unit() -> None:
        async with session.transaction():
            await session.execute(ADD, 1)
            neighbour.append(await slow_neighbour(session, observer))
            if fails:
                raise LookupError

    task = asyncio.create_task(unit())
    await until_queued(session, neighbour)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with session.transaction():
        await session.execute(ADD, 2)
    assert await stored(observer) == [0, 2]
    await neighbour[0]


async def test_a_block_cancelled_behind_a_neighbour_is_rolled_back_though_nothing_follows(
    session, observer
):
    neighbour: list[asyncio.Task[Any]] = []
    task = asyncio.create_task(add_one(session, observer, neighbour))
    await until_queued(session, neighbour)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await neighbour[0]
    await until_idle(observer, session)
    assert await stored(observer) == [0]


async def test_a_write_that_waits_behind_a_cancelled_commit_is_stored(session, observer):
    neighbour: list[asyncio.Task[Any]] = []
    task = asyncio.create_task(add_one(session, observer, neighbour))
    await until_queued(session, neighbour)
    behind = asyncio.create_task(session.execute(ADD, 2))
    await until_queued(session, neighbour, 2)
    task.cancel()
    await asyncio.gather(task, behind, *neighbour, return_exceptions=True)
    await until_idle(observer, session)
    assert await stored(observer) == [0, 2]


async def test_an_inner_block_whose_end_is_cancelled_is_undone_in_the_outer_one(session, observer):
    neighbour: list[asyncio.Task[Any]] = []

    async def inner() -> None:
        async with session.transaction():
            await session.execute(ADD, 2)
            neighbour.append(await slow_neighbour(session, observer))

    async with session.transaction():
        await session.execute(ADD, 1)
        task = asyncio.create_task(inner())
        await until_queued(session, neighbour)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await neighbour[0]
    assert await stored(observer) == [0, 1]


@pytest.mark.parametrize("times", [1, 2, 3, 4])
async def test_a_block_that_is_cancelled_several_times_is_rolled_back(session, observer, times):
    async def unit() -> None:
        async with session.transaction():
            await session.execute(ADD, 1)
            await session.execute("SELECT pg_sleep(5)::text")

    task = asyncio.create_task(unit())
    await until_at_work(observer, session.checkout.backend_pid, "pg_sleep")
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    await session.execute(ADD, 2)
    assert await stored(observer) == [0, 2]
    assert await state_of(observer, session) == "idle"


@pytest.mark.parametrize("known", [True, False], ids=["run before", "new"])
async def test_a_cancelled_write_that_was_done_says_so(session, observer, known):
    """The request to cancel comes when the write is done, at some of so many moments."""
    text, seen = (ADD if known else "INSERT INTO notes (id) VALUES ($1)"), 0
    for number in range(1, 400):
        task = asyncio.create_task(session.execute(text, number))
        await asyncio.sleep(number % 40 * 1e-4)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError as error:
            notes = "".join(getattr(error, "__notes__", ()))
        else:
            continue
        if await observer.fetchval("SELECT count(*) FROM notes WHERE id = $1", number):
            assert "stored" in notes
            seen += 1
        if seen > 5:
            return
    pytest.fail("no write was cancelled too late")


async def test_a_write_that_is_not_waited_for_says_that_nobody_knows(session, observer):
    slow = "INSERT INTO notes SELECT 1 FROM pg_sleep($1)"
    await session.execute(slow, 0)
    task = asyncio.create_task(session.execute(slow, 5))
    await until_at_work(observer, session.checkout.backend_pid, "pg_sleep")
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert "not known" in "".join(caught.value.__notes__)


async def test_a_cancelled_script_says_how_much_of_it_was_done(session, observer):
    task = asyncio.create_task(
        session.execute_script("INSERT INTO notes VALUES (1); SELECT pg_sleep(5);")
    )
    await until_at_work(observer, session.checkout.backend_pid, "pg_sleep")
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert "1 of the script's 2 statements were done" in "".join(caught.value.__notes__)
    assert await stored(observer) == [0, 1]
