"""Plan -> verdicts: executes the fences of one section in their worker."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from proveskill.fence_verdicts import (
    compare_output,
    explain,
    output_of,
    stale_mark,
    with_trouble,
)
from proveskill.fork_server import ForkServer
from proveskill.model import Limits, Snippet, Verdict
from proveskill.parsing import Resolved, parse_fence, what_is_missing, why_only_parsed
from proveskill.plan import Plan, Step
from proveskill.servers import Database, Servers, client_programs
from proveskill.worker.requests import Request
from proveskill.worker_process import Answer, WorkerProcess

Report = Callable[[str, Verdict], None]
"""(snippet id, verdict): called once for each fence, as soon as it is known."""

_ATTEMPT = Limits(seconds=5.0)
"""What a fence marked 'not run' gets to prove that it cannot run."""
_SYNTAX_ERROR = "42601"


@dataclass(frozen=True)
class Stage:
    """What sections are executed with: the fork server, the servers, the limits."""

    fork_server: ForkServer
    servers: Servers
    limits: Limits
    fixtures: frozenset[str]
    """Names of the pack's fixtures."""
    resolved: Resolved = field(default_factory=dict)


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
        self._ran: set[str] = set()
        """Names that fences which passed have defined."""
        self._not_executed: set[str] = set()

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
                self._say(held[0], with_trouble(held[1], trouble, steps[-1]))
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
        if snippet.unknown:
            return Verdict("not_run", reason=snippet.problem)
        if snippet.shows in self._not_executed:
            reason = "it shows the output of a fence that is not executed"
            return Verdict("not_run", reason=reason)
        if snippet.language == "text" and snippet.not_run is None:
            return compare_output(step, self._answers.get(snippet.shows or ""))
        if snippet.language in ("json", "yaml", "toml", "text"):
            if snippet.not_run is None and self._plan.run != "all":
                return Verdict("parsed", reason="data: there is nothing to execute")
            if snippet.not_run is None:
                return Verdict("passed")
            return stale_mark(step, "it is only parsed, and it parses")
        if why := why_only_parsed(step, self._plan.run, self._stage.fixtures | self._ran):
            return self._parse(step, folder, why)
        limits = _ATTEMPT if snippet.not_run else self._stage.limits
        answer = self._execute(step, folder, limits)
        if snippet.not_run is not None:
            if answer.error is None:
                return stale_mark(step, "it runs")
            if answer.error.get("sqlstate") == _SYNTAX_ERROR or not _bash_parses(snippet):
                failure = explain(step, answer, self._definers, self._lost_at)
                return Verdict("failed", answer.seconds, replace(failure, type="DoesNotParse"))
            return Verdict("not_run", answer.seconds, reason=snippet.not_run)
        self._answers[snippet.id] = answer
        output = output_of(step, answer)
        if answer.error is None:
            self._ran |= step.python.defines if step.python else frozenset()
            return Verdict("passed", answer.seconds, output=output)
        if self._plan.run == "possible" and (why := what_is_missing(answer)):
            return self._parse(step, folder, why)
        failure = explain(step, answer, self._definers, self._lost_at)
        return Verdict("failed", answer.seconds, failure, output=output)

    def _parse(self, step: Step, folder: str, why: str) -> Verdict:
        self._not_executed.add(step.snippet.id)
        return parse_fence(
            step,
            why,
            lambda r: self._ask(r, step, folder, self._stage.limits),
            self._stage.resolved,
        )

    def _execute(self, step: Step, folder: str, limits: Limits) -> Answer:
        if self._worker is None or self._worker.lost:
            self._defined.clear()
        python = step.python
        request = Request(
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
        return self._ask(request, step, folder, limits)

    def _ask(self, request: Request, step: Step, folder: str, limits: Limits) -> Answer:
        if self._worker is None or self._worker.lost:
            self._worker = self._start_worker(folder)
            request = replace(request, fresh=self._plan.contained)
        answer = self._worker.run(request, limits)
        if answer.worker_lost:
            self._lost_at = step
            self._ran.clear()
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


def _bash_parses(snippet: Snippet) -> bool:
    if snippet.language != "bash":
        return True
    check = ["bash", "-n", "-c", snippet.source]
    return subprocess.run(check, capture_output=True, check=False).returncode == 0
