"""The nouns of the engine: what passes from one stage to the next.

``Markdown text -> Section -> Snippet | Statement -> (run | prove) -> Verdict -> Report``.
Everything here is frozen data; the verbs live in the modules named after them. Line numbers are
1-based lines of the Markdown file, seconds are wall-clock seconds.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

VerdictName = Literal["passed", "parsed", "failed", "not_run"]
RunMode = Literal["all", "possible", "parse"]
"""What is executed: every fence; those for which everything is there; none. What is not executed
is parsed."""
OUTPUTS = ("junit", "sarif", "summary", "badge")
"""The options for what CI systems read. :mod:`proveskill.outputs` makes it, but only when asked."""
StatementVerdictName = Literal["proven", "failed", "unproven"]


_PASSWORD = re.compile(r"(?<=://)([^\s:/@'\"]+):[^\s/@'\"]+@")


class ManifestError(Exception):
    """A manifest, or a path, that the engine cannot work with; the message names file and line."""


@dataclass(frozen=True)
class Snippet:
    """One fence of a Markdown file, or something that a reader would take for one."""

    id: str
    """``configuration#pool/1``: file, section slug, position of the fence in the section."""
    file: Path
    line: int
    """Line of the opening fence."""
    first_line: int
    """Line of the first line of code."""
    language: str
    """A key of :data:`proveskill.languages.RUNNERS`, or what the author wrote."""
    source: str
    """The text between the fence lines, byte for byte."""
    not_run: str | None = None
    """The reason given by ``<!-- not run: REASON -->``."""
    problem: str | None = None
    """Why this can never run: unclosed, indented, inside a comment, an unknown language."""
    unknown: bool = False
    """Whether the problem is only that nothing says how to run it: no or another language."""
    shows: str | None = None
    """For ``text``: the id of the fence whose output this is."""


@dataclass(frozen=True)
class Statement:
    """A list item, a row of a table or a sentence: what a reader believes."""

    id: str
    """``configuration#pool/s3``: file, section slug, position of the statement in the section."""
    file: Path
    line: int
    text: str
    """What a reader sees, with code in backticks; of a row its cells, with `` | `` between."""
    table: str | None = None
    """Of a row: the header of its table, in the same form."""
    end: tuple[int, int] = (0, 0)
    """Where it ends: the line, and the number of characters of that line up to its end."""


@dataclass(frozen=True)
class Section:
    """A ``##`` heading with all its fences: one namespace, one fresh database."""

    id: str
    """``configuration#pool``."""
    title: str
    file: Path
    line: int
    end_line: int
    snippets: tuple[Snippet, ...] = ()
    statements: tuple[Statement, ...] = ()


@dataclass(frozen=True)
class Limits:
    """What one fence, or one run of a proof, may use."""

    seconds: float = 15.0
    proof_seconds: float = 30.0
    output_bytes: int = 1_000_000


@dataclass(frozen=True)
class Failure:
    """Why a fence failed, ready to be rendered, annotated or written to the report."""

    type: str
    message: str
    file: str
    line: int
    sqlstate: str | None = None
    values: dict[str, str] = field(default_factory=dict)
    """What was expected and what was seen, as text."""
    output: str = ""
    """The end of what the fence wrote to its standard error and output."""

    def as_json(self, rerun: str) -> dict[str, Any]:
        """Return the ``error`` object of the report, without the passwords of URLs."""
        shown = {key: value for key, value in asdict(self).items() if key != "output"}
        shown["message"] = _PASSWORD.sub(r"\1:***@", self.message)
        shown["values"] = {k: _PASSWORD.sub(r"\1:***@", v) for k, v in self.values.items()}
        return {**shown, "rerun": rerun}


@dataclass(frozen=True)
class Output:
    """What a fence printed and returned; texts are cut to a length that a person reads."""

    printed: str = ""
    """What it wrote to its standard output."""
    result: str | None = None
    """The rows of its SQL, or the value that a ``text`` fence below it shows."""
    observed: tuple[tuple[int, str], ...] = ()
    """Line of each expectation that was reached, and the value or the exception seen there."""

    def as_json(self) -> dict[str, Any]:
        """Return the ``output`` object of the report."""
        observed = [{"line": line, "value": value} for line, value in self.observed]
        return {"printed": self.printed, "result": self.result, "observed": observed}


@dataclass(frozen=True)
class Verdict:
    """What became of one fence."""

    name: VerdictName
    seconds: float = 0.0
    failure: Failure | None = None
    reason: str | None = None
    """For ``not_run``: the author's reason. For ``parsed``: why it was not executed."""
    output: Output | None = None
    """None of what no worker has run."""


@dataclass(frozen=True)
class StatementVerdict:
    """What became of one statement that is proven, or must be."""

    name: StatementVerdictName
    seconds: float = 0.0
    failure: Failure | None = None
