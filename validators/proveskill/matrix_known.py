"""Known breaks of a matrix -> what is wrong with them: stale, or not as they say."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from packaging.requirements import Requirement

from proveskill.matrix_run import Break, SetResult
from proveskill.matrix_sets import KnownBreak, Matrix, canonical


def problems_of(matrix: Matrix, results: Sequence[SetResult]) -> Iterator[str]:
    """Yield what is wrong with the known breaks, as far as the sets that were run can tell."""
    first = next(iter(matrix.sets))
    ran = {r.run.version_set.name: r for r in results if not r.run.tells_nothing}
    for number, known in enumerate(matrix.breaks):
        where = f"matrix.breaks.{number}"
        for name, result in ran.items():
            if name not in known.sets:
                if wrong := _holds_all_the_same(known, result):
                    yield f"{where}: {wrong}"
                continue
            ids = [each.item[1] for each in result.breaks]
            for pattern in known.items:
                if not any(fnmatchcase(identifier, pattern) for identifier in ids):
                    yield f"{where}: {pattern} holds in {name}: remove it"
            for each in result.breaks:
                if each.known is not known:
                    continue
                if wrong := _wrong_versions(known, each, result, ran.get(first)):
                    yield f"{where}: {each.item[1]} in {name}: {wrong}"


def _holds_all_the_same(known: KnownBreak, result: SetResult) -> str | None:
    """Return how a set in which nothing breaks contradicts the versions that are said to hold."""
    if known.holds is None or any(known.covers(each.item[1]) for each in result.breaks):
        return None
    version = _version_in(known.holds, result)
    if version is None or _fits(version, known.holds):
        return None
    name = result.run.version_set.name
    return f"said to hold only with {known.holds}, but all of it holds in {name} with {version}"


def _wrong_versions(
    known: KnownBreak, found: Break, result: SetResult, first: SetResult | None
) -> str | None:
    """Return how the versions with which an item holds differ from what is said, if they do.

    ``first`` is the result of the first set, where it was run.
    """
    if known.holds is None or found.step is None:
        return None
    changes = dict(found.step.changes)
    if "python" in changes:
        running = platform.python_version()
        changes["python"] = (changes["python"][0] or running, changes["python"][1] or running)
    if "server" in changes:
        before = None if first is None else first.run.report["environment"].get("postgresql")
        changes["postgresql"] = (before, result.run.report["environment"].get("postgresql"))
    good, bad = {canonical(name): pair for name, pair in changes.items()}.get(
        canonical(known.holds.name), (None, None)
    )
    if bad is None:
        return f"said to hold with {known.holds}, but what breaks it is {', '.join(changes)}"
    if _fits(bad, known.holds):
        return f"said to hold with {known.holds}, but it breaks with {bad}"
    if good is not None and not _fits(good, known.holds):
        return f"said to hold only with {known.holds}, but it holds with {good}"
    return None


def _version_in(wanted: Requirement, result: SetResult) -> str | None:
    """Return the version of a package, of ``python`` or of ``postgresql`` in a set."""
    name = canonical(wanted.name)
    if name in ("python", "postgresql"):
        version: str | None = result.run.report["environment"].get(name)
        return version
    return result.run.environment.versions.get(name) if result.run.environment else None


def _fits(version: str, wanted: Requirement) -> bool:
    # A release candidate is asked about only where it was installed.
    return wanted.specifier.contains(version, prereleases=True)
