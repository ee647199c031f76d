"""Findings -> workflow commands, which GitHub shows at the lines of a change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from proveskill.outputs.findings import findings
from proveskill.render import visible


def workflow_commands(report: Mapping[str, Any]) -> list[str]:
    """Return workflow commands; each must be printed at the start of a line.

    https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
    """
    return [
        f"::error file={_property(finding.file)},line={finding.line},"
        f"title={_property(finding.type)}::{_data(finding.text)}"
        for finding in findings(report)
    ]


def _data(text: str) -> str:
    text = "\n".join(map(visible, text.split("\n")))
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
