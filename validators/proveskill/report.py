"""Verdicts -> the JSON report, the table by section and the summary lines."""

from __future__ import annotations

import json
import platform
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypedDict

from proveskill.manifest import Manifest
from proveskill.model import Statement

SCHEMA = 1
_KEPT = ("section", "excused")
"""Fields of a record that the report leaves out."""


class SnippetRecord(TypedDict):
    """An entry of ``snippets`` in the report; see the contract in README.md."""

    id: str
    section: str
    file: str
    line: int
    language: str
    adapter: str | None
    verdict: str
    seconds: float
    reason: str | None
    excused: bool
    """Whether it was run, and failed as the variant's entry in skill.yaml expects."""
    error: dict[str, Any] | None


class StatementRecord(TypedDict):
    """An entry of ``statements`` in the report."""

    id: str
    file: str
    line: int
    text: str
    adapter: str | None
    verdict: str
    proofs: list[str]
    seconds: float
    reason: str | None
    error: dict[str, Any] | None


def statement_record(
    statement: Statement, file: str, adapter: str | None, verdict: str, reason: str | None = None
) -> StatementRecord:
    """Return the record of a statement for which nothing ran."""
    return {
        "id": statement.id,
        "file": file,
        "line": statement.line,
        "text": statement.text,
        "adapter": adapter,
        "verdict": verdict,
        "proofs": [],
        "seconds": 0.0,
        "reason": reason,
        "error": None,
    }


def statement_totals(records: Iterable[StatementRecord]) -> dict[str, int]:
    """Count statements, each once: by its worst verdict on the variants that were run."""
    worst: dict[str, str] = {}
    for record in records:
        verdict = worst.setdefault(record["id"], record["verdict"])
        if record["verdict"] == "failed" or verdict != "failed":
            worst[record["id"]] = record["verdict"]
    verdicts = list(worst.values())
    return {name: verdicts.count(name) for name in ("proven", "advice", "unproven", "failed")}


def build_report(
    manifest: Manifest,
    snippets: list[SnippetRecord],
    statements: list[StatementRecord],
    problems: list[str],
    server: dict[str, Any],
    started: str,
    seconds: float,
    phases: dict[str, float],
    fences: int,
    ok: bool,
) -> dict[str, Any]:
    """Return the report as the contract describes it, keys in the order of the contract."""
    verdicts = [record["verdict"] for record in snippets]
    names = ("passed", "failed", "not_run")
    return {
        "schema": SCHEMA,
        "pack": manifest.name,
        "version": manifest.version,
        "started": started,
        "seconds": round(seconds, 3),
        "ok": ok,
        "environment": {
            "python": platform.python_version(),
            "platform": platform.platform(),
            **server,
            "packages": installed_versions(manifest.versions),
        },
        "snippets": [{k: v for k, v in record.items() if k not in _KEPT} for record in snippets],
        "statements": statements,
        "problems": problems,
        "phases": {name: round(value, 3) for name, value in phases.items()},
        "totals": {
            "fences": fences,
            "snippets": {name: verdicts.count(name) for name in names},
            "statements": statement_totals(statements),
        },
    }


def installed_versions(names: Iterable[str]) -> dict[str, str | None]:
    """Return the installed version of each distribution, None for one that is missing."""
    from importlib.metadata import PackageNotFoundError, version  # slow to import

    found: dict[str, str | None] = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def other_versions(manifest: Manifest) -> list[str]:
    """Return a line for each package of another version than the pack was verified with."""
    installed = installed_versions(manifest.versions)
    return [
        f"note: {name} {installed[name] or 'is missing'}; the pack was verified with {pinned}"
        for name, pinned in manifest.versions.items()
        if installed[name] != pinned and name != "postgresql"
    ]


def write_report(report: dict[str, Any], file: Path) -> None:
    """Write a report, whole or not at all. Raises ``OSError``."""
    write_text(json.dumps(report, indent=2) + "\n", file)


def write_text(text: str, file: Path) -> None:
    """Write a file, whole or not at all. Raises ``OSError``."""
    with tempfile.NamedTemporaryFile(
        "w", dir=file.resolve().parent, prefix=f".{file.name}-", encoding="utf-8", delete=False
    ) as scratch:
        scratch.write(text)
    Path(scratch.name).replace(file)


def section_table(
    snippets: Iterable[SnippetRecord],
) -> dict[str, dict[str | None, tuple[int, int, int, float]]]:
    """Return section -> variant -> (passed, failed, not run, seconds), in the order of the text."""
    table: dict[str, dict[str | None, tuple[int, int, int, float]]] = {}
    for record in snippets:
        row = table.setdefault(record["section"], {})
        passed, failed, not_run, seconds = row.get(record["adapter"], (0, 0, 0, 0.0))
        verdict = record["verdict"]
        row[record["adapter"]] = (
            passed + (verdict == "passed"),
            failed + (verdict == "failed"),
            not_run + (verdict == "not_run"),
            seconds + record["seconds"],
        )
    return table
