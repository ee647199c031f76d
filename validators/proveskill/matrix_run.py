"""Sets of versions -> what breaks in each, since when, and whether that is known."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from proveskill.matrix_bisect import Step, first_breaks, path_between
from proveskill.matrix_environments import Uninstallable
from proveskill.matrix_sets import KnownBreak, Matrix, VersionSet
from proveskill.matrix_verify import Item, SetRun, Verifier


@dataclass(frozen=True)
class Break:
    """A fence or a statement that breaks in a set, also when it is run alone."""

    item: Item
    record: Mapping[str, Any]
    """Its record in the report of ``proveskill verify``."""
    step: Step | None = None
    """Where it breaks first, if that was looked for and found."""
    known: KnownBreak | None = None
    everywhere: bool = False
    """Whether it breaks in the first set, too."""


@dataclass(frozen=True)
class SetResult:
    """What a run in a set has shown."""

    run: SetRun
    breaks: tuple[Break, ...] = ()
    unsteady: tuple[Item, ...] = ()
    """What failed in the run of the whole pack, and holds when it is run alone."""

    @property
    def ok(self) -> bool:
        """Whether all holds, but for what is known to break."""
        if self.run.tells_nothing:
            return self.run.version_set.optional
        return not self.run.problems and all(each.known for each in self.breaks)


class MatrixRun:
    """A run over some sets of a matrix."""

    def __init__(self, matrix: Matrix, verifier: Verifier, bisect: bool) -> None:
        self._matrix = matrix
        self._verifier = verifier
        self._bisect = bisect
        self._first = next(iter(matrix.sets.values()))
        self._first_run: SetRun | None = None
        """The run of the whole pack in the first set."""

    def run(self, chosen: Iterable[VersionSet]) -> list[SetResult]:
        """Verify the pack in each of the sets, in this order. Raises ``ManifestError``."""
        return [self._of(version_set) for version_set in chosen]

    def _of(self, version_set: VersionSet) -> SetResult:
        run = self._verifier.run(version_set)
        if version_set is self._first:
            self._first_run = run
        found = run.broken
        if not found:
            return SetResult(run)
        again = self._verifier.run(version_set, found)
        still = set(found) if again.tells_nothing else set(again.broken)
        breaks = [Break(item, found[item]) for item in found if item in still]
        breaks = [replace(each, known=self._known(each, version_set)) for each in breaks]
        # What is known to break, and nothing is said of when, need not be looked into.
        sought = [each for each in breaks if each.known is None or each.known.holds is not None]
        if self._bisect and sought and version_set is not self._first:
            found_steps = {each.item: each for each in self._with_steps(sought, run)}
            breaks = [found_steps.get(each.item, each) for each in breaks]
        unsteady = tuple(item for item in found if item not in still)
        return SetResult(run, tuple(breaks), unsteady)

    def _known(self, found: Break, version_set: VersionSet) -> KnownBreak | None:
        entries = [each for each in self._matrix.breaks if version_set.name in each.sets]
        return next((each for each in entries if each.covers(found.item[1])), None)

    def _with_steps(self, breaks: list[Break], run: SetRun) -> list[Break]:
        records = {each.item: each.record for each in breaks}

        def broken_in(version_set: VersionSet, items: Collection[Item]) -> set[Item] | None:
            part = self._verifier.run(version_set, {item: records[item] for item in items})
            return None if part.tells_nothing else set(items) & set(part.broken)

        before = self._first_run
        broken = broken_in(self._first, records) if before is None else {*before.broken}
        if broken is None or (before is not None and before.tells_nothing):
            return breaks
        held = set(records) - broken
        steps: dict[Item, Step] = {}
        if held and run.environment is not None:
            environments = self._verifier.environments
            self._verifier.say(f"{run.version_set.name}: looking up releases")
            try:
                installed = (environments.make(self._first), run.environment)
                path = path_between(self._first, run.version_set, installed, environments)
            except Uninstallable:  # the registry has changed in between
                return breaks
            if len(path) > 1:
                steps = first_breaks(path, held, broken_in)
        return [
            replace(each, step=steps.get(each.item), everywhere=each.item in broken)
            for each in breaks
        ]
