"""Runs sections ahead of the items that report them, a few at a time.

pytest reports items one by one and in order; the sections behind them are executed by a small
pool of threads, each waiting on a worker process, so that two cores are used without xdist.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path

from proveskill.ledger import Case
from proveskill.model import Verdict
from proveskill.plan import Plan
from proveskill.proof_run import Outcome, ProofRun, ProofStage
from proveskill.section_run import SectionRun, Stage

_MOST_JOBS = 5


class Dispatcher:
    """Executes plans; every fence has a future that holds its verdict."""

    def __init__(self, stage: Stage, jobs: int | None = None) -> None:
        self.stage = stage
        self._pool = ThreadPoolExecutor(jobs or default_jobs(), thread_name_prefix="section")
        self._verdicts: dict[str, Future[Verdict]] = {}
        self._outcomes: dict[str, Future[Outcome]] = {}
        self._submitted: set[str] = set()
        self._lock = threading.Lock()

    def submit(self, plan: Plan, wanted: frozenset[str]) -> None:
        """Queue a section for the fences with these ids; a section is executed once."""
        with self._lock:
            if plan.section.id in self._submitted:
                return
            self._submitted.add(plan.section.id)
            for snippet_id in wanted:
                self._verdicts[snippet_id] = Future()
        self._pool.submit(self._run, plan, wanted)

    def verdict(self, snippet_id: str) -> Verdict:
        """Wait for a verdict. Raises ``ServerError`` and ``PreparationError``."""
        return self._verdicts[snippet_id].result()

    def submit_proofs(self, cases: Iterable[Case], stage: ProofStage) -> None:
        """Queue runs of proofs, a module at a time; each is executed once."""
        modules: dict[Path, list[Case]] = {}
        with self._lock:
            for case in cases:
                if case.key not in self._outcomes:
                    self._outcomes[case.key] = Future()
                    modules.setdefault(case.proof.file, []).append(case)
        for of_module in modules.values():
            self._pool.submit(self._prove, of_module, stage)

    def outcome(self, case: Case) -> Outcome:
        """Wait for what came of a proof. Raises ``ServerError`` and ``PreparationError``."""
        return self._outcomes[case.key].result()

    def close(self) -> None:
        """Drop what has not begun. The worker processes are the fork server's to end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, plan: Plan, wanted: frozenset[str]) -> None:
        def report(snippet_id: str, verdict: Verdict) -> None:
            self._verdicts[snippet_id].set_result(verdict)

        error: BaseException = CancelledError("the section ended without this verdict")
        try:
            SectionRun(plan, self.stage, wanted, report).run()
        except BaseException as raised:  # noqa: BLE001 - handed to the thread that waits
            error = raised
        for snippet_id in wanted:
            if not self._verdicts[snippet_id].done():
                self._verdicts[snippet_id].set_exception(error)

    def _prove(self, cases: list[Case], stage: ProofStage) -> None:
        error: BaseException = CancelledError("the module ended without this outcome")
        try:
            run = ProofRun(cases, stage, lambda case, out: self._outcomes[case.key].set_result(out))
            run.run()
        except BaseException as raised:  # noqa: BLE001 - handed to the thread that waits
            error = raised
        for case in cases:
            if not self._outcomes[case.key].done():
                self._outcomes[case.key].set_exception(error)


def default_jobs() -> int:
    """Return how many sections to execute at once: one more than the cores, for they wait."""
    if hasattr(os, "sched_getaffinity"):
        return min(_MOST_JOBS, len(os.sched_getaffinity(0)) + 1)
    return min(_MOST_JOBS, (os.cpu_count() or 1) + 1)
