"""Known breaks of a matrix -> what is wrong with them: stale, or not as they say."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from proveskill.manifest import Manifest
from proveskill.markdown import read_document
from proveskill.matrix_run import Break, SetResult
from proveskill.matrix_sets import KnownBreak, Matrix, canonical
from proveskill.model import ManifestError
from proveskill.reading import reading


def check_sayings(manifest: Manifest, matrix: Matrix) -> None:
    """Check that the pack tells its readers what it is said to tell. Raises ``ManifestError``."""
    wanted = [known.says for known in matrix.breaks if known.says is not None]
    if not wanted:
        return
    told: list[str] = []
    for file in manifest.files():
        with reading(file):
            sections = read_document(file, manifest.name_of(file)).sections
        told += [statement.text for section in sections for statement in section.statements]
    for says in wanted:
        if not any(says in text for text in told):
            raise ManifestError(
                f"{manifest.file}: matrix.breaks: no statement of the pack says {says!r}: write it "
                "there, or quote what it says now"
            )


def problems_of(matrix: Matrix, results: Sequence[SetResult]) -> Iterator[str]:
    """Yield what is wrong with the known breaks, as far as the sets that were run can tell."""
    for number, known in enumerate(matrix.breaks):
        where = f"matrix.breaks.{number}"
        for result in results:
            name = result.run.version_set.name
            if name not in known.sets or result.run.tells_nothing:
                continue
            ids = [each.item[1] for each in result.breaks]
            for pattern in known.items:
                if not any(fnmatchcase(identifier, pattern) for identifier in ids):
                    yield f"{where}: {pattern} holds in {name}: remove it"
            for each in result.breaks:
                if each.known is known and (wrong := _wrong_versions(known, each, result)):
                    yield f"{where}: {each.item[1]} in {name}: {wrong}"


def _wrong_versions(known: KnownBreak, found: Break, result: SetResult) -> str | None:
    """Return how the versions with which an item holds differ from what is said, if they do."""
    if known.holds is None or found.step is None:
        return None
    changes = dict(found.step.changes)
    if "python" in changes:
        running = platform.python_version()
        changes["python"] = (changes["python"][0] or running, changes["python"][1] or running)
    if "server" in changes:
        changes["postgresql"] = (None, result.run.report["environment"].get("postgresql"))
    good, bad = {canonical(name): pair for name, pair in changes.items()}.get(
        canonical(known.holds.name), (None, None)
    )
    if bad is None:
        return f"said to hold with {known.holds}, but what breaks it is {', '.join(changes)}"
    if bad in known.holds.specifier:
        return f"said to hold with {known.holds}, but it breaks with {bad}"
    if good is not None and good not in known.holds.specifier:
        return f"said to hold only with {known.holds}, but it holds with {good}"
    return None
