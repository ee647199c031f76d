"""Slots: a fair limit on how many hold something at once."""

from __future__ import annotations

import asyncio

import pytest
from psqlpy_adapter.slots import Slots, SlotsClosed


async def test_slots_are_given_in_the_order_of_asking():
    slots = Slots(1)
    await slots.take(None)
    order = []

    async def take(number):
        await slots.take(None)
        order.append(number)
        slots.give()

    tasks = [asyncio.create_task(take(number)) for number in range(5)]
    await asyncio.sleep(0)
    slots.give()
    await asyncio.gather(*tasks)
    assert order == [0, 1, 2, 3, 4]
    assert slots.held == slots.waiting == 0


async def test_a_slot_given_to_a_cancelled_waiter_goes_on():
    slots = Slots(1)
    await slots.take(None)
    first, second = (asyncio.create_task(slots.take(None)) for _ in range(2))
    await asyncio.sleep(0)
    slots.give()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    async with asyncio.timeout(1):
        await second
    assert slots.held == 1


async def test_closed_slots_end_the_waiting():
    slots = Slots(1)
    await slots.take(None)
    waiting = asyncio.create_task(slots.take(None))
    await asyncio.sleep(0)
    slots.close()
    with pytest.raises(SlotsClosed):
        await waiting
    with pytest.raises(SlotsClosed):
        await slots.take(None)
