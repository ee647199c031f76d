"""What the pytest process asks of a worker."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from proveskill.expectations import Expectation

WHERE = signal.SIGUSR1
"""Asks a worker, politely, for the line it is at."""
DUMP = signal.SIGUSR2
"""Makes the C-level fault handler write a traceback, even while the GIL is held elsewhere."""
PROOFS = "proofs"
"""The language of a request that begins a session of proofs (:mod:`proveskill.worker.proofs`)."""
ENDED = "CannotRun"
"""The type of the error with which a session of proofs ends before its time."""


@dataclass(frozen=True)
class Request:
    """One fence to execute. ``filename`` and lines are those of the Markdown file.

    In a session of proofs: one case; file and line are those of the proof, the source is JSON.
    """

    language: str
    filename: str
    first_line: int
    source: str
    code: bytes = b""
    """Python only: the marshalled code object."""
    expectations: tuple[Expectation, ...] = ()
    fixtures: tuple[str, ...] = ()
    """Pack fixtures to supply, by name."""
    fresh: bool = False
    """Whether it begins a section in a process that another section has used."""
    parse_only: bool = False
    """SQL only: whether the server is to parse it, and to execute nothing."""
