"""Verdicts -> the JSON report, the table by section and the summary lines."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypedDict

from proveskill.manifest import Manifest
from proveskill.model import Statement
from proveskill.writing import write_whole

SCHEMA = 1
_KEPT = ("section", "excused", "marked")
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
    marked: bool
    """Whether its author has marked it 'not run'."""
    output: dict[str, Any] | None
    error: dict[str, Any] | None


class CheckRecord(TypedDict):
    """An entry of ``checks`` in the report: a front matter, or a file that cannot be read."""

    id: str
    file: str
    line: int
    verdict: str
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
    here: Path,
    checks: list[CheckRecord],
    snippets: list[SnippetRecord],
    statements: list[StatementRecord],
    problems: list[str],
    server: dict[str, Any],
    started: str,
    seconds: float,
    phases: dict[str, float],
    fences: int,
    ok: bool,
    complete: bool,
    files: dict[str, str],
) -> dict[str, Any]:
    """Return the report as the contract describes it, keys in the order of the contract.

    ``here`` is the folder that its paths are relative to; ``files`` has the SHA-256 digest of each
    file of the skills and of each proof, by its path from the manifest.
    """
    verdicts = [record["verdict"] for record in snippets]
    names = ["passed", "failed", "not_run", *["parsed"] * ("parsed" in verdicts)]
    return {
        "schema": SCHEMA,
        "pack": manifest.name,
        "version": manifest.version,
        "started": started,
        "seconds": round(seconds, 3),
        "ok": ok,
        "complete": complete,
        "folder": _in_repository(here),
        "manifest": os.path.relpath(manifest.file, here) if manifest.file else None,
        "environment": {
            "proveskill": installed_versions(["proveskill"])["proveskill"],
            "python": platform.python_version(),
            "platform": platform.platform(),
            **server,
            "packages": installed_versions(manifest.versions),
        },
        "checks": checks,
        "files": files,
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


def _in_repository(folder: Path) -> str:
    """Return a folder relative to the root of the git repository that it is in, ``.`` in none."""
    for root in (folder, *folder.parents):
        if (root / ".git").exists():
            return folder.relative_to(root).as_posix()
    return "."


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
    write_whole(json.dumps(report, indent=2) + "\n", file)


def section_table(
    snippets: Iterable[SnippetRecord],
) -> dict[str, dict[str | None, dict[str, float]]]:
    """Return section -> variant -> verdict -> number, in the order of the text.

    Under ``seconds`` is how long its fences took.
    """
    table: dict[str, dict[str | None, dict[str, float]]] = {}
    for record in snippets:
        row = table.setdefault(record["section"], {}).setdefault(
            record["adapter"], {"seconds": 0.0}
        )
        row[record["verdict"]] = row.get(record["verdict"], 0) + 1
        row["seconds"] += record["seconds"]
    return table
