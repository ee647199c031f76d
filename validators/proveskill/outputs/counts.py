"""The counts of a report in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from proveskill.outputs.findings import findings

_WRONG = {
    "fence-failed": ("fence", "failed"),
    "statement-failed": ("statement", "failed"),
    "statement-unproven": ("statement", "unproven"),
    "check-failed": ("check", "failed"),
    "pack-problem": ("problem", "of the pack"),
}
"""By the rule of the findings."""


def plural(number: int, noun: str) -> str:
    """Return ``1 fence``, ``2 fences``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def claim(report: Mapping[str, Any]) -> str:
    """Return what a run has shown: what is wrong, else what holds. Parsed is never proven."""
    wrong = Counter(rule for rule, _ in {(f.rule, f.subject) for f in findings(report)})
    if wrong:
        return ", ".join(
            f"{plural(wrong[rule], noun)} {what}"
            for rule, (noun, what) in _WRONG.items()
            if wrong[rule]
        )
    if not report["ok"]:
        return "failing" if report.get("complete", True) else "cut short"
    ids = {name: set[str]() for name in ("passed", "parsed")}
    for record in report["snippets"]:  # one for each variant of the pack
        ids.setdefault(record["verdict"], set()).add(record["id"])
    passed, parsed = len(ids["passed"]), len(ids["parsed"] - ids["passed"])
    proven = report["totals"]["statements"]["proven"]
    shown = [plural(passed, "fence")] * bool(passed) + [plural(proven, "statement")] * bool(proven)
    parts = [f"{', '.join(shown)} proven"] * bool(shown)
    if parsed:
        parts.append(f"{parsed:,} only parsed" if passed else f"{plural(parsed, 'fence')} parsed")
    return ", ".join(parts) or "nothing proven"
