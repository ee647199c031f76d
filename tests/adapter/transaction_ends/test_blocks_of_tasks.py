"""Blocks that several tasks enter at once."""

from __future__ import annotations

import asyncio

import pytest
from ends_tools import ADD, stored
from sqlspec.exceptions import TransactionError


async def test_blocks_that_tasks_enter_at_once_leave_later_blocks_whole(session, observer):
    async def add(number: int) -> None:
        async with session.transaction():
            await session.execute(ADD, number)

    async def fail() -> None:
        async with session.transaction():
            await add(4)
            raise LookupError

    await asyncio.gather(add(1), add(2), add(3))
    with pytest.raises(LookupError):
        await fail()
    assert await stored(observer) == [0, 1, 2, 3]


async def test_a_block_whose_transaction_another_task_rolled_back_says_so(session, observer):
    entered = asyncio.Event()
    rolled_back = asyncio.Event()

    async def outer() -> None:
        try:
            async with session.transaction():
                await session.execute(ADD, 1)
                await entered.wait()
                raise LookupError
        finally:
            rolled_back.set()

    async def inner() -> None:
        await asyncio.sleep(0)
        async with session.transaction():
            await session.execute(ADD, 2)
            entered.set()
            await rolled_back.wait()

    failures = await asyncio.gather(outer(), inner(), return_exceptions=True)
    assert isinstance(failures[0], LookupError)
    assert isinstance(failures[1], TransactionError)
    assert "ended before the block did" in str(failures[1])
    assert await stored(observer) == [0]


async def test_a_block_that_fails_after_another_task_committed_it_says_so(session, observer):
    entered = asyncio.Event()
    committed = asyncio.Event()

    async def outer() -> None:
        async with session.transaction():
            await session.execute(ADD, 1)
            await entered.wait()
        committed.set()

    async def inner() -> None:
        await asyncio.sleep(0)
        async with session.transaction():
            await session.execute(ADD, 2)
            entered.set()
            await committed.wait()
            raise LookupError

    _, failure = await asyncio.gather(outer(), inner(), return_exceptions=True)
    assert isinstance(failure, LookupError)
    assert "Not rolled back" in failure.__notes__[0]
    assert await stored(observer) == [0, 1, 2]


async def test_blocks_of_two_tasks_inside_a_third_go_back_to_savepoints_of_their_own(
    session, observer
):
    """The second one is entered between the end of one and the failure of another."""
    failing_is_in, first_is_over, second_is_in = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with session.transaction():
            await session.execute(ADD, 1)
            await failing_is_in.wait()
        first_is_over.set()

    async def failing() -> None:
        async with session.transaction():
            await session.execute(ADD, 2)
            failing_is_in.set()
            await second_is_in.wait()
            raise LookupError

    async def second() -> None:
        await first_is_over.wait()
        async with session.transaction():
            await session.execute(ADD, 3)
            second_is_in.set()

    with pytest.raises(TransactionError):
        async with session.transaction():
            await asyncio.gather(first(), failing(), second(), return_exceptions=True)
    assert await stored(observer) == [0]
