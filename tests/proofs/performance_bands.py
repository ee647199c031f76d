"""Measures rows of the tables of performance.md again: the benchmark suite itself, cut short."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from suite import data
from suite.groups import groups
from suite.guidance import NOT_MEASURED, TABLES, Row, read_published
from suite.regimes import Sizes
from suite.results import Results
from suite.runner import Plan, Runner

TOLERANCE = 1.6
"""A ratio that is so many times out of its band is another one; noise of short samples is less."""
TRIES = 5
SECONDS = 10.0
"""After so many no further try is begun: a proof has its limit."""
SIZES = Sizes(rows=100_000, rows_wide=10_000, rows_vector=2_000, searched=2_000, rounds=3)
ROWS = {work: row for table in TABLES for work, row in table.rows.items()}
# A hundred queries at once stand for a thousand, with the same ratios.
STANDS_FOR = {"gather-1000": "gather-100"}


def published() -> tuple[Results, dict[str, Any]]:
    """The results that the text quotes, and where they come from."""
    return read_published()


async def measure(dsn: str, row: Row, is_about: Callable[[list[float | None]], bool]) -> list[Any]:
    """Each way's fastest sample by the base's; None for what the table has no number of.

    What else the machine does makes samples slower, never faster: so it is measured again, up to
    TRIES times, until the fastest ones are about what is expected.
    """
    wanted = {row.base[0], *(way[0] for way in row.ways if way is not None)}
    regime = STANDS_FOR.get(row.regime, row.regime)
    plan = Plan(
        SIZES,
        only=re.compile(f"^{re.escape(regime)} "),
        contender=re.compile("|".join(f"^{re.escape(name)}$" for name in sorted(wanted))),
    )
    given: Any = SimpleNamespace(
        create_database=lambda: SimpleNamespace(url=dsn), drop_database=lambda database: None
    )
    runner = Runner(plan, given, lambda text: None)
    begun = time.monotonic()
    for _ in range(TRIES):
        await _drop_tables(dsn)
        await runner.run("asyncio", groups(SIZES))
        assert runner.problems == []
        base = _fastest(runner, regime, row.base)
        found = [None if way is None else _fastest(runner, regime, way) / base for way in row.ways]
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


def _fastest(runner: Runner, regime: str, way: tuple[str, str]) -> float:
    lines = [one for one in runner.lines if (one.contender, one.label) == way]
    assert lines, f"{way} took no part in {regime}"
    return min(sample for line in lines for sample in line.samples)


def is_about(cell: str, ratio: float | None) -> bool:
    """Whether what was measured now is about what a cell of the text says."""
    if ratio is None or cell == NOT_MEASURED:
        return ratio is None and cell == NOT_MEASURED
    low, high = map(float, cell.split("-"))
    return low / TOLERANCE - 0.05 <= ratio <= high * TOLERANCE + 0.05


async def measures_about(dsn: str, row: Row, cells: Sequence[str]) -> None:
    """Measure a row; fail when a cell says something else."""

    def fit(found: list[float | None]) -> list[bool]:
        return [is_about(cell, ratio) for cell, ratio in zip(cells, found, strict=True)]

    found = await measure(dsn, row, lambda found: all(fit(found)))
    shown = [NOT_MEASURED if ratio is None else f"{ratio:.2f}" for ratio in found]
    assert all(fit(found)), f"in the text {list(cells)}, measured now {shown}"
