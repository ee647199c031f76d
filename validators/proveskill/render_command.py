"""``proveskill render``: a stored report -> JUnit, SARIF, a summary, a badge, annotations."""

from __future__ import annotations

import argparse
from pathlib import Path

from proveskill.exit_status import OK
from proveskill.model import ManifestError
from proveskill.outputs import OUTPUTS, write_outputs
from proveskill.outputs.annotations import workflow_commands
from proveskill.outputs.step_summary import step_summary
from proveskill.stored_report import read_report, reading_entries

_KEYS = ("pack", "started", "seconds", "ok", "environment", "snippets", "statements", "totals")


def render(options: argparse.Namespace) -> int:
    """Write or print what the options ask for; return 0. Raises ``ManifestError``."""
    file = Path(options.report)
    report = read_report(file, _KEYS)
    wanted = {name: Path(path) for name in OUTPUTS if (path := getattr(options, name))}
    with reading_entries(file):
        try:
            write_outputs(report, wanted)
        except OSError as error:
            raise ManifestError(f"cannot write {error.filename}: {error.strerror}") from None
        if options.annotations:
            print("\n".join(workflow_commands(report)))
        elif not wanted:
            print(step_summary(report), end="")
    return OK
