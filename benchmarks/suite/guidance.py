"""The tables of references/performance.md: which cell is a ratio of what, and how they are written.

Their proofs read the same rows: a cell is the band of the published results, and measuring again
gives about the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suite.lines import Line
from suite.results import Results, band_text, paired

PUBLISHED = Path(__file__).parents[1] / "results" / "published.json"
NOT_MEASURED = "-"

PSQLPY, STOCK, DROP_IN = "psqlpy", "stock adapter", "bundled adapter"
ASYNCPG, PSYCOPG, ADBC = "asyncpg", "psycopg async", "ADBC"
POOL, SESSION = "pool and gather", "gather on one session"

Way = tuple[str, str]
"""A contender and its way."""


@dataclass(frozen=True)
class Row:
    """A work: the regime, what the times are multiples of, and the way of each column."""

    regime: str
    base: Way
    ways: tuple[Way | None, ...]

    def cells(self, results: Results) -> list[str]:
        """The bands of the ways' times as multiples of the base's."""
        return [self._cell(results, way) for way in self.ways]

    def _cell(self, results: Results, way: Way | None) -> str:
        if way is None:
            return NOT_MEASURED
        found, base = (results.find(self.regime, *one) for one in (way, self.base))
        if found is None or base is None:
            raise LookupError(f"the results have no {self.regime} of {way[0]} or {self.base[0]}")
        return band_text(paired(found, base))


@dataclass(frozen=True)
class Table:
    """Rows by the words of their first cell."""

    head: tuple[str, ...]
    rows: Mapping[str, Row]

    def lines(self, results: Results) -> Iterator[str]:
        """The table as Markdown."""
        yield "| " + " | ".join(self.head) + " |"
        yield "|---|" + "--:|" * (len(self.head) - 1)
        for work, row in self.rows.items():
            yield "| " + " | ".join([work, *row.cells(results)]) + " |"


def _all(label: str = "", psycopg: str | None = None) -> tuple[Way, ...]:
    ways = [(name, label) for name in (PSQLPY, STOCK, DROP_IN)]
    return (*ways, (PSYCOPG, label if psycopg is None else psycopg))


QUERIES = Table(
    ("Work", "psqlpy", "SQLSpec's adapter", "the drop-in", "psycopg"),
    {
        "one row by primary key, one after another": Row("point", (ASYNCPG, ""), _all()),
        "10,000 rows of one SELECT, as dicts": Row(
            "select-10000", (ASYNCPG, ""), _all(psycopg="binary")
        ),
        "10 nearest of 10,000 vectors by an HNSW index": Row(
            "search-indexed", (ASYNCPG, ""), _all(psycopg="binary")
        ),
        "1,000 queries at once, each on a connection of a pool of 20": Row(
            "gather-1000", (ASYNCPG, POOL), _all(POOL)
        ),
        "1,000 queries at once, each driver in its best way": Row(
            "gather-1000",
            (ASYNCPG, "20 workers"),
            ((PSQLPY, "pipeline"), (STOCK, SESSION), (DROP_IN, SESSION), (PSYCOPG, "pipeline")),
        ),
        "INSERT of 10,000 rows as a batch": Row(
            "insert-10000",
            (ASYNCPG, "executemany"),
            (
                (PSQLPY, "execute_many"),
                (STOCK, "execute_many"),
                (DROP_IN, "execute_many"),
                (PSYCOPG, "executemany"),
            ),
        ),
        "open and close a connection": Row(
            "connect",
            (ASYNCPG, ""),
            ((PSQLPY, ""), None, (DROP_IN, ""), (PSYCOPG, "")),
        ),
    },
)
_COPY = (ASYNCPG, "copy_records_to_table")
_LOADS = ((DROP_IN, "load_from_arrow"), (ADBC, "ingest"))
ARROW = Table(
    ("Arrow", "the drop-in", "ADBC"),
    {
        "load 1,000,000 rows of 3 columns": Row("load-narrow-large", _COPY, _LOADS),
        "load 200,000 rows of 20 columns": Row("load-wide-large", _COPY, _LOADS),
        "load 100,000 rows with a `vector(768)`": Row("load-vector(768)-large", _COPY, _LOADS),
        "read 1,000,000 rows of 4 columns": Row(
            "read", (ASYNCPG, ""), ((DROP_IN, "select_to_arrow"), (ADBC, "fetch_arrow_table"))
        ),
    },
)
TABLES = (QUERIES, ARROW)

_MEASURED = re.compile(r"^Measured on .*$", re.MULTILINE)


def measured(about: Mapping[str, Any]) -> str:
    """The sentence that says when and with what the published results were made."""
    names = ("sqlspec", "psqlpy", "asyncpg", "psycopg", "adbc-driver-postgresql")
    versions = ", ".join(f"{name} {about[f'bench_version_{name}']}" for name in names)
    return (
        f"Measured on {about['bench_date'][:10]} with PostgreSQL {about['bench_postgresql']}, "
        f"{versions}."
    )


def with_tables(text: str, results: Results, about: Mapping[str, Any]) -> str:
    """Return the text with the tables and the sentence of these results. LookupError: no place."""
    text, count = _MEASURED.subn(measured(about), text)
    if count != 1:
        raise LookupError(f"the text has {count} lines that begin with 'Measured on', not 1")
    for table in TABLES:
        head = "| " + " | ".join(table.head) + " |\n"
        begin = text.find(head)
        if begin < 0:
            raise LookupError(f"the text has no table {head.strip()}")
        end = begin
        while text.startswith("|", end):
            end = text.index("\n", end) + 1
        text = text[:begin] + "\n".join(table.lines(results)) + "\n" + text[end:]
    return text


def read_published(file: Path = PUBLISHED) -> tuple[Results, dict[str, Any]]:
    """Read results as pyperf writes them, without pyperf: those who prove have no need of it."""
    stored = json.loads(file.read_text(encoding="utf-8"))
    about = stored.get("metadata", {})
    lines = []
    for benchmark in stored["benchmarks"]:
        one = about | benchmark["metadata"]
        named = ("loop", "group", "regime", "title", "contender", "label")
        words = [one[f"bench_{name}"] for name in named]
        words[-1] = "" if words[-1] == "-" else words[-1]
        samples = [value for run in benchmark["runs"] for value in run.get("values", ())]
        lines.append(Line(*words, unit=one.get("unit", "second"), samples=samples))
    return Results(lines), about
