"""Measures rows of the tables of performance.md again: the benchmark suite itself, cut short."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from suite import data
from suite.groups import groups
from suite.guidance import NOT_MEASURED, TABLES, Row, Way, read_published
from suite.regimes import Sizes
from suite.results import Results
from suite.runner import Plan, Runner

TOLERANCE = 2.5
"""A ratio that is so many times out of its band, in every round, is another one.

Short samples beside other work, and machines that do more or less at the same time, change ratios
too, but by less.
"""
CLEAR = 1.5
"""A band that is so far from 1 says which is faster: that must be found again."""
FEW = 0.2
"""The share of rounds that may say otherwise. Beside other work there are always some."""
TRIES = 5
SECONDS = 12.0
"""After so many no further try is begun: a proof has its limit."""
SIZES = Sizes(rows=50_000, rows_wide=10_000, rows_vector=2_000, searched=2_000)
# What a load costs at its beginning should not be most of it.
ROWS_OF = {"load-narrow-large": 200_000}
# Other proofs run at the same time. Of many short samples some are not disturbed.
LOOPS = {"point": 3, "search-indexed": 3}
BATCHES = {"insert-10000": 3_000}
"""Rows of a batch: what it costs at its beginning is the smaller part of so many, too."""
ROUNDS = {"point": 60, "search-indexed": 20, "gather-1000": 5, "select-10000": 3, "connect": 12}
# After one that warms up. When it does not fit, there are more tries.
FEWEST_ROUNDS = 1
ROWS = {work: row for table in TABLES for work, row in table.rows.items()}
_measured: dict[tuple[str, frozenset[Way]], Runner] = {}
"""What was measured so far, by regime and ways: two rows may be about one regime."""
# A hundred queries at once stand for a thousand, with the same ratios.
STANDS_FOR = {"gather-1000": "gather-100"}


def published() -> tuple[Results, dict[str, Any]]:
    """The results that the text quotes, and where they come from."""
    return read_published()


@dataclass(frozen=True)
class Ratios:
    """A way's time by the base's: by the fastest samples of both, and round by round."""

    best: float
    rounds: list[float]

    def __str__(self) -> str:
        low, high = min(self.rounds), max(self.rounds)
        return f"{self.best:.2f}, rounds {low:.2f} to {high:.2f}"

    def are_about(self, cell: str) -> bool:
        """Whether they are about the band, and on its side of 1 where it has one."""
        low, high = map(float, cell.split("-"))
        least, most = low / TOLERANCE - 0.05, high * TOLERANCE + 0.05
        if not any(least <= one <= most for one in (self.best, *self.rounds)):
            return False
        if low >= CLEAR:
            return max(self.best, self._of_few(largest=True)) > 1
        return high > 1 / CLEAR or min(self.best, self._of_few(largest=False)) < 1

    def _of_few(self, *, largest: bool) -> float:
        """The ratio that only FEW of the rounds are beyond."""
        ordered = sorted(self.rounds, reverse=largest)
        return ordered[int(FEW * len(ordered))]


def is_about(cell: str, ratios: Ratios | None) -> bool:
    """Whether what was measured now is about what a cell of the text says."""
    if ratios is None or cell == NOT_MEASURED:
        return ratios is None and cell == NOT_MEASURED
    return ratios.are_about(cell)


async def measure(
    dsn: str, row: Row, is_about: Callable[[list[Ratios | None]], bool]
) -> list[Ratios | None]:
    """Each way's time by the base's; None for what the table has no number of.

    What else the machine does disturbs samples: so it is measured again, up to TRIES times, until
    the ratios are about what is expected.
    """
    wanted = frozenset([row.base, *(way for way in row.ways if way is not None)])
    names = sorted({name for name, _ in wanted})
    regime = STANDS_FOR.get(row.regime, row.regime)
    sizes = replace(SIZES, rows=ROWS_OF.get(regime, SIZES.rows))
    group = next(g for g in groups(sizes) if any(r.key == regime for r in g.regimes))
    rounds = ROUNDS.get(row.regime, FEWEST_ROUNDS) / group.effort
    shorter = tuple(
        replace(r, loops=LOOPS.get(r.key, 1), size=BATCHES.get(r.key, r.size))
        for r in group.regimes
    )
    plan = Plan(
        replace(sizes, rounds=round(rounds)),
        only=re.compile(f"^{re.escape(regime)} "),
        contender=re.compile("|".join(f"^{re.escape(name)}$" for name in names)),
        ways=wanted,
    )
    given: Any = SimpleNamespace(
        create_database=lambda: SimpleNamespace(url=dsn), drop_database=lambda database: None
    )
    key = regime, wanted
    begun = time.monotonic()
    for number in range(TRIES):
        if number or key not in _measured:
            runner = _measured.setdefault(key, Runner(plan, given, lambda text: None))
            await _drop_tables(dsn)
            await runner.run("asyncio", [replace(group, regimes=shorter)])
            assert runner.problems == []
        runner = _measured[key]
        found = [None if way is None else _ratios(runner, way, row.base) for way in row.ways]
        if is_about(found) or time.monotonic() - begun > SECONDS:
            break
    return found


async def _drop_tables(dsn: str) -> None:
    """Drop what an earlier row has left."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f"DROP TABLE IF EXISTS {', '.join(data.TABLES)}")
    finally:
        await connection.close()


def _ratios(runner: Runner, way: Way, base: Way) -> Ratios:
    own, other = _samples(runner, way), _samples(runner, base)
    rounds = [a / b for a, b in zip(own, other, strict=True)]
    return Ratios(min(own) / min(other), rounds)


def _samples(runner: Runner, way: Way) -> list[float]:
    lines = [line for line in runner.lines if (line.contender, line.label) == way]
    assert lines, f"{way} took no part"
    return [sample for line in lines for sample in line.samples]


async def measures_about(dsn: str, row: Row, cells: Sequence[str]) -> None:
    """Measure a row; fail when a cell says something else."""

    def fit(found: list[Ratios | None]) -> list[bool]:
        return [is_about(cell, ratios) for cell, ratios in zip(cells, found, strict=True)]

    found = await measure(dsn, row, lambda found: all(fit(found)))
    shown = [NOT_MEASURED if one is None else str(one) for one in found]
    assert all(fit(found)), f"in the text {list(cells)}, measured now {shown}"
