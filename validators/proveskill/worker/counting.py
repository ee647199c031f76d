"""Counts what a proof asserts: a proof that asserts nothing proves nothing.

Only the body of the test counts: what a fixture asserts it asserts for every proof that uses it,
and a task that is cancelled after the body has shown nothing.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager
from functools import wraps
from types import TracebackType
from typing import Any

import pytest


class Counting:
    """A pytest plugin: counts asserts that hold, and exceptions that ``pytest.raises`` has seen."""

    def __init__(self) -> None:
        self.asserted = 0
        self._is_body = False

    def add(self) -> None:
        """Count an assertion that held."""
        self.asserted += self._is_body

    def pytest_assertion_pass(self) -> None:
        """Count an assert that held."""
        self.add()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, None, None]:
        """Count while the body runs."""
        self._is_body = True
        try:
            yield
        finally:
            self._is_body = False

    def watch(self, raises: Any) -> Any:
        """Return ``pytest.raises`` that counts; without a body or a function it sees nothing."""

        @wraps(raises)
        def counting(*arguments: Any, **options: Any) -> Any:
            made = raises(*arguments, **options)
            if isinstance(made, AbstractContextManager):
                return _Watched(made, self)
            self.add()  # it has called a function itself
            return made

        return counting


class _Watched:
    """The context of a ``pytest.raises``.

    Not a generator: one that is never left would be ended, as if by an exception of its body, when
    it is collected.
    """

    def __init__(self, context: AbstractContextManager[Any], counting: Counting) -> None:
        self._context = context
        self._counting = counting

    def __enter__(self) -> Any:
        return self._context.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        is_seen = self._context.__exit__(kind, error, traceback)
        if is_seen:
            self._counting.add()
        return is_seen
