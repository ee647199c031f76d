"""The end of a run over mutants: survivors, what is wrong with the list of equivalents, totals."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from proveskill.equivalents import Equivalent, key_of
from proveskill.ledger import Case
from proveskill.manifest import Manifest
from proveskill.mutants_run import Result
from proveskill.mutations import Fate
from proveskill.statement_verdicts import proof_id


@dataclass(frozen=True)
class MutantsSummary:
    """What a run has shown."""

    manifest: Manifest
    results: Sequence[Result]
    broken: Sequence[tuple[Case, str]]
    """Cases that do not hold alone with the right values, and why."""
    equivalents: Sequence[Equivalent]
    stale: Sequence[tuple[Equivalent, str]]
    """Entries of the list that match no surviving mutant, and why not."""
    is_whole: bool
    """Whether all of the pack's proofs were tried, not those that match ``-k``."""
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether the proofs look at the values."""
        wrong = self._unexplained() or self._count("untried") or self.broken or self.stale
        return bool(self.results) and not (wrong or self._too_few_killed())

    def lines(self) -> Iterator[str]:
        """Yield what a person wants to know."""
        reasons = {entry.key: entry.reason for entry in self.equivalents}
        for result in self.results:
            if result.fate == "survived":
                reason = reasons.get(self._key(result))
                yield _survivor(result, f"equivalent: {reason}" if reason else "SURVIVED")
        for case, why in self.broken:
            first, _, _ = why.partition("\n")
            yield f"{proof_id(case)} does not hold when it is run alone: {first}"
        for entry, why in self.stale:
            yield (
                f"{self.manifest.equivalents}: remove {entry.proof}, {entry.field}: "
                f"{entry.old!r} -> {entry.new!r}: {why}"
            )
        yield self._totals()
        if self._too_few_killed():
            yield (
                f"error: {self._count('killed')} of {len(self.results)} mutants are killed "
                f"({self._share():.1%}), fewer than {self.manifest.killed_budget:.1%} (budgets."
                f"killed in {self.manifest.file}): let the proofs look at what the text states"
            )

    def as_json(self) -> dict[str, Any]:
        """Return the report."""
        fates: tuple[Fate, ...] = ("killed", "survived", "untried")
        return {
            "schema": 1,
            "pack": self.manifest.name,
            "ok": self.ok,
            "seconds": round(self.seconds, 3),
            "mutants": [
                {
                    "statements": [statement.id for statement in result.mutant.case.statements],
                    "proof": proof_id(result.mutant.case),
                    "field": result.mutant.field,
                    "kind": result.mutant.kind,
                    "old": result.mutant.old,
                    "new": result.mutant.new,
                    "fate": result.fate,
                    "why": result.why,
                }
                for result in self.results
            ],
            "totals": {fate: self._count(fate) for fate in fates},
        }

    def _totals(self) -> str:
        proofs = {(r.mutant.case.proof.file, r.mutant.case.proof.name) for r in self.results}
        remembered = sum(result.remembered for result in self.results)
        return (
            f"{len(self.results)} mutants of {len(proofs)} proofs: "
            f"{self._count('killed')} killed ({self._share():.1%}), "
            f"{self._count('survived')} survived, {self._unexplained()} of them without a reason, "
            f"{self._count('untried')} not tried; {self.seconds:.0f} s"
            + (f", {remembered} known from earlier runs" if remembered else "")
        )

    def _too_few_killed(self) -> bool:
        """Whether too many survive, with a reason or without; a part of the pack may have more."""
        if not self.is_whole or self._count("untried") or not self.results:
            return False
        return self._share() < self.manifest.killed_budget

    def _share(self) -> float:
        return self._count("killed") / max(1, len(self.results) - self._count("untried"))

    def _unexplained(self) -> int:
        explained = {entry.key for entry in self.equivalents}
        return sum(r.fate == "survived" and self._key(r) not in explained for r in self.results)

    def _count(self, fate: Fate) -> int:
        return sum(result.fate == fate for result in self.results)

    def _key(self, result: Result) -> tuple[str, str, str, str]:
        assert self.manifest.proofs is not None  # there are mutants only where there are proofs
        return key_of(result.mutant, self.manifest.proofs)


def _survivor(result: Result, reason: str) -> str:
    mutant = result.mutant
    statement = mutant.case.statements[0]
    place = f"{os.path.relpath(statement.file)}:{statement.line}"
    return (
        f"{place}: {reason}: {mutant.field} {mutant.old!r} -> {mutant.new!r} ({mutant.kind})\n"
        f"    {statement.text}\n    {proof_id(mutant.case)}"
    )
