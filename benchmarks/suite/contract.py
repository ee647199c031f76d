"""The nouns of the suite: a contender, its ways to do a work, and what a way is given."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

POINT = "SELECT id, name, score FROM points WHERE id = $1"
INSERT = "INSERT INTO many (id, name, email, score) VALUES ($1, $2, $3, $4)"
MANY_COLUMNS = ("id", "name", "email", "score")
POINTS = 10_000
POOL_SIZE = 20


@dataclass
class Job:
    """The inputs of a regime, the same ones for every contender."""

    size: int
    sql: str = ""
    table: str = ""
    rows: Sequence[tuple[Any, ...]] = ()
    source: Any = None  # a pyarrow.Table
    types: Sequence[str] = ()
    """PostgreSQL's names of the types of the columns of `source`."""
    encoded: bytes = b""
    """`source` in PostgreSQL's binary COPY format."""
    vectors: Iterator[Any] = field(default_factory=lambda: iter(()))
    ids: Iterator[int] = field(default_factory=lambda: itertools.cycle(range(1, POINTS + 1)))
    serial: Iterator[int] = field(default_factory=itertools.count)

    def new_text(self) -> str:
        """A point query that nobody has seen before."""
        return POINT.replace("score", f"score AS score_{next(self.serial)}")


Run = Callable[[Job], Awaitable[Any]]
Method = TypeVar("Method", bound=Callable[..., Awaitable[Any]])


def way(*works: str, label: str = "") -> Callable[[Method], Method]:
    """Mark a method of a contender as a way to do these works; `label` tells ways apart."""

    def mark(method: Method) -> Method:
        method.ways = [(work, label) for work in works]  # type: ignore[attr-defined]
        return method

    return mark


@dataclass(frozen=True)
class Entry:
    """One line of a regime: a contender's way to do its work."""

    contender: str
    label: str
    run: Run

    @property
    def name(self) -> str:
        """Both, for people."""
        return f"{self.contender}, {self.label}" if self.label else self.contender


class Contender:
    """A driver or adapter. Subclasses open their connections and mark their ways."""

    name: ClassVar[str]

    def __init__(self, url: str, works: Iterable[str], stack: AsyncExitStack) -> None:
        self.url = url
        self.works = frozenset(works)
        self.stack = stack

    async def open(self) -> None:
        """Open what the works need; close it by the stack."""

    def needs(self, *works: str) -> bool:
        """Whether one of these works will be asked for."""
        return not self.works.isdisjoint(works)

    @classmethod
    def offered(cls) -> list[tuple[str, str, str]]:
        """(work, label, name of the method), in the order in which they are defined."""
        found = {
            (work, label): name
            for owner in reversed(cls.__mro__)
            for name, value in vars(owner).items()
            for work, label in getattr(value, "ways", ())
        }
        return [(work, label, name) for (work, label), name in found.items()]

    def entries(self, work: str) -> list[Entry]:
        """The ways of this contender to do a work."""
        return [
            Entry(self.name, label, getattr(self, method))
            for offered, label, method in self.offered()
            if offered == work
        ]
