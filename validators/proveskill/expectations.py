"""What a comment in a fence promises: ``# -> 3`` and ``# raises TypeError: 'str' object``.

One grammar for Python (``#``) and SQL (``--``)::

    -> LITERAL                       the value of this statement
    raises CLASS [SQLSTATE][: TEXT]  this statement fails with that class, code and text
    raises SQLSTATE[: TEXT]

A capital letter or a five-character SQLSTATE after ``raises`` makes it an expectation, so prose
such as ``# raises the limit`` stays prose.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass

_VALUE = re.compile(r"->\s*(?P<text>\S.*)\Z")
_RAISES = re.compile(
    r"raises\s+(?P<name>[A-Za-z_][\w.]*[a-z]\w*)?\s*(?P<state>(?=\w*\d)[0-9A-Z]{5}\b)?"
    r"\s*(?::\s*(?P<text>\S.*))?\Z"
)
_RAISES_LOOSE = re.compile(r"raises?\s+([A-Z]\w*(Error|Exception|Exit|Warning)\b|[0-9A-Z]{5}\b)")
_RELATIVE_TOLERANCE = 1e-9


class MisplacedExpectation(ValueError):
    """An expectation comment that belongs to no statement, or says nothing checkable.

    ``line`` is counted within the fence.
    """

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Expectation:
    """One promise of a comment; ``line`` is where the comment stands."""

    line: int
    value: str | None = None
    raises: str | None = None
    """Name of the exception class, as a reader would write it after ``except``."""
    sqlstate: str | None = None
    message: str | None = None
    """Text that the message contains."""

    @property
    def text(self) -> str:
        """The promise as the author wrote it, white space folded."""
        if self.value is not None:
            return f"-> {self.value}"
        named = " ".join(part for part in (self.raises, self.sqlstate) if part)
        return f"raises {named}" + (f": {self.message}" if self.message else "")


def read_comment(comment: str, line: int) -> Expectation | None:
    """Return the expectation in a comment (without its ``#`` or ``--``), or None for prose.

    Raises :class:`MisplacedExpectation` for one that starts like an expectation and is none.
    """
    text = comment.strip()
    if text.startswith("->"):
        if not (match := _VALUE.match(text)):
            raise MisplacedExpectation(line, "'->' needs a value after it")
        return Expectation(line, value=match["text"])
    match = _RAISES.match(text)
    if match and (match["state"] or (match["name"] and not match["name"].islower())):
        return Expectation(
            line, raises=match["name"], sqlstate=match["state"], message=match["text"]
        )
    if _RAISES_LOOSE.match(text):
        message = "write: raises CLASS, raises SQLSTATE or raises CLASS: TEXT"
        raise MisplacedExpectation(line, message)
    return None


def same_value(observed: object, written: str) -> bool:
    """Whether a value is what the comment says: literal by type and value, else by ``repr``.

    Floats, also inside lists, tuples and dicts, may differ by 1e-9 of their size.
    """
    try:
        expected = ast.literal_eval(written)
    except (ValueError, SyntaxError):
        return " ".join(repr(observed).split()) == " ".join(written.split())
    return _equal(observed, expected)


def _equal(observed: object, expected: object) -> bool:
    if type(observed) is not type(expected):
        return False
    if isinstance(expected, float) and isinstance(observed, float):
        if observed == expected or (observed != observed and expected != expected):
            return True
        return abs(observed - expected) <= _RELATIVE_TOLERANCE * abs(expected)
    if isinstance(expected, dict) and isinstance(observed, dict):
        return _typed(observed) == _typed(expected) and all(
            _equal(observed[key], expected[key]) for key in expected
        )
    if isinstance(expected, (set, frozenset)) and isinstance(observed, (set, frozenset)):
        return _typed(observed) == _typed(expected)
    if isinstance(expected, (list, tuple)) and isinstance(observed, (list, tuple)):
        return len(observed) == len(expected) and all(map(_equal, observed, expected))
    return observed == expected


def _typed(members: Iterable[object]) -> set[tuple[type, object]]:
    """Members with their types: ``1``, ``1.0`` and ``True`` are equal to Python."""
    return {(type(member), member) for member in members}


def misses(expectation: Expectation, error: BaseException) -> str | None:
    """Say in which respect an exception is not the promised one, or None when it is."""
    kind = type(error)
    if expectation.raises:
        full_name = f"{kind.__module__}.{kind.__qualname__}"
        if not f".{full_name}".endswith(f".{expectation.raises}"):
            return f"{kind.__name__} was raised, not {expectation.raises}"
    if expectation.sqlstate and expectation.sqlstate != (seen := sqlstate_of(error)):
        return f"SQLSTATE is {seen}, not {expectation.sqlstate}"
    if expectation.message:
        message = " ".join(str(error).split())
        if " ".join(expectation.message.split()) not in message:
            return f"the message does not contain {expectation.message!r}"
    return None


def sqlstate_of(error: BaseException | None) -> str | None:
    """Return the SQLSTATE that an exception, or one that caused it, carries."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        state = getattr(error, "sqlstate", None)
        if isinstance(state, str):
            return state
        error = error.__cause__ or error.__context__
    return None
