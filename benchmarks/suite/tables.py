"""The results as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from typing import Any

from suite.lines import Line
from suite.results import Results, band_text, percentile

HEAD = "| | Contender | Median | 10 %-90 % | / asyncpg |\n|---|---|--:|--:|--:|"


def amount(value: float, unit: str) -> str:
    """A time or a size, with three digits."""
    scales = (
        ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "B"))
        if unit == "byte"
        else ((1, "s"), (1e-3, "ms"), (1e-6, "us"))
    )
    scale, name = next((s for s in scales if value >= s[0]), scales[-1])
    return f"{value / scale:#.3g}".rstrip(".") + f" {name}"


def spread(line: Line) -> str:
    """From the 10th to the 90th percentile."""
    low, high = (amount(percentile(line.samples, share), line.unit) for share in (0.1, 0.9))
    (first, unit), (second, other) = low.split(), high.split()
    return f"{first}-{second} {unit}" if unit == other else f"{low}-{high}"


def tables(results: Results) -> Iterator[str]:
    """A table for each group of regimes, the fastest first."""
    previous = None
    for loop, group, lines in results.regimes():
        if (loop, group) != previous:
            suffix = "" if loop == results.loop else f" ({loop})"
            yield f"\n### {group}{suffix}\n\n{HEAD}"
            previous = loop, group
        title = lines[0].title
        for line in sorted(lines, key=lambda line: statistics.median(line.samples)):
            median = amount(statistics.median(line.samples), line.unit)
            ratios = results.ratios(line)
            ratio = "1" if line is results.baseline(line) else band_text(ratios) if ratios else "-"
            yield f"| {title} | {line.name} | {median} | {spread(line)} | {ratio} |"
            title = ""


def head(about: Mapping[str, Any]) -> str:
    """Where and with what the run was made."""
    versions = ", ".join(
        f"{name.removeprefix('bench_version_')} {value}"
        for name, value in about.items()
        if name.startswith("bench_version_")
    )
    processor = about.get("cpu_model_name", about.get("platform", "unknown processor"))
    return (
        f"{about.get('bench_date')}, {about.get('bench_mode')} run, rounds: "
        f"{about.get('bench_rounds')} (loads have fewer)\n"
        f"{processor}, {about.get('cpu_count')} cores, pinned: {about.get('bench_pinned')}\n"
        f"PostgreSQL {about.get('bench_postgresql')} ({about.get('bench_server')}), pgvector "
        f"{about.get('bench_pgvector_server')}\n"
        f"{versions}\n"
        f"Large loads and reads are of {about.get('bench_rows'):,} rows, wide loads of "
        f"{about.get('bench_rows_wide'):,}, loads of vectors of {about.get('bench_rows_vector'):,}."
    )
