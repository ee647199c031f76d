"""Mutants -> killed or survived: each proof run alone, with the right value and with wrong ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from proveskill.ledger import Case
from proveskill.model import Limits
from proveskill.mutants_memory import Memory
from proveskill.mutations import Fate, Mutant, mutants_of
from proveskill.proof_run import Outcome, ProofRun, ProofStage

_PATIENCE = 4.0
"""How much longer than with the right values a proof may take before it counts as killed."""
_LEAST_SECONDS = 3.0


@dataclass(frozen=True)
class Result:
    """What became of a mutant; ``why`` is the proof's error."""

    mutant: Mutant
    fate: Fate
    why: str = ""
    remembered: bool = False


@dataclass
class MutantsRun:
    """A run over the cases of one variant of a pack; what ``memory`` knows is not tried again."""

    stage: ProofStage
    jobs: int
    deadline: float
    memory: Memory
    say: Callable[[str], None]
    broken: list[tuple[Case, str]] = field(default_factory=list)
    """Cases that do not hold alone with the right values, and why."""

    def run(self, cases: Sequence[Case], every: Sequence[Case]) -> list[Result]:
        """Try the mutants of ``cases``; ``every`` case of the pack gives siblings of words.

        Raises ``ServerError`` and ``PreparationError``.
        """
        self._lock = threading.Lock()
        with_values = [case for case in cases if case.values]
        with ThreadPoolExecutor(self.jobs, thread_name_prefix="mutants") as pool:
            try:
                found = [
                    pool.submit(self._of_case, case, list(mutants_of(case, every)))
                    for case in with_values
                ]
                results: list[Result] = []
                for number, future in enumerate(found, 1):
                    results += future.result()
                    if number % 25 == 0 or number == len(found):
                        survived = sum(r.fate == "survived" for r in results)
                        self.say(
                            f"{number} of {len(found)} proofs: {len(results)} mutants, "
                            f"{survived} survived"
                        )
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
            finally:
                self.memory.save()
        return results

    def _of_case(self, case: Case, mutants: Sequence[Mutant]) -> list[Result]:
        known = [self.memory.recall(mutant.case) for mutant in mutants]
        if all(known):
            return [
                Result(mutant, fate, why, remembered=True)
                for mutant, (fate, why) in zip(mutants, filter(None, known), strict=True)
            ]
        if time.monotonic() > self.deadline:
            return [Result(mutant, "untried") for mutant in mutants]
        started = time.monotonic()
        right = self._outcome(case, self.stage.stage.limits)
        if right.error is not None:
            with self._lock:
                self.broken.append((case, str(right.error["message"])))
            return []
        seconds = max(_LEAST_SECONDS, _PATIENCE * (time.monotonic() - started))
        return [self._of_mutant(mutant, Limits(proof_seconds=seconds)) for mutant in mutants]

    def _of_mutant(self, mutant: Mutant, limits: Limits) -> Result:
        if time.monotonic() > self.deadline:
            return Result(mutant, "untried")
        error = self._outcome(mutant.case, limits).error
        fate: Fate = "survived" if error is None else "killed"
        why = "" if error is None else str(error["message"]).partition("\n")[0]
        self.memory.keep(mutant.case, fate, why)
        return Result(mutant, fate, why)

    def _outcome(self, case: Case, limits: Limits) -> Outcome:
        """Run a case in a process and a database of its own."""
        outcomes: list[Outcome] = []
        stage = replace(self.stage, stage=replace(self.stage.stage, limits=limits))
        ProofRun([case], stage, lambda _, outcome: outcomes.append(outcome)).run()
        return outcomes[0]
