"""500 random cancellations among 5,000 units of work: nothing is lost, nothing is half done."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from contextlib import suppress
from typing import Any

import psqlpy_adapter
from fault_tools import observing

UNITS = 5000
CANCELLED = 500
WORKERS = 8
PER_UNIT = 3
INSERT = "INSERT INTO units (unit, part) VALUES ($1, $2)"


class Unit:
    """A unit of work: three rows or none, and what its caller was told of it."""

    def __init__(self, number: int, kind: str) -> None:
        self.number = number
        self.kind = kind
        self.is_acknowledged = False
        self.is_cancelled = False
        self.begun = asyncio.Event()

    async def run(self, config: Any) -> None:
        try:
            async with config.provide_session() as session:
                self.begun.set()
                await getattr(self, f"_{self.kind}")(session)
        except asyncio.CancelledError as error:
            self.is_cancelled = True
            # COMMIT was done before it could be stopped, and the caller is told so.
            self.is_acknowledged |= any("COMMIT was" in note for note in notes_of(error))
            raise

    async def _statement(self, session: Any) -> None:
        rows = f"SELECT {self.number}, part FROM generate_series(1, {PER_UNIT}) AS part"
        await session.execute(f"INSERT INTO units (unit, part) {rows}")
        self.is_acknowledged = True

    async def _batch(self, session: Any) -> None:
        await session.execute_many(INSERT, [(self.number, part + 1) for part in range(PER_UNIT)])
        self.is_acknowledged = True

    async def _transaction(self, session: Any) -> None:
        async with session.transaction():
            for part in range(PER_UNIT):
                await session.execute(INSERT, self.number, part + 1)
        self.is_acknowledged = True


def notes_of(error: BaseException) -> list[str]:
    return getattr(error, "__notes__", [])


async def test_after_500_cancellations_the_rows_are_those_that_were_acknowledged(dsn: str) -> None:
    dice = random.Random(20261122)
    kinds = dice.choices(("statement", "batch", "transaction"), (6, 2, 2), k=UNITS)
    units = [Unit(number, kind) for number, kind in enumerate(kinds)]
    chosen = set(dice.sample(range(UNITS), CANCELLED))
    delays = {number: dice.choice((0.0, dice.uniform(0, 0.01))) for number in chosen}
    queue = iter(units)
    config = psqlpy_adapter.PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 6})

    async def work() -> None:
        for unit in queue:
            task = asyncio.create_task(unit.run(config))
            if unit.number in chosen:
                await unit.begun.wait()
                await asyncio.sleep(delays[unit.number])
                task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async with observing(dsn) as observer:
        await observer.execute("CREATE TABLE units (unit int, part int, PRIMARY KEY (unit, part))")
        async with asyncio.timeout(120):
            await asyncio.gather(*(work() for _ in range(WORKERS)))
        # The pool is whole: as many sessions as it is large, at once, idle and clean.
        async with asyncio.timeout(10):
            await asyncio.gather(*(_is_usable(config) for _ in range(6)))
        stored = Counter(row["unit"] for row in await observer.fetch("SELECT unit FROM units"))
        running = await observer.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND state <> 'idle'"
        )
    await config.close_pool()
    assert running == 0
    assert set(stored.values()) == {PER_UNIT}  # no unit is half done
    acknowledged = {unit.number for unit in units if unit.is_acknowledged}
    uncancelled = {unit.number for unit in units if not unit.is_cancelled}
    assert uncancelled <= acknowledged
    assert acknowledged <= stored.keys()  # nothing that was acknowledged is lost
    told_nothing = stored.keys() - acknowledged
    # A statement may have been done before it could be cancelled: whole, as asserted above.
    assert all(units[number].is_cancelled for number in told_nothing)
    cancelled = len(units) - len(uncancelled)
    assert cancelled > CANCELLED / 4, "the cancellations came too late to matter"
    print(f"{cancelled} cancelled in time, {len(told_nothing)} done all the same", file=sys.stderr)


async def _is_usable(config: Any) -> None:
    async with config.provide_session() as session:
        assert await session.select_value("SELECT 1") == 1
        await asyncio.sleep(0.05)
