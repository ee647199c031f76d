"""Reads the lines of a run: medians, spread, and ratios of samples of the same rounds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from suite.lines import Line

BASELINE = "asyncpg"
STEP = 0.05


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which a share of the values is, interpolated."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def paired(line: Line, other: Line) -> list[float]:
    """The ratio of one line to another, for each round that both have."""
    return [a / b for a, b in zip(line.samples, other.samples, strict=False)]


def band(ratios: Sequence[float]) -> tuple[float, float]:
    """The 10th to 90th percentile, rounded outward to steps of 0.05."""
    low, high = percentile(ratios, 0.1), percentile(ratios, 0.9)
    # Without the inner rounding 0.55 / 0.05 would be a little more than 11.
    down = math.floor(round(low / STEP, 6)) * STEP
    up = math.ceil(round(high / STEP, 6)) * STEP
    return round(down, 2), round(up, 2)


def band_text(ratios: Sequence[float]) -> str:
    """A band as text: 0.40-0.55."""
    low, high = band(ratios)
    return f"{low:.2f}-{high:.2f}"


@dataclass(frozen=True)
class Results:
    """The lines of a run."""

    lines: Sequence[Line]

    @property
    def loop(self) -> str:
        """The loop on which most was measured."""
        return statistics.mode(line.loop for line in self.lines)

    def find(self, regime: str, contender: str, label: str | None = None) -> Line | None:
        """The line on the main loop; without a label a contender's first way."""
        return next(
            (
                line
                for line in self.lines
                if (line.loop, line.regime, line.contender) == (self.loop, regime, contender)
                and label in (None, line.label)
            ),
            None,
        )

    def baseline(self, line: Line) -> Line | None:
        """The first way of asyncpg to do the same."""
        return next((o for o in self.same(line) if o.contender == BASELINE), None)

    def same(self, line: Line) -> Iterator[Line]:
        """All lines of the same regime on the same loop."""
        wanted = line.loop, line.regime
        return (other for other in self.lines if (other.loop, other.regime) == wanted)

    def ratios(self, line: Line) -> list[float]:
        """A line's ratios to asyncpg; empty where asyncpg took no part."""
        other = self.baseline(line)
        return paired(line, other) if other else []

    def regimes(self) -> list[tuple[str, str, list[Line]]]:
        """(loop, group, lines of one regime) in the order of the run."""
        found: dict[tuple[str, str], list[Line]] = {}
        for line in self.lines:
            found.setdefault((line.loop, line.regime), []).append(line)
        return [(lines[0].loop, lines[0].group, lines) for lines in found.values()]


def fastest(lines: Iterable[Line]) -> dict[str, Line]:
    """The best way of each contender, by its median."""
    best: dict[str, Line] = {}
    for line in lines:
        known = best.get(line.contender)
        if known is None or statistics.median(line.samples) < statistics.median(known.samples):
            best[line.contender] = line
    return best
