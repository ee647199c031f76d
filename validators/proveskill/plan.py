"""Section -> plan: every fence parsed and compiled, before anything is executed."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import yaml

from proveskill.fixture_index import FixtureIndex
from proveskill.languages import RUNNERS
from proveskill.model import Failure, RunMode, Section, Snippet
from proveskill.python_source import BadPython, PythonCode, compile_imports
from proveskill.servers import VARIABLES

Compile = Callable[[Snippet, str, bool], PythonCode]
"""(snippet, file name, keep the last value) -> code; raises BadPython."""


@dataclass(frozen=True)
class Step:
    """One fence, ready to run; ``failure`` is set when it can never run."""

    snippet: Snippet
    filename: str
    python: PythonCode | None = None
    imports: dict[str, bytes] = field(default_factory=dict)
    """Its import statements and what they compile to: resolved where it is not executed."""
    failure: Failure | None = None

    @property
    def runs(self) -> bool:
        """Whether a worker executes this fence in its place in the section."""
        return (
            self.failure is None
            and not self.snippet.unknown
            and self.snippet.not_run is None
            and RUNNERS[self.snippet.language] == "worker"
        )


@dataclass(frozen=True)
class Plan:
    """The fences of one section and the environment variables that they ask for."""

    section: Section
    steps: tuple[Step, ...]
    variables: frozenset[str]
    contained: bool
    """Whether its fences can leave nothing behind in the process that runs them."""
    run: RunMode = "all"


def make_plan(
    section: Section,
    filename: str,
    fixtures: FixtureIndex,
    compile: Compile,
    run: RunMode = "all",
) -> Plan:
    """Parse every fence of a section; what does not parse becomes a step with a failure."""
    shown = {snippet.shows for snippet in section.snippets}
    steps = tuple(
        _make_step(snippet, filename, snippet.id in shown, compile, run)
        for snippet in section.snippets
    )
    contained = all(_is_contained(step, fixtures) for step in steps)
    return Plan(section, steps, frozenset(_variables(steps, fixtures, run)), contained, run)


def _is_contained(step: Step, fixtures: FixtureIndex) -> bool:
    if not step.runs:
        return step.snippet.not_run is None or step.snippet.unknown
    python = step.python
    return python is not None and python.contained and not python.needs & fixtures.names


def _make_step(
    snippet: Snippet, filename: str, keep_result: bool, compile: Compile, run: RunMode
) -> Step:
    if snippet.unknown and run != "all":
        return Step(snippet, filename)
    if snippet.problem:
        return Step(
            snippet, filename, failure=_failure("Unusable", snippet.problem, filename, snippet.line)
        )
    try:
        if snippet.language == "python":
            imports = compile_imports(snippet, filename) if run != "all" else {}
            python = compile(snippet, filename, keep_result) if run != "parse" else None
            return Step(snippet, filename, python, imports)
        if snippet.language in _PARSERS:
            _PARSERS[snippet.language](snippet.source)
    except BadPython as error:
        return Step(
            snippet, filename, failure=_failure(error.kind, str(error), filename, error.line)
        )
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        line = min(_line_of(error), max(1, snippet.source.count("\n")))
        message = " ".join(str(error).split())
        failure = _failure(type(error).__name__, message, filename, snippet.first_line + line - 1)
        return Step(snippet, filename, failure=failure)
    return Step(snippet, filename)


_PARSERS: dict[str, Callable[[str], object]] = {
    "json": lambda text: json.loads(text, parse_constant=_refuse),
    "yaml": lambda text: list(yaml.safe_load_all(text)),
    "toml": tomllib.loads,
}


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")


def _line_of(error: Exception) -> int:
    """Return the line of a parser's complaint, from 1; beyond the end for the end."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return int(error.problem_mark.line) + 1
    if isinstance(error, tomllib.TOMLDecodeError):  # has a lineno only from Python 3.14 on
        if "end of document" in str(error):
            return sys.maxsize
        match = re.search(r"at line (\d+)", str(error))
        return int(match[1]) if match else 1
    line = getattr(error, "lineno", 1)
    return line if isinstance(line, int) else 1


def _failure(kind: str, message: str, filename: str, line: int) -> Failure:
    return Failure(type=kind, message=message, file=filename, line=line)


def variables_in(text: str) -> set[str]:
    """Find the variables of servers that a text mentions."""
    return {name for name in VARIABLES if re.search(rf"(?<![A-Z_]){name}\b", text)}


def _variables(steps: Iterable[Step], fixtures: FixtureIndex, run: RunMode) -> set[str]:
    """Find the variables that the fences, or the fixtures they need, mention."""
    runnable = [step for step in steps if step.failure is None]
    needed = frozenset[str]().union(*(step.python.needs for step in runnable if step.python))
    text = "\n".join([*(step.snippet.source for step in runnable), fixtures.text_of(needed)])
    found = variables_in(text) if run != "parse" else set[str]()
    if any(step.snippet.language == "sql" for step in runnable):
        found.add("DATABASE_URL")
    return found
