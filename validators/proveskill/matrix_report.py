"""The results of a matrix -> a table for a person, Markdown and JSON."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from packaging.version import Version

from proveskill.manifest import Manifest
from proveskill.matrix_bisect import Step
from proveskill.matrix_run import Break, SetResult
from proveskill.matrix_sets import Matrix, canonical
from proveskill.matrix_verify import Item

SCHEMA = 1
_VERDICTS = {True: "holds", False: "breaks"}


@dataclass(frozen=True)
class MatrixReport:
    """What a run over sets of versions has shown."""

    manifest: Manifest
    matrix: Matrix
    results: Sequence[SetResult]
    problems: Sequence[str]
    """What is wrong with the known breaks."""
    started: str
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether everything holds, but for what is known to break."""
        return not self.problems and all(result.ok for result in self.results)

    def lines(self) -> Iterator[str]:
        """Yield the table and the breaks for a terminal."""
        rows = [self._header(), *map(self._row, self.results)]
        widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
        for row, result in zip(rows, (None, *self.results), strict=True):
            if result is not None and result.run.tells_nothing:
                yield f"{row[0]:<{widths[0]}}  not run: {result.run.reason}"
            else:
                cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
                yield "  ".join(cells).rstrip()
        for title, breaks in self._groups():
            yield f"\n{title}"
            if breaks[0].known is not None:
                yield f"  {len(breaks)} item{'s' * (len(breaks) > 1)}"
                continue
            for message in dict.fromkeys(map(_message, breaks)):
                for each in (each for each in breaks if _message(each) == message):
                    yield f"  {_place(each)}: {each.item[1]}{_variant(each.item)}"
                yield f"    {message}"
        yield from (f"\n{line}" for line in self._rest())

    def markdown(self) -> str:
        """Return the report as a page."""
        first = f"# {self.manifest.name} {self.manifest.version}: " + (
            "all holds" if self.ok else "something breaks"
        )
        header = self._header()
        lines = [first, "", f"{self.started}, {self.seconds:.0f} s", "", _markdown_row(header)]
        lines.append("|---" * len(header) + "|")
        for result, row in zip(self.results, map(self._row, self.results), strict=True):
            if result.run.tells_nothing:
                reason = _escaped(f"not run: {result.run.reason}")
                lines.append(f"| {row[0]} | {reason} |" + " |" * (len(header) - 2))
            else:
                lines.append(_markdown_row(row))
        for title, breaks in self._groups():
            lines += ["", f"## {title}", "", "| Item | Where | What |", "|---|---|---|"]
            for each in breaks:
                cells = (f"`{each.item[1]}`{_variant(each.item)}", _place(each), _message(each))
                lines.append(_markdown_row(cells))
        lines += [f"\n- {_escaped(line)}" for line in self._rest()]
        return "\n".join(lines) + "\n"

    def as_json(self) -> dict[str, Any]:
        """Return the report as data."""
        return {
            "schema": SCHEMA,
            "pack": self.manifest.name,
            "version": self.manifest.version,
            "started": self.started,
            "seconds": round(self.seconds, 3),
            "ok": self.ok,
            "sets": [_set_record(result) for result in self.results],
            "breaks": [_break_record(r, each) for r in self.results for each in r.breaks],
            "problems": list(self.problems),
        }

    def _header(self) -> tuple[str, ...]:
        counts = ("fences", "statements", "breaks", "known", "seconds")
        return ("set", "Python", "PostgreSQL", *self.matrix.packages, *counts)

    def _row(self, result: SetResult) -> tuple[str, ...]:
        run = result.run
        if run.tells_nothing or run.environment is None:
            return (run.version_set.name, *[""] * (len(self._header()) - 1))
        surroundings = run.report["environment"]
        installed = run.environment.versions
        totals = run.report["totals"]
        known = sum(each.known is not None for each in result.breaks)
        return (
            run.version_set.name,
            surroundings["python"],
            surroundings.get("postgresql") or "-",
            *(installed.get(canonical(name), "-") for name in self.matrix.packages),
            str(totals["fences"]),
            str(sum(totals["statements"].values())),
            str(len(result.breaks) - known),
            str(known),
            f"{run.seconds:.0f}",
        )

    def _groups(self) -> Iterator[tuple[str, list[Break]]]:
        """Yield the breaks of each set, by why they break."""
        for result in self.results:
            titled = sorted(((_title(result, b), b) for b in result.breaks), key=lambda t: t[0])
            for title, group in groupby(titled, key=lambda t: t[0]):
                yield title, [each for _, each in group]

    def _rest(self) -> Iterator[str]:
        for result in self.results:
            name = result.run.version_set.name
            if result.unsteady:
                items = ", ".join(f"{item[1]}{_variant(item)}" for item in result.unsteady)
                yield f"unsteady in {name}, failed and then held alone: {items}"
            yield from (f"error: {name}: {problem}" for problem in result.run.problems)
        yield from (f"error: {self.manifest.file}: {problem}" for problem in self.problems)


def _title(result: SetResult, found: Break) -> str:
    name = result.run.version_set.name
    if found.step is not None:
        why = describe(found.step, result.run.report["environment"].get("postgresql"))
    else:
        why = "breaks in the first set, too" if found.everywhere else "breaks"
    return f"{name}: {why}" + (f" (known: {found.known.reason})" if found.known else "")


def describe(step: Step, postgresql: str | None) -> str:
    """Return in words where an item breaks: "holds from psqlpy 0.13.1 on, not with 0.12.1".

    ``postgresql`` is the version of the server with which it breaks.
    """
    told = []
    for name, (good, bad) in step.changes.items():
        if name == "python":
            told.append(f"breaks with Python {bad or platform.python_version()}")
        elif name == "server":
            told.append(f"breaks with PostgreSQL {postgresql or bad}")
        elif good is None or bad is None:
            told.append(f"breaks with {name} {bad or good}")
        elif Version(good) > Version(bad):
            told.append(f"holds from {name} {good} on, not with {bad}")
        else:
            told.append(f"breaks from {name} {bad} on, holds with {good}")
    return "; ".join(told) or "breaks without the lock"


def _set_record(result: SetResult) -> dict[str, Any]:
    run = result.run
    breaks = bool(result.breaks) or bool(run.problems)
    return {
        "name": run.version_set.name,
        "verdict": "not_run" if run.tells_nothing else _VERDICTS[not breaks],
        "ok": result.ok,
        "reason": run.reason,
        "optional": run.version_set.optional,
        "seconds": round(run.seconds, 3),
        "packages": dict(run.environment.versions) if run.environment else {},
        "environment": run.report.get("environment"),
        "totals": run.report.get("totals"),
        "problems": run.problems,
        "unsteady": [{"id": name, "adapter": adapter or None} for adapter, name in result.unsteady],
    }


def _break_record(result: SetResult, found: Break) -> dict[str, Any]:
    error: Mapping[str, Any] = found.record["error"]
    first = None
    if found.step is not None:
        changes = found.step.changes.items()
        first = {name: {"holds": good, "breaks": bad} for name, (good, bad) in changes}
    return {
        "set": result.run.version_set.name,
        "id": found.item[1],
        "adapter": found.item[0] or None,
        "file": found.record["file"],
        "line": error["line"] or found.record["line"],
        "type": error["type"],
        "message": error["message"],
        "first": first,
        "everywhere": found.everywhere,
        "known": found.known.reason if found.known else None,
    }


def _place(found: Break) -> str:
    return f"{found.record['file']}:{found.record['error']['line'] or found.record['line']}"


def _variant(item: Item) -> str:
    return f" ({item[0]})" if item[0] else ""


def _message(found: Break) -> str:
    error = found.record["error"]
    words = " ".join(f"{error['type']}: {error['message']}".split())
    return words if len(words) <= 200 else f"{words[:199]}…"


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(map(_escaped, cells)) + " |"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
