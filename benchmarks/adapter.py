"""What the adapter costs and gains: beside raw psqlpy, SQLSpec's own adapter and asyncpg.

Every contender does the same work on one throw-away server, all of them in a new random order in
each round after a warm-up; ratios are of medians, within this one run. Exit status 1:
a target was missed. Usage: ``make bench-adapter`` or ``python benchmarks/adapter.py
[--rounds N] [--server URL] [--json FILE]``.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

import asyncpg
import psqlpy
import psqlpy_adapter
import sqlspec.adapters.psqlpy as stock_adapter
from proveskill.servers import Servers, ServerSpec

RAW, STOCK, BUNDLED, ASYNCPG = "psqlpy", "stock adapter", "bundled adapter", "asyncpg"
POINTS, GATHERED, MANY, WIDE = 100, 3_000, 10_000, 10_000
REPEATS = {"point": 10}  # short pieces, so that noise hits all contenders alike

SCHEMA = f"""
CREATE TABLE points (id int PRIMARY KEY, name text NOT NULL, score float8 NOT NULL);
INSERT INTO points SELECT n, 'point ' || n, n / 7.0 FROM generate_series(1, 10000) AS n;
CREATE TABLE wide AS
SELECT n AS id, 'user ' || n AS name, 'user' || n || '@example.com' AS email, n * 1.5 AS price,
    n / 3.0::float8 AS score, n % 2 = 0 AS active, now() + n * interval '1 s' AS at,
    'a longer text about number ' || n AS about
FROM generate_series(1, {WIDE}) AS n;
CREATE TABLE many (id int, name text, email text, score float8);
VACUUM ANALYZE;
"""
POINT = "SELECT id, name, score FROM points WHERE id = $1"
EVERYTHING = "SELECT id, name, email, score, active, at, about FROM wide"
INSERT = "INSERT INTO many (id, name, email, score) VALUES ($1, $2, $3, $4)"
ROWS = [(n, f"name {n}", f"user{n}@example.com", n / 7) for n in range(MANY)]

Work = Callable[[], Awaitable[Any]]


@dataclass
class Contender:
    """One way to do a piece of work, and how many seconds it took each time."""

    work: str
    name: str
    run: Work
    samples: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The middle of the samples, in seconds."""
        return statistics.median(self.samples)


@dataclass(frozen=True)
class Target:
    """A figure that must hold: `value` of the contenders' medians by (work, name)."""

    text: str
    value: Callable[[dict[tuple[str, str], float]], float]
    limit: float
    at_most: bool

    def is_met(self, value: float) -> bool:
        """Whether a value is on the right side of the limit."""
        return value <= self.limit if self.at_most else value >= self.limit


def overhead(name: str, median: dict[tuple[str, str], float]) -> float:
    """Return the time that an adapter adds to one point query, in seconds."""
    return (median["point", name] - median["point", RAW]) / POINTS


TARGETS = [
    Target(
        "point query: overhead over psqlpy, bundled / stock",
        lambda m: overhead(BUNDLED, m) / overhead(STOCK, m),
        1.0,
        at_most=True,
    ),
    Target(
        f"execute_many of {MANY:,} inserts: time, bundled / asyncpg executemany",
        lambda m: m["many", BUNDLED] / m["many", ASYNCPG],
        0.6,
        at_most=True,
    ),
    Target(
        f"{GATHERED:,} gathered point queries: rate, bundled session / asyncpg pool of 20",
        lambda m: m["gather", ASYNCPG] / m["gather", BUNDLED],
        2.5,
        at_most=False,
    ),
]


async def contenders(url: str, stack: AsyncExitStack) -> list[Contender]:
    """Open every connection and return what is compared."""
    pool = psqlpy.ConnectionPool(dsn=url, max_db_pool_size=2)
    raw = await pool.connection()
    found: list[Contender] = []

    def add(work: str, name: str, run: Work) -> None:
        found.append(Contender(work, name, run))

    async def raw_points() -> None:
        for number in range(1, POINTS + 1):
            (await raw.fetch(POINT, [number])).result()

    async def raw_wide() -> None:
        assert len((await raw.fetch(EVERYTHING, [])).result()) == WIDE

    add("point", RAW, raw_points)
    add("wide", RAW, raw_wide)
    for name, module in ((STOCK, stock_adapter), (BUNDLED, psqlpy_adapter)):
        config = module.PsqlpyConfig(connection_config={"dsn": url, "max_db_pool_size": 2})
        stack.push_async_callback(config.close_pool)
        session = await stack.enter_async_context(config.provide_session())
        for work, run in adapter_work(session).items():
            add(work, name, run)
    connection = await asyncpg.connect(url)
    stack.push_async_callback(connection.close)
    many = await stack.enter_async_context(asyncpg.create_pool(url, min_size=20, max_size=20))

    async def asyncpg_points() -> None:
        for number in range(1, POINTS + 1):
            await connection.fetchrow(POINT, number)

    async def asyncpg_gather() -> None:
        rows = await asyncio.gather(*(many.fetchrow(POINT, n) for n in range(1, GATHERED + 1)))
        assert [row["id"] for row in rows] == list(range(1, GATHERED + 1))

    async def asyncpg_many() -> None:
        await connection.executemany(INSERT, ROWS)

    async def asyncpg_wide() -> None:
        rows = [dict(row) for row in await connection.fetch(EVERYTHING)]  # as the others give them
        assert len(rows) == WIDE

    add("point", ASYNCPG, asyncpg_points)
    add("gather", ASYNCPG, asyncpg_gather)
    add("many", ASYNCPG, asyncpg_many)
    add("wide", ASYNCPG, asyncpg_wide)
    return found


def adapter_work(session: Any) -> dict[str, Work]:
    """Return what is compared, on a session of either adapter."""

    async def points() -> None:
        for number in range(1, POINTS + 1):
            await session.select_one(POINT, number)

    async def gather() -> None:
        rows = await asyncio.gather(
            *(session.select_one(POINT, number) for number in range(1, GATHERED + 1))
        )
        assert [row["id"] for row in rows] == list(range(1, GATHERED + 1))

    async def many() -> None:
        # SQLSpec's adapter cannot send a float to a float8 column: it gets numbers that it can.
        result = await session.execute_many(INSERT, ROWS)
        assert result.rows_affected == MANY

    async def stock_many() -> None:
        await session.execute_many(INSERT, STOCK_ROWS)

    async def wide() -> None:
        assert len(await session.select(EVERYTHING)) == WIDE

    is_stock = type(session) is stock_adapter.PsqlpyDriver
    return {
        "point": points,
        "gather": gather,
        "many": stock_many if is_stock else many,
        "wide": wide,
    }


STOCK_ROWS = [(*row[:3], psqlpy.extra_types.Float64(row[3])) for row in ROWS]


async def measure(url: str, rounds: int) -> list[Contender]:
    """Fill in the samples."""
    async with AsyncExitStack() as stack:
        found = await contenders(url, stack)
        clean = await asyncpg.connect(url)
        stack.push_async_callback(clean.close)
        for number in range(rounds + 1):
            print(f"round {number} of {rounds}" if number else "warm-up", file=sys.stderr)
            turns = [c for c in found for _ in range(REPEATS.get(c.work, 1))]
            for contender in random.sample(turns, len(turns)):
                await clean.execute("TRUNCATE many")
                gc.collect()
                started = time.perf_counter()
                await contender.run()
                seconds = time.perf_counter() - started
                if number:
                    contender.samples.append(seconds)
    return found


def show(found: list[Contender]) -> bool:
    """Print medians and spread, then the targets; return whether all were met."""
    median = {(c.work, c.name): c.median for c in found}
    print(f"{'work':<10}{'contender':<18}{'median ms':>11}{'min-max':>20}{'/ asyncpg':>11}")
    for c in sorted(found, key=lambda c: (c.work, c.median)):
        spread = f"{min(c.samples) * 1e3:.1f}-{max(c.samples) * 1e3:.1f}"
        ratio = c.median / median[c.work, ASYNCPG]
        print(f"{c.work:<10}{c.name:<18}{c.median * 1e3:>11.1f}{spread:>20}{ratio:>11.2f}")
    print()
    met = True
    for target in TARGETS:
        value = target.value(median)
        sign = "<=" if target.at_most else ">="
        verdict = "met" if target.is_met(value) else "MISSED"
        print(f"{target.text:<75}{value:>7.2f}  {sign} {target.limit:<5}{verdict}")
        met &= target.is_met(value)
    return met


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="runs of each contender (7)")
    parser.add_argument("--server", help="address of a server to use instead of a new one")
    parser.add_argument("--json", type=Path, help="write the samples to a file")
    options = parser.parse_args()
    spec = ServerSpec(options.server) if options.server else ServerSpec()
    with Servers(spec) as servers:
        database = servers.create_database()
        asyncio.run(prepare(database.url))
        found = asyncio.run(measure(database.url, options.rounds))
    if options.json:
        samples = [{"work": c.work, "name": c.name, "seconds": c.samples} for c in found]
        options.json.write_text(json.dumps(samples, indent=1))
    sys.exit(0 if show(found) else 1)


async def prepare(url: str) -> None:
    """Make the tables."""
    connection = await asyncpg.connect(url)
    for statement in SCHEMA.split(";\n"):
        if statement.strip():
            await connection.execute(statement)
    await connection.close()


if __name__ == "__main__":
    main()
