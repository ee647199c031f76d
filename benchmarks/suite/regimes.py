"""What a regime is: a work at a size, with its inputs and the check of its results."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from suite import data
from suite.contract import Job


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    rows: int = 1_000_000
    rows_wide: int = 200_000
    rows_vector: int = 100_000
    searched: int = 10_000
    rounds: int = 15
    is_quick: bool = False

    @classmethod
    def quick(cls) -> Sizes:
        """Smaller loads and fewer rounds."""
        return cls(
            50_000, rows_wide=20_000, rows_vector=5_000, searched=2_000, rounds=3, is_quick=True
        )


class WrongResult(Exception):
    """A contender did not do what it was asked for."""


@dataclass(frozen=True)
class Regime:
    """One line of the results: the same work for all. Times are of one of `loops` runs."""

    key: str
    title: str
    work: str
    size: int = 0
    loops: int = 1
    sql: str = ""
    before: str = ""
    """Run on the server before each sample, untimed."""
    table: str = ""
    """A table which must hold `size` rows after a run."""
    columns: dict[str, str] = field(default_factory=dict)
    source: Callable[[int], Any] | None = None
    unit: str = "second"
    skipped: frozenset[str] = frozenset()
    """Names of entries that take no part."""

    async def job(self, admin: Any) -> Job:
        """Make the inputs."""
        job = Job(self.size, self.sql, self.table, types=list(self.columns.values()))
        job.vectors = data.asked_vectors()
        if self.work == "insert":
            job.rows = data.batch(self.size)
        if self.source is not None:
            job.source = self.source(self.size)
            job.encoded = await data.encode(admin, job.source, self.columns)
            await admin.execute(f"CREATE TABLE {self.table} ({data.columns_sql(self.columns)})")
        return job

    def check(self, result: Any) -> None:
        """Raise WrongResult unless a result has the rows that it should have."""
        if self.work in ("point", "cold") and not {"id", "name"} <= set(result.keys()):
            raise WrongResult(f"{self.key}: {result!r}")
        if self.work in ("select", "gather", "search"):
            wanted = 10 if self.work == "search" else self.size
            if len(result) != wanted or "id" not in result[-1].keys():  # noqa: SIM118
                raise WrongResult(f"{self.key}: {len(result)} rows instead of {wanted}")
        if self.work == "read" and (result.num_rows, result.num_columns) != (self.size, 4):
            raise WrongResult(f"{self.key}: {result.num_rows} rows")


@dataclass(frozen=True)
class Group:
    """Regimes that are measured round by round, on the same connections."""

    name: str
    regimes: tuple[Regime, ...]
    prepare: Callable[[Any, Sizes], Awaitable[None]]
    effort: float = 1.0
    """The share of the rounds that it gets: less for what takes long."""
    round_trip: float = 0.0
    """Seconds that the link adds."""
    on_other_loop: bool = False
    """Whether the full run does it on uvloop, too."""
