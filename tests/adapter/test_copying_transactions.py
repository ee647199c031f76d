"""A load in transactions, when it fails, and when it is cancelled."""

from __future__ import annotations

import asyncio

import psqlpy_adapter
import pyarrow as pa
import pytest
from copying_tools import rows, stored
from harness import Adapter
from sqlspec.exceptions import (
    DataError,
    NotNullViolationError,
    UniqueViolationError,
)


@pytest.fixture
def adapter() -> Adapter:
    return Adapter("bundled", psqlpy_adapter)


@pytest.mark.usefixtures("items")
async def test_a_load_in_a_transaction_ends_with_it(session):
    async with session.transaction():
        await session.load_from_arrow("items", rows(1))
        with pytest.raises(NotNullViolationError):
            await session.load_from_arrow("items", pa.table({"id": [2]}))
        await session.load_from_arrow("items", rows(3), on_conflict="update")
        await session.load_from_arrow("items", rows(4), on_conflict="update")
    assert await stored(session) == [1, 3, 4]


@pytest.mark.usefixtures("items")
@pytest.mark.parametrize("raw", [False, True])
async def test_a_load_joins_a_transaction_that_was_begun_as_text(session, raw):
    send = session.connection.execute if raw else session.execute
    await send("BEGIN")
    await session.load_from_arrow("items", rows(1))
    with pytest.raises(UniqueViolationError):
        await session.load_from_arrow("items", rows(1))
    await send("ROLLBACK")
    assert await stored(session) == []


@pytest.mark.usefixtures("items", "small_slices")
async def test_a_failing_slice_in_the_middle_leaves_the_old_rows(session):
    await session.load_from_arrow("items", rows(1_000_000))
    with pytest.raises(UniqueViolationError):
        await session.load_from_arrow("items", rows(*range(700), 5), overwrite=True)
    assert await stored(session) == [1_000_000]


@pytest.mark.usefixtures("items", "small_slices")
async def test_a_refused_value_is_named_by_its_row_in_the_whole_source(session):
    prices = [1.0] * 400
    prices[321] = float("nan")
    await session.execute_script("ALTER TABLE items ALTER price TYPE int8 USING 0")
    with pytest.raises(DataError, match='column "price", row 321: Arrow double'):
        await session.load_from_arrow("items", rows(*range(400), price=prices))
    assert await stored(session) == []


@pytest.mark.usefixtures("items", "small_slices")
async def test_a_cancelled_load_stores_nothing_and_the_session_goes_on(session):
    started = asyncio.Event()
    task = asyncio.create_task(
        session.load_from_arrow("items", rows(*range(5_000)), progress=lambda *_: started.set())
    )
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await stored(session) == []
    await session.load_from_arrow("items", rows(1))
    assert await stored(session) == [1]


@pytest.mark.usefixtures("items", "small_slices")
async def test_other_tasks_run_while_a_load_is_under_way(session):
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(beat())
    await session.load_from_arrow("items", rows(*range(2_000)))
    task.cancel()
    assert beats > 20
