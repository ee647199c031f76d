"""The JSON report -> what CI systems read. Each output is a pure function of the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from proveskill.outputs.badge import badge
from proveskill.outputs.junit import junit
from proveskill.outputs.sarif import sarif
from proveskill.outputs.step_summary import step_summary
from proveskill.writing import write_whole

__all__ = ["OUTPUTS", "write_outputs"]

Report = Mapping[str, Any]

OUTPUTS: dict[str, Callable[[Report], str]] = {
    "junit": junit,
    "sarif": sarif,
    "summary": step_summary,
    "badge": badge,
}
"""By the name of their option: ``--junit FILE`` and so on."""


def write_outputs(report: Report, wanted: Mapping[str, Path]) -> None:
    """Write outputs by name, each file whole or not at all. Raises ``OSError``."""
    texts = [(OUTPUTS[name](report), file) for name, file in wanted.items()]
    for text, file in texts:
        write_whole(text, file)
