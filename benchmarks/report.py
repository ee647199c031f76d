"""Show the results of the benchmark suite: ``make bench-report``, ``--help``.

Prints tables in Markdown and the targets; exit status 1: one was missed, 2: no results.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

from suite.results import Results
from suite.store import read
from suite.tables import head, tables
from suite.targets import target_table, verdicts

LATEST = Path(__file__).parent / "results" / "latest.json"


def main() -> int:
    """Print the report; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="benchmarks/report.py",
        description=(__doc__ or "").partition("\n\n")[2],
        epilog="A ratio is a band: the 10th to the 90th percentile of the ratios of samples of "
        "the same rounds, rounded outward to steps of 0.05.",
    )
    parser.add_argument("file", type=Path, nargs="?", default=LATEST, help="results (%(default)s)")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the ratios")
    parser.add_argument("--targets", action="store_true", help="print the targets alone")
    options = parser.parse_args()
    try:
        lines, about = read(options.file)
    except (OSError, ValueError) as error:
        print(f"error: {error}; `make bench` writes results", file=sys.stderr)
        return 2
    results = Results(lines)
    print(head(about))
    if not options.targets:
        print("\n".join(tables(results)))
    print(f"\n### Targets ({results.loop})\n")
    print("\n".join(target_table(results)))
    if options.svg:
        from suite.chart import draw  # it loads matplotlib

        draw(results, options.svg)
    return 1 if any(verdict == "MISSED" for _, _, verdict in verdicts(results)) else 0


if __name__ == "__main__":
    sys.exit(main())
