"""The ratios as a picture."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot

from suite.results import BASELINE, Results, band, fastest
from suite.targets import BYTES

INK = "#7d8590"  # readable on white and on black, as are the colours below
STYLES = {
    "bundled adapter": ("#e5534b", "o", 8.0),
    "psqlpy": ("#d18616", "s", 5.0),
    "stock adapter": ("#b083f0", "v", 5.0),
    "psycopg async": ("#4d8fdb", "D", 4.5),
    "psycopg sync": ("#6cb6ff", "d", 4.5),
    "SQLSpec on asyncpg": ("#57ab5a", "^", 5.0),
    "ADBC": ("#2aa198", "X", 5.5),
}


def draw(results: Results, path: Path) -> None:
    """Write an SVG: for each regime the best way of each contender, as a ratio to asyncpg's.

    The same results give the same bytes.
    """
    mpl.rcParams.update({"svg.hashsalt": "benchmarks", "svg.fonttype": "none", "font.size": 9})
    rows = [
        (f"{group}: {lines[0].title}", fastest(line for line in lines if line.label != BYTES))
        for loop, group, lines in results.regimes()
        if loop == results.loop
    ]
    rows = [(title, best) for title, best in rows if BASELINE in best]
    figure, axes = pyplot.subplots(figsize=(9, 1.2 + 0.3 * len(rows)), layout="constrained")
    figure.patch.set_alpha(0)
    axes.patch.set_alpha(0)
    for number, (_, best) in enumerate(rows):
        for contender, line in best.items():
            if contender not in STYLES:
                continue
            colour, marker, size = STYLES[contender]
            base = best[BASELINE].samples
            ratios = [a / b for a, b in zip(line.samples, base, strict=False)]
            low, high = band(ratios)
            middle = sorted(ratios)[len(ratios) // 2]
            axes.plot([max(low, 0.01), high], [number, number], color=colour, alpha=0.5, lw=2)
            axes.plot(middle, number, marker, color=colour, ms=size)
    for contender, (colour, marker, size) in STYLES.items():
        axes.plot([], [], marker, color=colour, ms=size, label=contender)
    axes.axvline(1, color=INK, lw=1)
    axes.set_xscale("log")
    ticks = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks(range(len(rows)), [title for title, _ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="both", color=INK, alpha=0.25, lw=0.5)
    figure.supxlabel(
        "as a ratio to asyncpg, each by its best way; less is better", color=INK, size=9
    )
    axes.tick_params(colors=INK, length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    figure.legend(loc="outside upper center", ncols=4, frameon=False, labelcolor=INK)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
