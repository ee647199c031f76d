"""What the pytest process asks of a worker, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from proveskill.expectations import Expectation


@dataclass(frozen=True)
class Request:
    """One fence to execute. ``filename`` and lines are those of the Markdown file."""

    language: str
    filename: str
    first_line: int
    source: str
    code: bytes = b""
    """Python only: the marshalled code object."""
    expectations: tuple[Expectation, ...] = ()
    fixtures: tuple[str, ...] = ()
    """Pack fixtures to supply, by name."""


@dataclass(frozen=True)
class Reply:
    """What a worker says of one fence."""

    seconds: float = 0.0
    result: str | None = None
    """Text of the value of the last expression, or the table that SQL returned."""
    error: dict[str, Any] | None = None
    """Keyword arguments of :class:`proveskill.model.Failure`, without the file."""
    extra: dict[str, Any] = field(default_factory=dict)
