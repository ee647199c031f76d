"""Put results into the guidance.

Copies the results to benchmarks/results/published.json, draws their chart into the skill and writes
their ratios into the tables of references/performance.md. `make verify` proves the text by both.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from suite.guidance import PUBLISHED, read_published, with_tables

ROOT = Path(__file__).parents[1]
LATEST = ROOT / "benchmarks" / "results" / "latest.json"
SKILL = ROOT / "skills" / "sqlspec-psqlpy"
TEXT = SKILL / "references" / "performance.md"
CHART = SKILL / "assets" / "performance.svg"


def main() -> int:
    """Publish; return the exit status. Nothing is written unless all of it can be."""
    parser = argparse.ArgumentParser(
        prog="benchmarks/publish.py", description=(__doc__ or "").partition("\n\n")[2]
    )
    parser.add_argument("file", type=Path, nargs="?", default=LATEST, help="results (%(default)s)")
    options = parser.parse_args()
    try:
        results, about = read_published(options.file)
        if about.get("bench_mode") != "full":
            print(f"error: {options.file} is of a quick run: `make bench`", file=sys.stderr)
            return 1
        text = with_tables(TEXT.read_text(encoding="utf-8"), results, about)
    except (OSError, ValueError, KeyError, LookupError) as error:
        print(f"error: {error}; `make bench` writes results", file=sys.stderr)
        return 2
    from suite.chart import draw  # it loads matplotlib

    PUBLISHED.parent.mkdir(exist_ok=True)
    draw(results, CHART)
    if options.file.resolve() != PUBLISHED:
        shutil.copyfile(options.file, PUBLISHED)
    TEXT.write_text(text, encoding="utf-8")
    for file in (PUBLISHED, CHART, TEXT):
        print(file.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
