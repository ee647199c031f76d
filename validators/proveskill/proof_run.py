"""Cases -> verdicts: runs the proofs of one module in their worker."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from proveskill.fixture_index import FixtureIndex, read_fixtures
from proveskill.ledger import Case
from proveskill.model import Limits
from proveskill.plan import variables_in
from proveskill.section_run import Stage
from proveskill.servers import Database
from proveskill.worker.requests import ENDED, PROOFS, Request
from proveskill.worker_process import Answer, WorkerProcess

_STARTING = Limits(seconds=60.0)
"""For the imports of a module of proofs."""


@dataclass(frozen=True)
class ProofStage:
    """What proofs are run with: what sections are, and where the proofs are."""

    stage: Stage
    root: Path
    folder: Path
    cache: Path | None
    """A folder for compiled proofs, if there is one that can be written to."""
    fixtures: FixtureIndex


@dataclass(frozen=True)
class Outcome:
    """What came of a case. ``error`` holds the fields of a failure, ``line`` that of the proof."""

    seconds: float
    error: dict[str, Any] | None = None
    output: str = ""


Report = Callable[[Case, Outcome], None]


class ProofRun:
    """The cases of one module, run once each. ``run`` raises what ``SectionRun.run`` raises."""

    def __init__(self, cases: Sequence[Case], stage: ProofStage, report: Report) -> None:
        self._cases = list(cases)
        self._stage = stage
        self._report = report
        self._file = self._cases[0].proof.file
        self._environment: dict[str, str] = {}

    def run(self) -> None:
        """Run all cases; after one that cost the process its life, the others in a new one."""
        servers = self._stage.stage.servers
        variables = self._variables()
        database: Database | None = None
        try:
            if variables:
                database = servers.create_database()
                self._environment = servers.variables(variables, database)
            left = self._cases
            while left:
                left = self._run_in_one_process(left)
        finally:
            if database is not None:
                servers.drop_database(database)

    def _run_in_one_process(self, cases: list[Case]) -> list[Case]:
        """Run cases until one of them ends the process; return those that are left."""
        fork_server = self._stage.stage.fork_server
        folder = fork_server.make_folder()
        worker = fork_server.fork({**self._environment, "TMPDIR": folder}, folder)
        try:
            start = worker.run(self._start(cases, folder), _STARTING)
            for index, case in enumerate(cases):
                if start.error is not None:
                    self._report(case, _outcome(start))
                    continue
                answer = self._ask(worker, case, cases[index + 1 : index + 2])
                trouble = None
                if not answer.worker_lost and case is cases[-1]:
                    trouble = worker.close()
                if trouble and answer.error is None:
                    error = {"type": "TeardownFailed", "message": trouble, "line": case.proof.line}
                    answer = Answer(answer.seconds, "", "", error=error)
                self._report(case, _outcome(answer))
                if answer.worker_lost or (answer.error or {}).get("type") == ENDED:
                    return cases[index + 1 :]
            return []
        finally:
            worker.abandon()
            shutil.rmtree(folder, ignore_errors=True)

    def _start(self, cases: Iterable[Case], folder: str) -> Request:
        by_function: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
        for case in cases:
            by_function[case.proof.name][case.key] = case.values
        what = {
            "cases": by_function,
            "root": str(self._stage.root),
            "folder": str(self._stage.folder),
            "cache": str(self._stage.cache or Path(folder, "compiled")),
        }
        return Request(PROOFS, str(self._file), 1, json.dumps(what))

    def _ask(self, worker: WorkerProcess, case: Case, following: Sequence[Case]) -> Answer:
        source = json.dumps([case.key, following[0].key if following else None])
        request = Request(PROOFS, str(self._file), case.proof.line, source)
        limits = self._stage.stage.limits
        return worker.run(request, replace(limits, seconds=limits.proof_seconds))

    def _variables(self) -> frozenset[str]:
        """Find the variables that the module, or what it uses, mentions."""
        text = self._file.read_text(encoding="utf-8")
        texts = [text]
        inside = self._file.relative_to(self._stage.folder).parents
        folders = [self._stage.folder / folder for folder in inside]
        for file in (file for folder in folders for file in folder.glob("*.py")):
            if file.stem != "conftest" and not file.stem.startswith("test_") and file.stem in text:
                texts.append(file.read_text(encoding="utf-8"))
        conftests = [f / "conftest.py" for f in folders if (f / "conftest.py").exists()]
        for index in (*map(read_fixtures, conftests), self._stage.fixtures):
            used = "\n".join(texts)
            texts.append(index.text_of(frozenset(name for name in index.names if name in used)))
        return frozenset(variables_in("\n".join(texts)))


def _outcome(answer: Answer) -> Outcome:
    error = answer.error
    if error is not None:
        message = str(error["message"]).replace("the fence", "the proof")
        error = {"sqlstate": None, "values": {}, **error, "message": message}
    return Outcome(answer.seconds, error, (answer.errors + answer.output)[-1_000:])
