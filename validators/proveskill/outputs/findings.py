"""What is wrong in a report, in one form for all outputs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Finding:
    """A fence, a statement, a check or the pack as a whole, which does not hold."""

    rule: str
    """A key of :data:`RULES`."""
    subject: str
    """``configuration#pool/1``, or what the problem of a pack says, without its numbers."""
    type: str
    message: str
    file: str
    """Relative to the root of the repository, where it is in one."""
    line: int
    values: dict[str, str] = field(default_factory=dict)
    adapter: str | None = None
    rerun: str = ""

    @property
    def text(self) -> str:
        """The message, with what was expected and what was seen."""
        return "\n".join([self.message, *(f"{key}: {v}" for key, v in self.values.items())])


_PASSING = re.compile(r"\S*/\S*|\d[\d.,%]*")
"""What a problem says of this run and this machine alone: paths and numbers."""

RULES: dict[str, str] = {
    "fence-failed": "A code fence does not do what the text says.",
    "statement-failed": "A sentence does not hold: its proof fails.",
    "statement-unproven": "A sentence must be proven, and no proof quotes it.",
    "check-failed": "A file cannot be read, or its front matter is not what skills need.",
    "pack-problem": "The pack as a whole does not hold: a budget, a stale entry, a missing server.",
}


def findings(report: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong: checks, fences, statements and problems, each in their order."""
    for check in report.get("checks", []):
        yield from _of(check, "check-failed", report)
    for snippet in report["snippets"]:
        yield from _of(snippet, "fence-failed", report)
    for statement in report["statements"]:
        kind = "unproven" if statement["verdict"] == "unproven" else "failed"
        yield from _of(statement, f"statement-{kind}", report)
    for problem in report.get("problems", []):
        place = report.get("manifest") or _first_file(report)
        file = in_repository(report, place)
        yield Finding("pack-problem", _PASSING.sub("", problem), "Problem", problem, file, 1)


def in_repository(report: Mapping[str, Any], file: str) -> str:
    """Return a path of a report relative to the root of the repository that it was made in."""
    return posixpath.normpath(posixpath.join(report.get("folder", "."), file))


def _of(record: Mapping[str, Any], rule: str, report: Mapping[str, Any]) -> Iterator[Finding]:
    if (error := record["error"]) is not None:
        yield Finding(
            rule=rule,
            subject=record["id"],
            type=error["type"],
            message=error["message"],
            file=in_repository(report, error["file"]),
            line=max(1, error["line"]),
            values=dict(error["values"]),
            adapter=record.get("adapter"),
            rerun=error["rerun"],
        )


def _first_file(report: Mapping[str, Any]) -> str:
    records = [*report.get("checks", []), *report["snippets"], *report["statements"]]
    return str(records[0]["file"]) if records else "SKILL.md"
