"""A report and a skill -> its receipt: what was proven of which bytes, on which versions.

The layout is that of an in-toto Statement (https://in-toto.io/Statement/v1): ``subject`` names the
files by their digests, ``predicate`` says what holds of them.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proveskill.json_lines import json_lines
from proveskill.manifest import Manifest
from proveskill.section_records import SectionRecord
from proveskill.skill_files import RECEIPT, digest_of, skill_files, source_digests

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://proveskill.invalid/receipt/v1"

REPORT_KEYS = (
    *("pack", "version", "started", "ok", "environment"),
    *("files", "totals", "snippets", "statements"),
)
"""What a report must have."""
_AGAIN = "verify the whole pack again with --report"

Report = dict[str, Any]


class NotProven(Exception):
    """Why a report is no ground for a receipt; the message has the values and the next step."""


def receipt_text(
    manifest: Manifest, skill: Path, records: list[SectionRecord], report: Report
) -> str:
    """Return the text of a skill's ``VERIFIED.json``. Raises :class:`NotProven`."""
    _require_success(manifest, report)
    _require_same_files(manifest, skill, report)
    verdicts = _Verdicts.of(report, manifest)
    sections = [_section(record, verdicts) for record in records]
    files = {name: file for name, file in skill_files(skill).items() if name != RECEIPT}
    return json_lines(
        {
            "_type": STATEMENT,
            "subject": [
                {"name": name, "digest": {"sha256": digest_of(file.read_bytes())}}
                for name, file in files.items()
            ],
            "predicateType": PREDICATE,
            "predicate": {
                "pack": manifest.name,
                "version": manifest.version,
                "skill": skill.name,
                "verified": report["started"],
                "environment": _environment(report),
                "variants": [name for name in verdicts.variants if name is not None],
                "totals": report["totals"],
                "sections": sections,
            },
        }
    )


def _require_success(manifest: Manifest, report: Report) -> None:
    if (report["pack"], report["version"]) != (manifest.name, manifest.version):
        raise NotProven(
            f"the report is of {report['pack']} {report['version']}, the pack is "
            f"{manifest.name} {manifest.version}: {_AGAIN}"
        )
    if not report["ok"]:
        totals = report["totals"]
        raise NotProven(
            f"the run has failed: {totals['snippets']['failed']} fences, "
            f"{totals['statements']['failed']} statements, {len(report.get('problems', []))} other "
            f"problems: mend the pack and {_AGAIN}"
        )


def _require_same_files(manifest: Manifest, skill: Path, report: Report) -> None:
    prefix = "" if skill == manifest.root else os.path.relpath(skill, manifest.root) + "/"
    ran = {
        name.removeprefix(prefix): digest
        for name, digest in report["files"].items()
        if name.startswith(prefix)
    }
    now = source_digests(skill)
    changed = sorted(name for name in ran.keys() | now.keys() if ran.get(name) != now.get(name))
    if changed:
        more = f" and {len(changed) - 5} more" if changed[5:] else ""
        raise NotProven(f"{skill.name}: not what was run: {', '.join(changed[:5])}{more}: {_AGAIN}")


def _environment(report: Report) -> dict[str, Any]:
    shown = ("python", "server", "postgresql", "extensions", "packages")
    return {name: report["environment"].get(name) for name in shown}


@dataclass(frozen=True)
class _Verdicts:
    """The verdicts of a report, by id and variant."""

    variants: list[str | None]
    snippets: dict[tuple[str, str | None], str]
    statements: dict[str, list[tuple[str | None, str]]]

    @classmethod
    def of(cls, report: Report, manifest: Manifest) -> _Verdicts:
        """Raises :class:`NotProven` for a variant that the pack does not have."""
        found: set[str | None] = {
            record["adapter"] for record in report["snippets"] + report["statements"]
        }
        if unknown := found - {*manifest.adapters, None}:
            raise NotProven(f"the pack has no variant {', '.join(map(str, unknown))}: {_AGAIN}")
        statements: dict[str, list[tuple[str | None, str]]] = defaultdict(list)
        for entry in report["statements"]:
            statements[entry["id"]].append((entry["adapter"], entry["verdict"]))
        return cls(
            variants=[name for name in (*manifest.adapters, None) if name in found],
            snippets={(e["id"], e["adapter"]): e["verdict"] for e in report["snippets"]},
            statements=dict(statements),
        )


def _section(record: SectionRecord, verdicts: _Verdicts) -> dict[str, Any]:
    """Count the verdicts of a section. Raises :class:`NotProven` when one is missing."""
    section = record.section
    missing = [
        snippet.id
        for snippet in section.snippets
        for variant in verdicts.variants or [None]
        if (snippet.id, variant) not in verdicts.snippets
    ]
    missing += [s.id for s in section.statements if s.id not in verdicts.statements]
    if missing:
        raise NotProven(
            f"{missing[0]} has no verdict: the report is of a part of the pack: "
            "verify all of it with --report, without -k"
        )
    fences, statements = {}, {}
    for variant in verdicts.variants:
        name = variant or "default"
        fences[name] = _counted(verdicts.snippets[s.id, variant] for s in section.snippets)
        statements[name] = _counted(
            verdict
            for statement in section.statements
            for adapter, verdict in verdicts.statements[statement.id]
            if adapter == variant
        )
    return {"id": section.id, "fences": fences, "statements": statements}


def _counted(verdicts: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(verdicts).items()))


def changes(skill: Path, receipt: dict[str, Any]) -> list[str]:
    """Return the files of a skill that are not as its receipt says, each with how."""
    wanted = {entry["name"]: entry["digest"]["sha256"] for entry in receipt["subject"]}
    files = {name: file for name, file in skill_files(skill).items() if name != RECEIPT}
    found = {name: digest_of(file.read_bytes()) for name, file in files.items()}
    return [
        f"{name}: {'missing' if name not in found else 'new' if name not in wanted else 'changed'}"
        for name in sorted(wanted.keys() | found.keys())
        if wanted.get(name) != found.get(name)
    ]
