"""Executes bash fences: ``bash -e -o pipefail``, in the section's folder and environment."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path

from proveskill.expectations import MisplacedExpectation
from proveskill.worker.requests import Request

_EXITS = re.compile(r"(?:^|\s)#\s*exits\s+(?P<status>\d{1,3})\s*$", re.MULTILINE)
_UNSUPPORTED = re.compile(r"(?:^|\s)#\s*(->|raises\s+[A-Z])", re.MULTILINE)
# Sourced by bash itself before the fence: reports the line of the command that failed.
_PRELUDE = (
    "unset BASH_ENV\nset -eE -o pipefail\ntrap 'echo $LINENO >\"$PROVESKILL_FAILED_LINE\"' ERR\n"
)


class CommandFailed(Exception):
    """A fence whose exit status is not the promised one; ``line`` is counted within it."""

    def __init__(self, line: int, status: int, expected: int) -> None:
        super().__init__(f"exit status {status}, expected {expected}")
        self.line = line
        self.values = {"expected": str(expected), "observed": str(status)}


def run_bash(request: Request) -> None:
    """Execute a fence. ``# exits N`` in it promises the exit status (0 without).

    Its output goes to the worker's own, which the engine captures. Raises
    :class:`CommandFailed`; ``MisplacedExpectation`` for one that bash fences do not have.
    """
    if match := _UNSUPPORTED.search(request.source):
        line = request.source.count("\n", 0, match.start(1)) + 1
        raise MisplacedExpectation(
            line,
            f"a bash fence has no '# {match[1].split()[0]}' comments: show its output in a text "
            "fence below it, its exit status as '# exits N'",
        )
    promises = list(_EXITS.finditer(request.source))
    expected = int(promises[-1]["status"]) if promises else 0
    with tempfile.TemporaryDirectory(prefix="bash-") as folder:
        prelude, failed_line = Path(folder, "prelude"), Path(folder, "line")
        prelude.write_text(_PRELUDE)
        environment = {
            **os.environ, "BASH_ENV": str(prelude), "PROVESKILL_FAILED_LINE": str(failed_line),
        }  # fmt: skip
        status = subprocess.run(
            ["bash", "-c", request.source, "bash"],
            stdin=subprocess.DEVNULL,
            env=environment,
            check=False,
        ).returncode
        if status != expected:
            line = int(failed_line.read_text() or 1) if failed_line.exists() else 1
            raise CommandFailed(max(line, 1), status, expected)
