"""Known breaks of a matrix and the text of the pack -> where it does not tell its readers.

That a sentence is there, and where, is checked here, without running anything. That it is true,
the matrix shows: the items break in the sets without that version and hold in the others, and the
sentence itself is proven in all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from proveskill.manifest import SKILL, Manifest
from proveskill.markdown import read_document
from proveskill.matrix_sets import KnownBreak, Matrix, WrongMatrix
from proveskill.model import Section
from proveskill.reading import reading


def unsaid(manifest: Manifest, matrix: Matrix, advice: Collection[str] = ()) -> Iterator[str]:
    """Yield what the pack does not say of its known breaks, with file and line.

    ``advice`` are the ids of statements that nothing proves. Raises ``ManifestError`` when a file
    cannot be read.
    """
    if not matrix.breaks or manifest.file is None:
        return
    wrong = WrongMatrix(manifest.file)
    sections: list[Section] = []
    for file in manifest.files():
        with reading(file):
            sections += read_document(file, manifest.name_of(file)).sections
    for number, known in enumerate(matrix.breaks):
        ids = {item for section in sections for item in _items(section)}
        for position, pattern in enumerate(known.items):
            if not any(fnmatchcase(identifier, pattern) for identifier in ids):
                message = f"no fence or statement is {pattern!r}: correct it, or remove it"
                yield str(wrong(message, "breaks", number, "items", position))
        for message in _untold(known, sections, advice):
            yield str(wrong(message, "breaks", number, "says"))


def _untold(
    known: KnownBreak, sections: Sequence[Section], advice: Collection[str]
) -> Iterator[str]:
    if known.says is None:
        return
    telling = {
        statement.id: section
        for section in sections
        for statement in section.statements
        if known.says in statement.text
    }
    if not telling:
        yield (
            f"no statement of the pack says {known.says!r}: write it there, or quote what it says "
            "now"
        )
        return
    for name in telling:
        if name in advice:
            yield f"{name}, which says {known.says!r}, is listed as advice: prove it"
        if known.covers(name):
            yield (
                f"{name}, which says {known.says!r}, is one of the items itself: prove it so that "
                "it holds without that version, too"
            )
    for section in sections:
        affected = [item for item in _items(section) if known.covers(item)]
        if affected and not any(_is_read_with(each, section) for each in telling.values()):
            yield (
                f"{affected[0]} holds with {known.holds} only, but neither its section nor the top "
                f"of its file nor {SKILL} says {known.says!r}: write it in one of them"
            )


def _items(section: Section) -> list[str]:
    fences = [snippet.id for snippet in section.snippets]
    return [*fences, *(statement.id for statement in section.statements)]


def _is_read_with(telling: Section, section: Section) -> bool:
    """Whether who reads a section has read the other one: itself, or what stands before it."""
    before = telling.file == section.file and telling.id.endswith("#top")
    return telling.id == section.id or before or telling.file == _skill_of(section.file)


def _skill_of(file: Path) -> Path | None:
    return next((found for p in file.parents if (found := p / SKILL).is_file()), None)
