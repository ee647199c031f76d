"""The pages of what this project measures: the promises, the benchmarks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from docutils import nodes
from proveskill.site.directives import table
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parents[1]
PROMISES = Path(os.environ.get("PROMISES") or ROOT / "build" / "docs" / "promises.json")
_STORED = ROOT / "benchmarks" / "results"
_LATEST, _PUBLISHED = _STORED / "latest.json", _STORED / "published.json"
RESULTS = Path(os.environ.get("RESULTS") or (_LATEST if _LATEST.is_file() else _PUBLISHED))

_BENCHMARKS = """\
# Benchmarks

All drivers at the same work in one run, each with its plain way and with its own best one. A ratio
is a band: the 10th to the 90th percentile of the ratios of samples of the same rounds, rounded
outward to steps of 0.05. Ratios of different runs do not compare.

"""


def setup(app: Sphinx) -> None:
    """Register the directive and the page; Sphinx calls this."""
    app.add_directive("promises", Promises)
    app.connect("builder-inited", write_benchmarks)


class Promises(SphinxDirective):
    """The table of ``make promises``, as ``--promises-json`` stores it."""

    def run(self) -> list[nodes.Node]:
        """Return the table, or how to make it."""
        if not PROMISES.is_file():
            how = nodes.paragraph(text="Nothing was measured here yet. This does it:")
            command = "make docs-promises docs"
            return [how, nodes.literal_block(command, command, language="bash")]
        found = json.loads(PROMISES.read_text(encoding="utf-8"))
        rows = [
            [[promise["id"]], [promise["text"]], [promise["stock"]], [promise["bundled"]]]
            for promise in found["promises"]
        ]
        on = ", ".join(f"{name} {version}" for name, version in found["packages"].items())
        return [
            table(("", "promise", "stock", "bundled"), rows, "promises"),
            nodes.paragraph(text=f"Run of {found['started']}: {on}."),
        ]


def write_benchmarks(app: Sphinx) -> None:
    """Write ``benchmarks.md``: the chart and the tables of the latest results."""
    page = Path(app.srcdir, "benchmarks.md")
    if not RESULTS.is_file():
        how = "There are no results here yet. This makes them, in a quarter of an hour:"
        page.write_text(f"{_BENCHMARKS}{how}\n\n```bash\nmake bench docs\n```\n")
        return
    report, chart = ROOT / "benchmarks" / "report.py", page.with_name("ratios.svg")
    command = [sys.executable, str(report), str(RESULTS), "--svg", str(chart)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if chart.is_file():
        picture = f'<div class="wide">\n\n![Ratios to asyncpg]({chart.name})\n\n</div>\n\n'
        head, heading, tables = process.stdout.partition("\n### ")
        about = head.strip().replace("\n", "\\\n")  # a line of it stays a line
        shown = f"{heading}{tables}".replace("\n### ", "\n## ")
        page.write_text(f"{_BENCHMARKS}{picture}{about}\n{shown}")
        return
    reason = process.stderr.strip()[-1000:]
    page.write_text(
        f"{_BENCHMARKS}There are results, but they cannot be drawn:\n\n```text\n{reason}\n```\n\n"
        "This installs what is needed:\n\n```bash\nmake bench-report docs\n```\n"
    )
