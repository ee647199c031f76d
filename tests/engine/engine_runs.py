"""Runs of the command in a clean environment, and what they print, report and leave behind."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import yaml

COMMAND = (sys.executable, "-m", "proveskill")
PYTEST = (
    *(sys.executable, "-m", "pytest", "-c", os.devnull),
    *("--disable-plugin-autoload", "-p", "proveskill.plugin"),
)
FRONT_MATTER = "---\nname: {name}\ndescription: A skill of the tests.\n---\n"
MARK = "PROVESKILL_TEST_RUN"
"""Environment variable that every process of a run inherits, whatever becomes of its parents."""
LIMIT = 120.0
"""Seconds until a run that does not end fails its test."""


@dataclass(frozen=True)
class Run:
    """A command that has ended."""

    status: int
    out: str
    err: str
    folder: Path
    report: dict[str, Any] = field(default_factory=dict)
    left_processes: tuple[str, ...] = ()
    left_files: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def records(self) -> list[dict[str, Any]]:
        return list(self.report["snippets"])

    @property
    def verdicts(self) -> dict[str, str]:
        return {record["id"]: record["verdict"] for record in self.records}


class Bench:
    """Starts commands whose temporary files are all in one folder, and watches what stays."""

    def __init__(self, temporary: Path) -> None:
        self.temporary = temporary

    def environment(self, mark: str, **changes: str | None) -> dict[str, str]:
        """Return ours without what would bend a run, plus the mark and the changes."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PROVESKILL", "PYTEST", "GITHUB", "PG", "COV_"))
            and name not in ("FORCE_COLOR", "PY_COLORS", "NO_COLOR", "CI", "BUILD_NUMBER")
        }
        ours = {"TMPDIR": str(self.temporary), MARK: mark, "PYTHONDONTWRITEBYTECODE": "1"}
        return {k: v for k, v in (kept | ours | changes).items() if v is not None}

    def run(
        self,
        arguments: Sequence[str | Path],
        folder: Path,
        *,
        command: Sequence[str] = COMMAND,
        report: Path | None = None,
        **changes: str | None,
    ) -> Run:
        """Run a command to its end. ``changes`` are environment variables, None to remove one."""
        process, mark = self.start(arguments, folder, command=command, **changes)
        return self.finish(process, mark, folder, report)

    def start(
        self,
        arguments: Sequence[str | Path],
        folder: Path,
        *,
        command: Sequence[str] = COMMAND,
        **changes: str | None,
    ) -> tuple[subprocess.Popen[str], str]:
        """Start a command; return it and the mark of all its processes."""
        mark = uuid.uuid4().hex
        process = subprocess.Popen(
            [*command, *map(str, arguments)],
            cwd=folder,
            env=self.environment(mark, **changes),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="backslashreplace",
            start_new_session=True,
        )
        return process, mark

    def finish(
        self, process: subprocess.Popen[str], mark: str, folder: Path, report: Path | None = None
    ) -> Run:
        """Wait for a command's end, and look at what it has left at that moment."""
        try:
            out, err = process.communicate(timeout=LIMIT)
        finally:
            if process.poll() is None:
                for other in marked(mark):
                    other.kill()
                process.communicate()
        left = tuple(self.left(mark))
        files = tuple(sorted(p.name for p in self.temporary.glob("proveskill*")))
        written = json.loads(report.read_text()) if report and report.exists() else {}
        return Run(process.returncode, out, err, folder, written, left, files)

    def left(self, mark: str) -> list[str]:
        """Return the command lines of what a run has left running."""
        return [describe(process) for process in marked(mark)]


def marked(mark: str) -> list[psutil.Process]:
    """Return the living processes of a run."""
    return [process for process in psutil.process_iter() if _is_of(process, mark)]


def _is_of(process: psutil.Process, mark: str) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK, "") == mark
    except (psutil.Error, OSError):
        return False


def describe(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()) or process.name()
    except psutil.Error:
        return f"process {process.pid}"


def wait_until(condition: Callable[[], Any], what: str) -> None:
    """Wait for a condition; fail when it does not come true."""
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {LIMIT} s"
        time.sleep(0.02)


def write_skill(folder: Path, text: str = "", **references: str) -> Path:
    """Make a skill of a folder: front matter and text in SKILL.md, references beside it."""
    (folder / "references").mkdir(parents=True, exist_ok=True)
    (folder / "SKILL.md").write_text(FRONT_MATTER.format(name=folder.name) + text)
    for name, content in references.items():
        (folder / "references" / f"{name}.md").write_text(content)
    return folder


def write_pack(root: Path, manifest: dict[str, Any] | None = None, text: str = "") -> Path:
    """Make a pack: skill.yaml and one skill in skills/NAME; return its root."""
    name = root.name
    write_skill(root / "skills" / name, text)
    fields = {"schema": 1, "name": name, "version": "1.0.0", "skills": [f"skills/{name}"]}
    (root / "skill.yaml").write_text(yaml.safe_dump(fields | (manifest or {}), sort_keys=False))
    return root


def fence(source: str, language: str = "python") -> str:
    return f"```{language}\n{source}\n```\n\n"


def failure_blocks(out: str) -> dict[str, str]:
    """Return the message of each failure that a run printed, by its heading."""
    _, _, rest = out.partition(" FAILURES ")
    rest = re.split(r"^-+ sections -+$", rest.partition("\n")[2], flags=re.M)[0]
    parts = re.split(r"^_{3,} (.+?) _{3,}$", rest, flags=re.M)
    return dict(zip(parts[1::2], (part.strip("\n") for part in parts[2::2]), strict=True))


@dataclass(frozen=True)
class Case:
    """A file of ``cases/``: what is expected, as front matter, and the Markdown to verify.

    ``case``: the sentence that the case proves. ``verdicts``: of the fences, in their order.
    ``errors``: of those that fail, in their order, the ``line`` of the Markdown, the ``type``
    (left out where it is not promised) and what the message or its values ``says``.
    ``reasons``: of the fences that are not run. ``printed``: what the terminal shows besides.
    ``replace`` and ``repeat`` put characters into the Markdown that an editor would not keep.
    """

    name: str
    sentence: str
    verdicts: list[str]
    errors: list[dict[str, Any]]
    body: str
    reasons: list[str] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)


def read_cases(folder: Path) -> Iterator[Case]:
    for file in sorted(folder.glob("*.md")):
        _, front, body = file.read_text().split("---\n", 2)
        expected = yaml.safe_load(front)
        for written, meant in expected.get("replace", {}).items():
            body = body.replace(written, meant)
        for written, (text, times) in expected.get("repeat", {}).items():
            body = body.replace(written, text * times)
        yield Case(
            name=file.stem,
            sentence=expected["case"],
            verdicts=expected["verdicts"],
            errors=expected.get("errors", []),
            body=body,
            reasons=expected.get("reasons", []),
            printed=expected.get("printed", []),
        )


def write_cases(cases: Sequence[Case], skill: Path) -> None:
    for case in cases:
        file = skill / "references" / f"{case.name}.md"
        file.write_bytes(case.body.encode())


def check_case(case: Case, run: Run) -> None:
    """Compare what a run says of a case with what the case expects, all of it at once."""
    records = [r for r in run.records if Path(r["file"]).stem == case.name]
    failed = [record["error"] for record in records if record["verdict"] == "failed"]
    observed = {
        "verdicts": [record["verdict"] for record in records],
        "errors": [(error["line"], error["type"]) for error in failed],
    }
    expected = {
        "verdicts": case.verdicts,
        "errors": [
            (wanted["line"], wanted.get("type", found["type"]))
            for wanted, found in zip(case.errors, failed, strict=False)
        ]
        + [(wanted["line"], wanted.get("type")) for wanted in case.errors[len(failed) :]],
    }
    assert observed == expected, "\n".join(f"{e['line']}: {e['message']}" for e in failed)
    for wanted, error in zip(case.errors, failed, strict=True):
        said = "\n".join([error["message"], *error["values"].values(), error["sqlstate"] or ""])
        missing = [text for text in wanted["says"] if text not in said]
        assert not missing, f"line {error['line']} does not say {missing}:\n{said}"
    assert [r["reason"] for r in records if r["verdict"] == "not_run"][: len(case.reasons)] == (
        case.reasons
    )
    blocks = failure_blocks(run.out)
    printed = "\n".join(blocks.get(record["id"], "") for record in records)
    assert [text for text in case.printed if text not in printed] == [], printed


SQL = fence("SELECT 1;  -- -> 1", "sql")


def passes(n: int = 1) -> str:
    return fence(f"{n}  # -> {n}")


def notes(text: str, log: Path) -> str:
    """Return a fence that leaves a line in a file when it runs."""
    return fence(f"with open({str(log)!r}, 'a') as log:\n    print({text!r}, file=log)")


def lines(log: Path) -> list[str]:
    return sorted(log.read_text().splitlines()) if log.exists() else []
