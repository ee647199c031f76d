"""The progress callback of a load, which runs while the load has the session to itself.

The callback's own task may use the session: what it does is part of the load's transaction. A task
that the callback starts and waits for would wait for the end of the load, and the load for it.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass

from sqlspec.exceptions import SQLSpecError


@dataclass(eq=False)
class _Callback:
    lane: object
    is_running: bool = True


_callback: ContextVar[_Callback | None] = ContextVar("psqlpy_adapter_progress", default=None)


def refuse_in_callback(lane: object) -> None:
    """Refuse to wait for a turn in a task that a load's callback has started, while it runs.

    Raises:
        SQLSpecError: nothing was sent.
    """
    callback = _callback.get()
    if callback is not None and callback.is_running and callback.lane is lane:
        msg = (
            "the progress callback of a load uses the load's session in another task (gather, "
            "create_task, wait_for): it would wait for the load, and the load for it. Await in the "
            "callback itself, or use a session of its own."
        )
        raise SQLSpecError(msg)


def watched(
    lane: object, progress: Callable[[int, int | None], Awaitable[None] | None]
) -> Callable[[int, int | None], Awaitable[None]]:
    """Return the callback, so that the tasks which it starts are known by their context."""

    async def report(rows: int, total: int | None) -> None:
        callback = _Callback(lane)
        token = _callback.set(callback)
        try:
            reported = progress(rows, total)
            if inspect.isawaitable(reported):
                await reported
        finally:
            callback.is_running = False
            _callback.reset(token)

    return report
