"""The figures that must hold in a run, and those that are hoped for."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from suite.results import Results, band_text, paired
from suite.tables import amount

BUNDLED, RAW, STOCK = "bundled adapter", "psqlpy", "stock adapter"
ASYNCPG, ADBC = "asyncpg", "ADBC"
SESSION = "gather on one session"
BYTES = "same bytes by COPY"
LINKS = (1, 20)

Way = tuple[str, str] | tuple[str]
Value = Callable[[Results], Sequence[float]]
"""Values by round; none where something was not measured."""


def ratio(regime: str, over: Way, under: Way) -> Value:
    """One way's time by another's."""

    def value(results: Results) -> Sequence[float]:
        above, below = results.find(regime, *over), results.find(regime, *under)
        return paired(above, below) if above and below else []

    return value


def extra_round_trips(results: Results) -> Sequence[float]:
    """How often 1,000 gathered queries wait for the link, beyond once.

    What the time grows by, for each second by which the round trip does: the work of client,
    server and relay is in both times and falls out.
    """
    short, long = (results.find(f"link{ms}-gather", BUNDLED, SESSION) for ms in LINKS)
    if not short or not long:
        return []
    grown = statistics.median(long.samples) - statistics.median(short.samples)
    return [grown / ((LINKS[1] - LINKS[0]) / 1000) - 1]


@dataclass(frozen=True)
class Target:
    """A limit on the median of the values; `is_goal`: hoped for, so that missing it is no fault."""

    number: int
    text: str
    value: Value
    limit: float
    at_most: bool = True
    is_goal: bool = False

    def verdict(self, values: Sequence[float]) -> str:
        """One of met, MISSED, reached, not reached, not measured."""
        if not values:
            return "not measured"
        median = statistics.median(values)
        is_met = median <= self.limit if self.at_most else median >= self.limit
        if self.is_goal:
            return "reached" if is_met else "not reached"
        return "met" if is_met else "MISSED"


def _loads() -> Iterator[Target]:
    own = BUNDLED, "load_from_arrow"
    for name in ("narrow", "vector(768)"):
        key = f"load-{name}-large"
        rate = f"Arrow load, {name}: rate, bundled / "
        yield Target(5, rate + "ADBC", ratio(key, (ADBC,), own), 1.6, at_most=False)
        copy = ratio(key, (ASYNCPG, "copy_records_to_table"), own)
        yield Target(5, rate + "asyncpg COPY", copy, 1.3, at_most=False)
        text = f"Arrow load, {name}: time, bundled / the same bytes by COPY"
        yield Target(5, text, ratio(key, own, (ASYNCPG, BYTES)), 1.2, is_goal=True)


def _of_select() -> Iterator[Target]:
    dicts = ratio("select-10000", (BUNDLED,), (ASYNCPG,))
    text = "10,000 rows to dicts: time, bundled / asyncpg"
    yield Target(3, text, dicts, 0.75)
    yield Target(3, text, dicts, 0.6, is_goal=True)
    arrow = ratio("read", (ADBC,), (BUNDLED,))
    text = "rows to Arrow: rate, bundled / ADBC"
    yield Target(3, text, arrow, 1.0, at_most=False)
    yield Target(3, text, arrow, 2.0, at_most=False, is_goal=True)


def _of_queries() -> Iterator[Target]:
    point = "point query: time, "
    yield Target(1, f"{point}bundled / psqlpy", ratio("point", (BUNDLED,), (RAW,)), 1.1)
    own = BUNDLED, SESSION
    gathered = "1,000 gathered: rate, bundled / "
    pool = ratio("gather-1000", (ASYNCPG, "pool and gather"), own)
    yield Target(2, f"{gathered}asyncpg's pool", pool, 2.5, at_most=False)
    workers = ratio("gather-1000", (ASYNCPG, "20 workers"), own)
    yield Target(2, f"{gathered}asyncpg's 20 workers", workers, 1.0, at_most=False, is_goal=True)


def _of_inserts() -> Iterator[Target]:
    batch = ratio("insert-10000", (BUNDLED, "execute_many"), (ASYNCPG, "executemany"))
    text = "insert 10,000 rows: time, bundled / asyncpg executemany"
    yield Target(4, text, batch, 0.5)
    yield Target(4, text, batch, 0.4, is_goal=True)


TARGETS: tuple[Target, ...] = (
    *_of_queries(),
    *_of_select(),
    *_of_inserts(),
    *_loads(),
    Target(6, "1,000 gathered on a slow link: round trips beyond one", extra_round_trips, 3),
)


def verdicts(results: Results) -> Iterator[tuple[Target, Sequence[float], str]]:
    """Each target with its values and its verdict."""
    for target in TARGETS:
        values = target.value(results)
        yield target, values, target.verdict(values)


def target_table(results: Results) -> Iterator[str]:
    """The targets as Markdown, and what has no bound."""
    yield "| | Target | Value | Band | Limit | |\n|---|---|--:|--:|--:|---|"
    for target, values, verdict in verdicts(results):
        median = f"{statistics.median(values):.2f}" if values else "-"
        around = band_text(values) if len(values) > 1 else "-"
        limit = f"{'<=' if target.at_most else '>='} {target.limit:g}"
        if target.is_goal:
            limit = f"goal {limit}"
        text = f"{target.number} | {target.text} | {median} | {around}"
        yield f"| {text} | {limit} | {verdict} |"
    stock = ratio("point", (STOCK,), (RAW,))(results)
    if stock:
        yield f"\nStock adapter / psqlpy, point query: {statistics.median(stock):.2f}"
    memory = [line for line in results.lines if line.regime == "memory"]
    if memory:
        sizes = (f"{m.contender} {amount(statistics.median(m.samples), m.unit)}" for m in memory)
        yield f"\n7. Memory of a connection: {', '.join(sizes)}"
