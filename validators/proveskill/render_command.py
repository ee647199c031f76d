"""``proveskill render``: a stored report -> JUnit, SARIF, a summary, a badge, annotations."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from proveskill.exit_status import OK
from proveskill.model import ManifestError
from proveskill.outputs import OUTPUTS, write_outputs
from proveskill.outputs.annotations import workflow_commands
from proveskill.outputs.step_summary import step_summary
from proveskill.report import SCHEMA

_KEYS = ("pack", "started", "seconds", "ok", "environment", "snippets", "statements", "totals")


def render(options: argparse.Namespace) -> int:
    """Write or print what the options ask for; return 0. Raises ``ManifestError``."""
    file = Path(options.report)
    report = _read(file)
    wanted = {name: Path(path) for name in OUTPUTS if (path := getattr(options, name))}
    try:
        write_outputs(report, wanted)
        if options.annotations:
            print("\n".join(workflow_commands(report)))
        elif not wanted:
            print(step_summary(report), end="")
    except (KeyError, TypeError, AttributeError) as error:
        raise ManifestError(
            f"{file}: an entry is not as verify --report writes it: {error}"
        ) from None
    except OSError as error:
        raise ManifestError(f"cannot write {error.filename}: {error.strerror}") from None
    return OK


def _read(file: Path) -> dict[str, Any]:
    try:
        report = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ManifestError(f"cannot read {file}: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise ManifestError(f"{file}:{error.lineno}: not JSON: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise ManifestError(f"{file}: not JSON: {error}") from None
    if not isinstance(report, dict) or report.get("schema") != SCHEMA:
        found = report.get("schema") if isinstance(report, dict) else None
        raise ManifestError(
            f"{file}: no report of proveskill verify --report: schema is {found!r}, not {SCHEMA}"
        )
    if missing := [key for key in _KEYS if key not in report]:
        raise ManifestError(f"{file}: no {missing[0]!r}: not what verify --report writes")
    return report
