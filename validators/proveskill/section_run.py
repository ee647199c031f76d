"""Plan -> verdicts: executes the fences of one section in their worker."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from proveskill.fork_server import ForkServer
from proveskill.model import Failure, Limits, Snippet, Verdict
from proveskill.plan import Plan, Step
from proveskill.servers import Database, Servers, client_programs
from proveskill.worker.requests import Request
from proveskill.worker_process import Answer, WorkerProcess

Report = Callable[[str, Verdict], None]
"""(snippet id, verdict): called once for each fence, as soon as it is known."""

_ATTEMPT = Limits(seconds=5.0)
"""What a fence marked 'not run' gets to prove that it cannot run."""
_SHOWN_OUTPUT = 1_000


@dataclass(frozen=True)
class Stage:
    """What sections are executed with: the fork server, the servers, the limits."""

    fork_server: ForkServer
    servers: Servers
    limits: Limits
    fixtures: frozenset[str]
    """Names of the pack's fixtures."""


_SYNTAX_ERROR = "42601"


class SectionRun:
    """One section, executed once. Raises ``ServerError`` and ``PreparationError`` from run()."""

    def __init__(self, plan: Plan, stage: Stage, wanted: frozenset[str], report: Report) -> None:
        self._plan = plan
        self._stage = stage
        self._wanted = wanted
        self._report = report
        self._worker: WorkerProcess | None = None
        self._defined: set[str] = set()
        self._definers: dict[str, Step] = {}
        self._lost_at: Step | None = None
        self._answers: dict[str, Answer] = {}
        self._environment: dict[str, str] = {}

    def run(self) -> None:
        """Execute the fences up to the last one that is wanted, then those marked 'not run'."""
        if self._plan.contained:
            self._run_contained()
            return
        database: Database | None = None
        folder = self._stage.fork_server.make_folder()
        steps = self._steps()
        held: tuple[str, Verdict] | None = None
        try:
            if self._plan.variables and any(s.runs or s.snippet.not_run for s in steps):
                database = self._stage.servers.create_database()
                self._environment = self._stage.servers.variables(self._plan.variables, database)
            attempts = [step for step in steps if step.snippet.not_run]
            for step in (*(s for s in steps if not s.snippet.not_run), *attempts):
                # The last verdict waits for the teardown, which may still fail.
                if held is not None:
                    self._say(*held)
                held = step.snippet.id, self._verdict(step, folder)
            trouble = self._worker.close() if self._worker is not None else None
            if held is not None:
                self._say(held[0], _with_trouble(held[1], trouble, steps))
        finally:
            if self._worker is not None:
                self._worker.abandon()
            shutil.rmtree(folder, ignore_errors=True)
            if database is not None:
                self._stage.servers.drop_database(database)

    def _run_contained(self) -> None:
        """Execute fences that leave nothing behind in a process that other sections use too."""
        passed = False
        try:
            for step in self._steps():
                verdict = self._verdict(step, "")
                self._say(step.snippet.id, verdict)
            passed = all(answer.error is None for answer in self._answers.values())
        finally:
            if self._worker is not None and passed:
                self._stage.fork_server.give_back(self._worker)
            elif self._worker is not None:
                self._worker.abandon()

    def _steps(self) -> list[Step]:
        last = max(
            index for index, s in enumerate(self._plan.steps) if s.snippet.id in self._wanted
        )
        return list(self._plan.steps[: last + 1])

    def _say(self, snippet_id: str, verdict: Verdict) -> None:
        if snippet_id in self._wanted:
            self._report(snippet_id, verdict)

    def _verdict(self, step: Step, folder: str) -> Verdict:
        snippet = step.snippet
        if step.failure is not None:
            return Verdict("failed", failure=step.failure)
        if snippet.language == "text" and snippet.not_run is None:
            return self._compare(step)
        if snippet.language in ("json", "yaml", "toml", "text"):
            if snippet.not_run is None:
                return Verdict("passed")
            return _stale(step, "it is only parsed, and it parses")
        limits = _ATTEMPT if snippet.not_run else self._stage.limits
        answer = self._execute(step, folder, limits)
        if snippet.not_run is not None:
            if answer.error is None:
                return _stale(step, "it runs")
            if answer.error.get("sqlstate") == _SYNTAX_ERROR or not _bash_parses(snippet):
                failure = self._explain(step, answer)
                return Verdict("failed", answer.seconds, replace(failure, type="DoesNotParse"))
            return Verdict("not_run", answer.seconds, reason=snippet.not_run)
        self._answers[snippet.id] = answer
        if answer.error is None:
            return Verdict("passed", answer.seconds)
        return Verdict("failed", answer.seconds, self._explain(step, answer))

    def _execute(self, step: Step, folder: str, limits: Limits) -> Answer:
        fresh = False
        if self._worker is None or self._worker.lost:
            self._defined.clear()
            fresh = self._plan.contained
            self._worker = self._start_worker(folder)
        python = step.python
        request = Request(
            fresh=fresh,
            language=step.snippet.language,
            filename=step.filename,
            first_line=step.snippet.first_line,
            source=step.snippet.source,
        )
        if python is not None:
            supplied = (python.needs - self._defined) & self._stage.fixtures
            request = replace(
                request,
                code=python.code,
                expectations=python.expectations,
                fixtures=tuple(sorted(supplied)),
            )
            self._defined |= python.defines | supplied
            self._definers.update(dict.fromkeys(python.defines, step))
        answer = self._worker.run(request, limits)
        if answer.worker_lost:
            self._lost_at = step
        return answer

    def _start_worker(self, folder: str) -> WorkerProcess:
        server = self._stage.fork_server
        if self._plan.contained:
            return server.borrow()
        return server.fork(self._changes(folder), folder)

    def _changes(self, folder: str) -> dict[str, str]:
        environment = {**self._environment, "TMPDIR": folder}
        # "python" in a fence is the interpreter that runs the other fences.
        path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
        if programs := client_programs():
            # Behind the user's own PATH: psql and pg_isready where there are none.
            path = f"{path}:{programs}"
        skill = next(f for f in self._plan.section.file.parents if (f / "SKILL.md").is_file())
        return {**environment, "PATH": path, "SKILL_DIR": str(skill.resolve())}

    def _compare(self, step: Step) -> Verdict:
        answer = self._answers.get(step.snippet.shows or "")
        if answer is None or answer.error is not None:
            failure = _failure(step, "OriginFailed", "the fence above, which it shows, failed")
            return Verdict("failed", failure=failure)
        observed = _lines(answer.output) or _lines(answer.result or "")
        expected = _lines(step.snippet.source)
        if observed == expected:
            return Verdict("passed")
        pairs = zip(expected + [""] * len(observed), observed + [""] * len(expected), strict=True)
        index = next(i for i, (left, right) in enumerate(pairs) if left != right)
        values = {
            "expected": expected[index] if index < len(expected) else "(end of the output)",
            "observed": observed[index] if index < len(observed) else "(end of the output)",
        }
        failure = _failure(step, "OutputDiffers", "the fence above does not print this", index)
        output = "\n".join(observed)[:_SHOWN_OUTPUT]
        return Verdict("failed", failure=replace(failure, values=values, output=output))

    def _explain(self, step: Step, answer: Answer) -> Failure:
        error = dict(answer.error or {})
        message = str(error.pop("message"))
        name = message.split("'")[1] if error["type"] == "NameError" and "'" in message else ""
        definer = self._definers.get(name)
        if name and definer is not None and self._lost_at is not None:
            message += (
                f"; the fence at line {definer.snippet.line} defined it, and its process ended "
                f"at line {self._lost_at.snippet.line}"
            )
        elif name and definer is None:
            message += (
                "; nothing above in this section defines it, and no pack fixture has its name"
            )
        output = (answer.errors + answer.output)[-_SHOWN_OUTPUT:]
        values = {key: _printable(value) for key, value in error.pop("values", {}).items()}
        return Failure(
            message=_printable(message), file=step.filename, output=output, values=values, **error
        )


def _with_trouble(verdict: Verdict, trouble: str | None, steps: list[Step]) -> Verdict:
    if trouble is None or verdict.name == "failed":
        return verdict
    message = f"at the end of the section: {trouble}"
    return Verdict("failed", verdict.seconds, _failure(steps[-1], "TeardownFailed", message))


def _bash_parses(snippet: Snippet) -> bool:
    if snippet.language != "bash":
        return True
    check = ["bash", "-n", "-c", snippet.source]
    return subprocess.run(check, capture_output=True, check=False).returncode == 0


def _stale(step: Step, why: str) -> Verdict:
    message = f"marked 'not run' ({step.snippet.not_run}), but {why}: remove the mark"
    return Verdict("failed", failure=_failure(step, "StaleMark", message, -1))


def _failure(step: Step, kind: str, message: str, offset: int = 0) -> Failure:
    line = step.snippet.first_line + offset
    return Failure(type=kind, message=message, file=step.filename, line=line)


def _printable(text: str) -> str:
    """Escape lone surrogates, which no terminal and no report can hold."""
    return text.encode("utf-8", "backslashreplace").decode()


def _lines(text: str) -> list[str]:
    """Lines without trailing blanks, and without empty ones at either end."""
    return [line.rstrip() for line in text.strip("\n").rstrip().splitlines()]
