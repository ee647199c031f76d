"""The list of mutants that are no mistakes: the statement is true with that value too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import yaml

from proveskill.ledger import Case
from proveskill.model import ManifestError
from proveskill.mutations import Fate, Mutant, mutants_of

Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class Equivalent:
    """A mutant, and why the statement is true with it."""

    proof: str
    """``test_pool.py::test_minimum``: the module, below the folder of the proofs, and the test."""
    field: str
    old: str
    new: str
    reason: str

    @property
    def key(self) -> Key:
        """What names the mutant."""
        return self.proof, self.field, self.old, self.new


_FIELDS = ", ".join(field.name for field in fields(Equivalent))


def key_of(mutant: Mutant, folder: Path) -> Key:
    """Return what names a mutant in the list; ``folder`` is that of the proofs."""
    return _name(mutant.case, folder), mutant.field, mutant.old, mutant.new


def _name(case: Case, folder: Path) -> str:
    return f"{case.proof.file.relative_to(folder).as_posix()}::{case.proof.name}"


def read_equivalents(file: Path | None) -> tuple[Equivalent, ...]:
    """Read the list. Raises :class:`ManifestError`."""
    if file is None:
        return ()
    try:
        entries = yaml.safe_load(file.read_text(encoding="utf-8")) or []
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ManifestError(f"{file}: {' '.join(str(error).split())}") from None
    if not isinstance(entries, list):
        raise ManifestError(f"{file}: not a list of mutants: - {{{_FIELDS}}}")
    found = []
    for number, entry in enumerate(entries, 1):
        try:
            equivalent = Equivalent(**{name: str(value) for name, value in entry.items()})
        except (TypeError, AttributeError):  # other keys, or no mapping
            equivalent = None
        if equivalent is None or not all(text.strip() for text in astuple(equivalent)):
            raise ManifestError(f"{file}: entry {number} is not {{{_FIELDS}}}: {entry}")
        if not equivalent.proof.partition("::")[2]:
            raise ManifestError(
                f"{file}: entry {number}: a proof is named MODULE.py::TEST: {equivalent.proof}"
            )
        found.append(equivalent)
    return tuple(found)


def stale_entries(
    equivalents: Iterable[Equivalent],
    cases: Sequence[Case],
    folder: Path,
    fate_of: Callable[[Mutant], Fate],
) -> list[tuple[Equivalent, str]]:
    """Return the entries that match no surviving mutant of all cases of a pack, and why not.

    A mutant that is not tried may survive.
    """
    listed = tuple(equivalents)
    named = {entry.proof for entry in listed}
    fates: dict[Key, set[Fate]] = {}
    for case in cases:
        if _name(case, folder) in named:
            for mutant in mutants_of(case, cases):
                fates.setdefault(key_of(mutant, folder), set()).add(fate_of(mutant))
    found = []
    for entry in listed:
        if entry.key not in fates:
            found.append((entry, "there is no such mutant"))
        elif fates[entry.key] == {"killed"}:
            found.append((entry, "it is killed"))
    return found
