"""Runs the regimes: in every round all contenders, in a new random order."""

from __future__ import annotations

import asyncio
import gc
import random
import re
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, AsyncExitStack, nullcontext
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from proveskill.servers import Servers

from suite import data
from suite.contenders import CONTENDERS
from suite.contract import Contender, Entry, Job
from suite.lines import Line
from suite.link import slow_link
from suite.regimes import Group, Regime, Sizes, WrongResult

LIMIT = 300.0
"""Seconds after which a sample is given up."""


@dataclass
class Plan:
    """What is asked for."""

    sizes: Sizes
    only: re.Pattern[str] = re.compile("")
    contender: re.Pattern[str] = re.compile("")
    ways: frozenset[tuple[str, str]] | None = None
    """Contenders with their labels, when only these are asked for."""
    relay_core: int | None = None
    """Where the relay of a slow link runs: it is no part of the client."""

    def regimes(self, group: Group) -> list[Regime]:
        """Those of a group that are asked for."""
        return [r for r in group.regimes if self.only.search(f"{r.key} {group.name} {r.title}")]

    def contenders(self) -> list[type[Contender]]:
        """Those that are asked for."""
        return [c for c in CONTENDERS if self.contender.search(c.name)]

    def takes_part(self, entry: Entry, regime: Regime) -> bool:
        """Whether a way is asked for, and does the regime's work in bearable time."""
        is_wanted = self.ways is None or (entry.contender, entry.label) in self.ways
        return is_wanted and entry.name not in regime.skipped

    def rounds(self, group: Group) -> int:
        """How many samples each contender has in a group."""
        return max(1, round(self.sizes.rounds * group.effort))


@dataclass
class Seat:
    """A contender's way in a regime, with its inputs and its samples."""

    regime: Regime
    entry: Entry
    job: Job
    line: Line
    has_failed: bool = False


def new_line(loop: str, group: Group, regime: Regime, entry: Entry) -> Line:
    """A line without samples."""
    names = group.name, regime.key, regime.title, entry.contender, entry.label
    return Line(loop, *names, regime.loops, regime.unit, regime.size)


@dataclass
class Runner:
    """Measures what a plan asks for, and keeps the lines."""

    plan: Plan
    servers: Servers
    tell: Callable[[str], None]
    """Called with what is going on."""
    lines: list[Line] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    async def run(self, loop: str, groups: Iterable[Group]) -> None:
        """Measure groups on the loop that runs, which is called `loop`."""
        for group in groups:
            regimes = self.plan.regimes(group)
            if regimes:
                await self._group(loop, group, regimes)

    async def _group(self, loop: str, group: Group, regimes: list[Regime]) -> None:
        self.tell(f"{loop}: {group.name}: preparing")
        database = self.servers.create_database()
        url = database.url
        async with AsyncExitStack() as stack:
            stack.callback(self.servers.drop_database, database)
            admin = await asyncpg.connect(url)
            stack.push_async_callback(admin.close)
            await data.register(admin)
            await group.prepare(admin, self.plan.sizes)
            link: AbstractContextManager[str] = nullcontext(url)
            if group.round_trip:
                link = slow_link(url, group.round_trip, self.plan.relay_core)
            seats = await self._seats(loop, group, regimes, stack, admin, link)
            gc.freeze()  # what was made so far is no concern of the collections in a sample
            stack.callback(gc.unfreeze)
            rounds = self.plan.rounds(group)
            for number in range(rounds + 1):
                self.tell(f"{loop}: {group.name}: round {number} of {rounds}")
                for regime in random.sample(regimes, len(regimes)):
                    mine = [s for s in seats if s.regime is regime and not s.has_failed]
                    for seat in random.sample(mine, len(mine)):
                        await self._sample(seat, admin, is_warm=number > 0)
            self.lines += [seat.line for seat in seats if not seat.has_failed]

    async def _seats(
        self,
        loop: str,
        group: Group,
        regimes: list[Regime],
        stack: AsyncExitStack,
        admin: Any,
        link: AbstractContextManager[str],
    ) -> list[Seat]:
        address = stack.enter_context(link)
        works = {regime.work for regime in regimes}
        opened: list[Contender] = []
        for kind in self.plan.contenders():
            if works.isdisjoint(work for work, _, _ in kind.offered()):
                continue
            contender = kind(address, works, stack)
            await contender.open()
            opened.append(contender)
        seats = []
        for regime in regimes:
            job = await regime.job(admin)
            seats += [
                Seat(regime, entry, job, new_line(loop, group, regime, entry))
                for contender in opened
                for entry in contender.entries(regime.work)
                if self.plan.takes_part(entry, regime)
            ]
        return seats

    async def _sample(self, seat: Seat, admin: Any, *, is_warm: bool) -> None:
        regime = seat.regime
        for statement in filter(None, regime.before.split(";")):
            await admin.execute(statement)
        gc.collect()
        try:
            async with asyncio.timeout(LIMIT):
                started = time.perf_counter()
                for _ in range(regime.loops):
                    result = await seat.entry.run(seat.job)
                value = (time.perf_counter() - started) / regime.loops
            if regime.unit != "second":
                value = result
            regime.check(result)
            if regime.table:
                stored = await admin.fetchval(f"SELECT count(*) FROM {regime.table}")
                if stored != regime.size * regime.loops:
                    raise WrongResult(f"{regime.key}: {stored} rows are stored")
        # One that fails must not take hours of measuring with it: it is told at the end.
        except Exception as error:  # noqa: BLE001
            seat.has_failed = True
            self.problems.append(f"{regime.key}: {seat.entry.name}: {error!r:.300}")
            return
        (seat.line.samples if is_warm else seat.line.warmups).append(value)
