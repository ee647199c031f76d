"""The object that instrumented Python code calls to have its expectations checked."""

from __future__ import annotations

import io
from collections.abc import Iterable
from types import TracebackType
from typing import Any, TypeVar

from proveskill.expectations import Expectation, misses, same_value, sqlstate_of

T = TypeVar("T")
_LONGEST = 400
_MOST_OBSERVED = 50
"""What is kept of a fence whose expectations stand in a loop."""


class ExpectationFailed(Exception):
    """An expectation comment that did not come true; ``line`` is counted within the fence."""

    def __init__(self, expectation: Expectation, observed: str, why: str = "") -> None:
        super().__init__(why or f"expected {expectation.text}, observed {observed}")
        self.line = expectation.line
        self.values = {"expected": expectation.text, "observed": observed}


class Checks:
    """Expectations of one fence, by line, and whether each was reached."""

    def __init__(
        self, expectations: Iterable[Expectation], observed: list[tuple[int, str]] | None = None
    ) -> None:
        self._by_line = {expectation.line: expectation for expectation in expectations}
        self._unreached = dict(self._by_line)
        self.last_result: object = None
        self.observed = [] if observed is None else observed
        """Line within the fence, and what was seen there; of a loop once for each pass."""

    def value(self, line: int, observed: T) -> T:
        """Check ``-> LITERAL`` and pass the value on."""
        expectation = self._reach(line)
        if not same_value(observed, expectation.value or ""):
            kind = type(observed).__name__
            raise ExpectationFailed(expectation, f"{show(observed)} ({kind})")
        self.note(expectation, show(observed))
        return observed

    def printing(self, line: int, *values: object, **options: Any) -> None:
        """Check what ``print(...)  # -> TEXT`` prints, and print it."""
        expectation = self._reach(line)
        copy = io.StringIO()
        print(*values, **{**options, "file": copy})
        print(*values, **options)
        printed = copy.getvalue().strip()
        if printed != expectation.value:
            raise ExpectationFailed(expectation, show(printed))
        self.note(expectation, show_text(printed))

    def raises(self, line: int) -> _MustRaise:
        """Return the context that swallows the promised exception and nothing else."""
        return _MustRaise(self._reach(line), self)

    def note(self, expectation: Expectation, seen: str) -> None:
        """Keep what was seen at an expectation, for the report."""
        if len(self.observed) < _MOST_OBSERVED:
            self.observed.append((expectation.line, seen))

    def result(self, value: T) -> T:
        """Keep the value of the last expression, for a ``text`` fence."""
        self.last_result = value
        return value

    def require_all_reached(self) -> None:
        """Raise :class:`ExpectationFailed` for an expectation whose statement never ran."""
        for expectation in self._unreached.values():
            raise ExpectationFailed(expectation, "this statement was never reached")

    def _reach(self, line: int) -> Expectation:
        self._unreached.pop(line, None)
        return self._by_line[line]


class _MustRaise:
    def __init__(self, expectation: Expectation, checks: Checks) -> None:
        self.expectation = expectation
        self.checks = checks

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if error is None:
            raise ExpectationFailed(self.expectation, "nothing was raised")
        if isinstance(error, ExpectationFailed):
            return False
        if why := misses(self.expectation, error):
            observed = f"{type(error).__name__}: {error}"
            raise ExpectationFailed(self.expectation, show_text(observed), why) from error
        self.checks.note(self.expectation, show_error(error))
        return True


def show(value: object) -> str:
    """Return a bounded ``repr`` that never raises."""
    try:
        return show_text(repr(value))
    except Exception as error:  # noqa: BLE001 - any __repr__ may be broken
        return f"<{type(value).__name__} whose repr raises {type(error).__name__}>"


def show_error(error: BaseException) -> str:
    """Return class, SQLSTATE and message of an exception, bounded; never raises."""
    named = " ".join(filter(None, (type(error).__name__, sqlstate_of(error))))
    message = text_of(error)
    return show_text(f"{named}: {message}" if message else named)


def text_of(error: BaseException) -> str:
    """Return the message of an exception, whose ``__str__`` may be broken."""
    try:
        return str(error)
    except Exception as broken:  # noqa: BLE001 - any __str__ may raise anything
        return f"(its __str__ raises {type(broken).__name__})"


def show_text(text: str) -> str:
    """Cut a text to a length that fits into a message."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"
