"""Which languages a fence may have, and who runs them."""

from __future__ import annotations

from typing import Literal

Runner = Literal["worker", "data", "output"]

RUNNERS: dict[str, Runner] = {
    "python": "worker",
    "sql": "worker",
    "bash": "worker",
    "json": "data",
    "yaml": "data",
    "toml": "data",
    "text": "output",
}
"""``worker``: executed in a process of the section; ``data``: parsed; ``output``: compared."""

ALIASES: dict[str, str] = {
    **{name: name for name in RUNNERS},
    "py": "python",
    "python3": "python",
    "postgresql": "sql",
    "pgsql": "sql",
    "sh": "bash",
    "shell": "bash",
    "yml": "yaml",
}
"""Spellings that renderers treat alike, compared in lower case."""
