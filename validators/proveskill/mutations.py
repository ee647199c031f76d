"""Captured values -> mutants: the same statement with one value that is wrong.

A proof that still passes with a mutant does not look at that value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from proveskill.ledger import Case
from proveskill.worker.stated_values import NUMBER_WORDS

_NUMBER = re.compile(r"(?<![\w.])-?\d[\d,_]*(?:\.\d+)?(?![\w.]*\.\d)")
_VERSION = re.compile(r"^\W*\d+\.\d+\.\d+\W*$")
_CLASS = re.compile(r"^[A-Z]\w*(?:Error|Exception|Warning)$")
_OPPOSITES = {
    a: b
    for pair in ("yes no", "true false", "on off", "always never", "before after", "may must")
    for a, b in (pair.split(), reversed(pair.split()))
}
_OTHER_CLASSES = ("LookupError", "PermissionError")


Fate = Literal["killed", "survived", "untried"]


@dataclass(frozen=True)
class Mutant:
    """A run of a proof with one wrong value."""

    case: Case
    """As it is to be run."""
    field: str
    kind: str
    old: str
    new: str


def mutants_of(case: Case, cases: Iterable[Case]) -> Iterator[Mutant]:
    """Yield the mutants of each value of a case; ``cases`` are all, for siblings of words."""
    for name, old in case.values.items():
        siblings = _siblings(case, name, cases)
        for number, (kind, new) in enumerate(_changes(old, siblings)):
            values = {**case.values, name: new}
            mutated = replace(case, key=f"{case.key}~{name}{number}", values=values)
            yield Mutant(mutated, name, kind, old, new)


def _siblings(case: Case, name: str, cases: Iterable[Case]) -> list[str]:
    """Return what the same field says elsewhere: in other rows first, then in other proofs."""
    others = [other for other in cases if name in other.values]
    near = [other.values[name] for other in others if other.proof == case.proof]
    far = [other.values[name] for other in others if other.proof != case.proof]
    return list(dict.fromkeys([*near, *far]))


def _changes(old: str, siblings: list[str]) -> Iterator[tuple[str, str]]:
    """Yield (kind, another value) for a value."""
    bare = old.strip("`")
    if bare.lower() in _OPPOSITES:
        yield "boolean", old.replace(bare, _OPPOSITES[bare.lower()])
    elif bare.lower() in NUMBER_WORDS:
        number = NUMBER_WORDS.index(bare.lower())
        yield "number", NUMBER_WORDS[(number + 1) % len(NUMBER_WORDS)]
        yield "number", str(2 * number + 2 * (number == 0))
    elif _VERSION.match(bare):
        head, _, last = bare.rpartition(".")
        yield "version", old.replace(bare, f"{head}.{int(last) + 1}")
    elif (match := _NUMBER.search(bare)) and not _CLASS.match(bare):
        for changed in _numbers(match[0]):
            shown = bare[: match.start()] + changed + bare[match.end() :]
            yield "number", old.replace(bare, shown)
    elif _CLASS.match(bare):
        names = [s.strip("`") for s in siblings if _CLASS.match(s.strip("`"))]
        other = next(name for name in (*names, *_OTHER_CLASSES) if name != bare)
        yield "error class", old.replace(bare, other)
    else:
        others = [text for text in siblings if text.strip("`") != bare]
        # Code stays code, and a word a word.
        other = others[0].strip("`") if others and "`" not in bare else f"{bare}x"
        yield "word", others[0] if others and "`" in bare else old.replace(bare, other)


def _numbers(text: str) -> Iterator[str]:
    """Yield a number plus one and a number doubled, written as the text writes it."""
    plain = Decimal(text.replace(",", "").replace("_", ""))
    digits = -int(plain.as_tuple().exponent)
    step = Decimal(1).scaleb(-digits)  # one in its last digit
    for changed in dict.fromkeys((plain + step, plain * 2 if plain else plain + 2 * step)):
        written = f"{changed:,.{digits}f}" if {",", "_"} & {*text} else f"{changed:.{digits}f}"
        yield written.replace(",", "_") if "_" in text else written
