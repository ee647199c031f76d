"""A report -> what it says of a fence or a statement, and whether the text is still that one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from proveskill.manifest import Manifest
from proveskill.model import ManifestError, Snippet
from proveskill.skill_files import pack_digests
from proveskill.stored_report import read_report

Record = dict[str, Any]
"""An entry of ``snippets`` or ``statements`` of a report."""

_KEYS = ("pack", "started", "totals", "environment", "snippets", "statements")
WORDS = {"not_run": "not run", "excused": "differs", None: "no verdict"}
"""What a reader is told of a fence instead of :func:`verdict_of`."""


@dataclass(frozen=True)
class Evidence:
    """What one run has found, by id of the fence or statement, then by variant of the pack."""

    started: str
    """UTC, as in the report."""
    statement_totals: dict[str, int]
    platform: str
    variants: tuple[str | None, ...]
    snippets: dict[str, dict[str | None, Record]]
    statements: dict[str, dict[str | None, Record]]
    changed: tuple[str, ...] = ()
    """Texts and proofs that are not what they were in that run, by path below the pack's root."""
    versions: dict[str, str] = field(default_factory=dict)
    """What the fences ran on, by name."""


def read_evidence(manifest: Manifest, file: Path) -> Evidence:
    """Read a report of a pack. Raises :class:`ManifestError` for what is none."""
    again = f"write one: proveskill verify {manifest.root} --report {file}"
    try:
        report = read_report(file, _KEYS)
    except ManifestError as error:
        raise ManifestError(f"{error}; {again}") from None
    if report["pack"] != manifest.name:
        raise ManifestError(
            f"{file}: the report is of the pack {report['pack']!r}, not of {manifest.name!r}; "
            f"{again}"
        )
    records = [*report["snippets"], *report["statements"]]
    return Evidence(
        started=report["started"],
        statement_totals=report["totals"]["statements"],
        platform=report["environment"]["platform"],
        variants=tuple(dict.fromkeys(record["adapter"] for record in records)),
        snippets=_by_id(report["snippets"]),
        statements=_by_id(report["statements"]),
        changed=tuple(_changed(manifest, report)),
        versions=_versions(report["environment"]),
    )


def verdict_of(snippet: Snippet, record: Record | None) -> str | None:
    """Return what became of a fence, ``excused`` where it shows a fault that a variant has not."""
    if record is None:
        return None
    if record["verdict"] == "not_run" and snippet.not_run is None:
        return "excused"
    return str(record["verdict"])


def _by_id(records: list[Record]) -> dict[str, dict[str | None, Record]]:
    found: dict[str, dict[str | None, Record]] = {}
    for record in records:
        found.setdefault(record["id"], {})[record["adapter"]] = record
    return found


def _changed(manifest: Manifest, report: dict[str, Any]) -> list[str]:
    """Return what has changed since: by digest, or by time where a report has no digests."""
    now = pack_digests(manifest)
    if isinstance(then := report.get("files"), dict):
        return sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name))
    started = datetime.fromisoformat(report["started"]).timestamp()
    return sorted(name for name in now if (manifest.root / name).stat().st_mtime > started)


def _versions(environment: dict[str, Any]) -> dict[str, str]:
    named = {
        "Python": environment.get("python"),
        "PostgreSQL": environment.get("postgresql"),
        **(environment.get("extensions") or {}),
        **(environment.get("packages") or {}),
    }
    return {name: str(version) for name, version in named.items() if version}
