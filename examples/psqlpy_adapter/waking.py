"""Waking: a task runs on in the step of the event loop that has its answer, not in the next one.

What psqlpy 0.13 does: its coroutines (PyO3's) have the running loop make a future, and give it its
result by `call_soon_threadsafe`. asyncio calls what waits for a future in the next step of the
loop, after another question to the operating system: a fifteenth of the time of a short query.

What this does instead: while psqlpy's coroutine runs, `asyncio.get_running_loop()` is a `Home`,
whose futures run the task at once. Whatever else such a future does (being cancelled, failing) is
as asyncio does it.

May be unnecessary when psqlpy resumes its tasks itself.
"""

from __future__ import annotations

import asyncio
from asyncio.events import _set_running_loop
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any


class Waiter(asyncio.Future[None]):
    """A future whose result has the task that awaits it run at once, where none runs already."""

    _task: tuple[Callable[[Any], object], Context] | None = None

    def add_done_callback(
        self, fn: Callable[[Any], object], /, *, context: Context | None = None
    ) -> None:
        """Add a callback, as `asyncio.Future` does; the first is that of the task."""
        if self._task is None and context is not None:
            self._task = fn, context
        super().add_done_callback(fn, context=context)

    def set_result(self, result: None, /) -> None:
        """Have the result, and the task go on. Raises InvalidStateError if it has one already."""
        task = self._task
        if task is None or asyncio.current_task(self.get_loop()) is not None:
            super().set_result(result)
            return
        wake, context = task
        self.remove_done_callback(wake)
        super().set_result(result)
        context.run(wake, self)


class Home:
    """What psqlpy takes for the event loop, and sends its statements' steps from."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.call_soon_threadsafe = loop.call_soon_threadsafe

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loop, name)

    def create_future(self) -> Waiter:
        """Return a future of the loop; PyO3 asks for it."""
        return Waiter(loop=self.loop)

    def advance(self, statement: Coroutine[Any, Any, Any]) -> Any:
        """Carry out the next step of a psqlpy coroutine, in the loop's own thread.

        Returns what it waits for. Raises StopIteration with what it returns, or what it raises.
        """
        try:
            _set_running_loop(self)  # type: ignore[arg-type]
            return statement.send(None)
        finally:
            _set_running_loop(self.loop)
