"""The report -> Markdown, for the summary page of a CI run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from proveskill.outputs.counts import claim, plural
from proveskill.outputs.findings import Finding, findings, in_repository
from proveskill.render import visible

_MOST_FINDINGS = 50
_MOST_REASONS = 10
_LONGEST = 300
"""Characters of a message. GitHub refuses a summary of more than 1 MiB."""
_FENCES = ("passed", "parsed", "failed", "not_run")
_STATEMENTS = ("proven", "advice", "unproven", "failed")


def step_summary(report: Mapping[str, Any]) -> str:
    """Return the Markdown: the result, what is wrong, and a table by file."""
    parts = [
        f"## {'✅' if report['ok'] else '❌'} {_plain(report['pack'])}: {claim(report)}",
        _environment(report),
        *_wrong(list(findings(report))),
        _table(report),
        *_reasons(report),
    ]
    return "\n\n".join(parts) + "\n"


def _environment(report: Mapping[str, Any]) -> str:
    environment = report["environment"]
    names = {"Python": environment["python"], "PostgreSQL": environment.get("postgresql")}
    names |= environment.get("extensions", {}) | environment.get("packages", {})
    shown = [f"{_plain(name)} {version}" for name, version in names.items() if version]
    end = "" if report.get("complete", True) else " The run was cut short."
    return f"{', '.join(shown)}; {report['seconds']:.1f} s.{end}"


def _wrong(found: list[Finding]) -> Iterator[str]:
    if not found:
        return
    rows = ["| Where | What |", "|---|---|"]
    for finding in found[:_MOST_FINDINGS]:
        place = f"`{finding.file}:{finding.line}`" + (
            f" ({finding.adapter})" if finding.adapter else ""
        )
        rows.append(f"| {place} | **{_plain(finding.type)}** {_plain(finding.text)} |")
    yield "\n".join(rows)
    if len(found) > _MOST_FINDINGS:
        yield f"... and {len(found) - _MOST_FINDINGS} more: see the log, or the JSON report."


def _table(report: Mapping[str, Any]) -> str:
    counts: dict[str, Counter[str]] = {}
    for kind in ("snippets", "statements"):
        for record in report[kind]:
            file = in_repository(report, record["file"])
            counts.setdefault(file, Counter())[f"{kind} {record['verdict']}"] += 1
    columns = [f"snippets {name}" for name in _FENCES] + [f"statements {n}" for n in _STATEMENTS]
    used = [name for name in columns if any(row[name] for row in counts.values())]
    heads = [name.replace("snippets", "fences").replace("_", " ") for name in used]
    total = [sum(row[name] for row in counts.values()) for name in used]
    lines = [f"| File | {' | '.join(heads)} |", "|---|" + "--:|" * len(used)]
    lines += [
        f"| {_plain(file)} | {' | '.join(str(row[name] or '') for name in used)} |"
        for file, row in counts.items()
    ]
    lines.append(f"| **all** | {' | '.join(f'**{number}**' for number in total)} |")
    head = f"<details><summary>{plural(len(counts), 'file')}</summary>"
    return f"{head}\n\n{chr(10).join(lines)}\n\n</details>"


def _reasons(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield why fences were not executed, the most frequent reasons first."""
    kept = [s for s in report["snippets"] if s["verdict"] in ("parsed", "not_run")]
    reasons = Counter(f"{s['verdict'].replace('_', ' ')}: {s['reason']}" for s in kept)
    if not reasons:
        return
    shown = reasons.most_common(_MOST_REASONS)
    lines = [f"- {_plain(reason)} ({plural(number, 'fence')})" for reason, number in shown]
    if more := len(reasons) - len(shown):
        lines.append(f"- and {more} other reasons")
    head = f"<details><summary>Not executed: {plural(len(kept), 'fence')}</summary>"
    yield f"{head}\n\n{chr(10).join(lines)}\n\n</details>"


def _plain(text: str) -> str:
    """Return a text that Markdown shows as it is, in one line."""
    line = visible(" ".join(text.split()))
    line = line if len(line) <= _LONGEST else line[:_LONGEST] + " …"
    return re.sub(r"([\\`*_\[\]|#])", r"\\\1", escape(line, quote=False))
