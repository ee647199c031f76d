"""Supplies pack fixtures to the fences of a section.

A pack fixture is an ordinary pytest fixture: a function, coroutine function, generator or async
generator whose parameters name other fixtures. It is made when the first fence of a section
needs it and torn down, in reverse order, when the section ends.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from contextlib import ExitStack, asynccontextmanager, contextmanager
from types import ModuleType
from typing import Any


class FixtureFailed(Exception):
    """A fixture that raised; the cause is what it raised."""

    def __init__(self, name: str, function: Callable[..., Any], error: BaseException) -> None:
        code = inspect.unwrap(function).__code__
        where = f"{code.co_filename}:{code.co_firstlineno}"
        super().__init__(f"the fixture {name!r} ({where}) raised {type(error).__name__}: {error}")


class Fixtures:
    """The fixtures of one section; ``run`` runs a coroutine on the section's event loop."""

    def __init__(
        self, module: ModuleType | None, run: Callable[[Coroutine[Any, Any, Any]], Any]
    ) -> None:
        self.module = module
        self._run = run
        self._values: dict[str, Any] = {}
        self._teardown = ExitStack()

    def value(self, name: str) -> Any:
        """Return a fixture's value, made now or earlier. Raises :class:`FixtureFailed`."""
        if name not in self._values:
            # pytest.fixture sets __wrapped__, so unwrap() gives the function as written.
            function = inspect.unwrap(getattr(self.module, name))
            needed = {p: self.value(p) for p in inspect.signature(function).parameters}
            try:
                self._values[name] = self._make(function, needed)
            except Exception as error:
                raise FixtureFailed(name, function, error) from error
        return self._values[name]

    def _make(self, function: Callable[..., Any], needed: dict[str, Any]) -> Any:
        if inspect.isasyncgenfunction(function):
            manager = asynccontextmanager(function)(**needed)
            value = self._run(manager.__aenter__())
            self._teardown.callback(lambda: self._run(manager.__aexit__(None, None, None)))
            return value
        if inspect.isgeneratorfunction(function):
            return self._teardown.enter_context(contextmanager(function)(**needed))
        if inspect.iscoroutinefunction(function):
            return self._run(function(**needed))
        return function(**needed)

    def close(self) -> None:
        """Tear down what was made, last first. Raises what a teardown raises."""
        self._teardown.close()
