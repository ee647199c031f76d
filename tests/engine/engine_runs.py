"""Runs of the command in a clean environment, and what they print, report and leave behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Sequence
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


SQL = fence("SELECT 1;  -- -> 1", "sql")


def passes(n: int = 1) -> str:
    return fence(f"{n}  # -> {n}")


def notes(text: str, log: Path) -> str:
    """Return a fence that leaves a line in a file when it runs."""
    return fence(f"with open({str(log)!r}, 'a') as log:\n    print({text!r}, file=log)")


def lines(log: Path) -> list[str]:
    return sorted(log.read_text().splitlines()) if log.exists() else []
