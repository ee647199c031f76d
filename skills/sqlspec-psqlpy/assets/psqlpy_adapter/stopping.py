"""Stopping a statement whose caller is gone: cancel, wait for the answer, else give up.

The statement is carried on in a task while the server is asked to cancel it; so psqlpy takes all
its steps (the ROLLBACK of its `execute_many`, the end of a COPY) and the answer says what happened.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from sqlspec.exceptions import DatabaseConnectionError

from psqlpy_adapter.carrying import Statement, carried_on, retrieved
from psqlpy_adapter.errors import ends_connection

if TYPE_CHECKING:
    from psqlpy_adapter.checkout import Checkout

CANCEL_SECONDS = 5.0
"""How long the server is asked to cancel before its process is terminated."""
TERMINATE_SECONDS = 2.0
"""How long a terminated process may take to close the connection."""
# A request that comes before the server has begun the statement is lost: ask again, ever slower.
_INTERVALS = (0.02, 0.05, 0.1, 0.25, 0.5)

_log = logging.getLogger(__name__)
_unanswered: set[asyncio.Task[Any]] = set()


async def stop(
    checkout: Checkout,
    statement: Statement,
    *,
    courtesy: float = 0.0,
    undo: Callable[[], Statement] | None = None,
    instead: Callable[[], Statement] | None = None,
) -> bool | None:
    """Stop a statement; return whether the server had done it nevertheless (None: not known).

    Afterwards nothing runs on the connection, or `checkout.broken` is set.

    Args:
        checkout: the connection on which the statement runs.
        statement: psqlpy's coroutine, begun.
        courtesy: seconds for which the statement may still end by itself.
        undo: makes a statement to run afterwards.
        instead: makes a statement to run afterwards if this one was not done.
    """
    rest = asyncio.ensure_future(carried_on(statement))
    rest.add_done_callback(retrieved)
    try:
        if courtesy:
            await asyncio.wait({rest}, timeout=courtesy)
        await _cancel_on_server(checkout, statement, rest)
        if not rest.done():
            await _give_up(checkout, rest)
            return None
        failure = rest.exception()
        if failure is not None and ends_connection(failure):
            checkout.broken = True
        if not checkout.broken:
            # A request that came too late could hit the next statement: an empty one takes it.
            await _own(checkout, checkout.connection.execute_batch(""))
        cure = undo or (instead if failure is not None else None)
        if cure is not None:
            await _cure(checkout, cure)
        return True if failure is None else None if ends_connection(failure) else False
    finally:
        checkout.flights.pop(statement, None)


def owe(checkout: Checkout, cure: Callable[[], Statement]) -> None:
    """Have a statement run before anything else is sent, though its caller is cancelled already."""
    before = set(checkout.stops)

    async def pay() -> None:
        if before:
            await asyncio.wait(before)
        await _cure(checkout, cure)

    checkout.add_stop(asyncio.get_running_loop().create_task(pay()))


async def _cure(checkout: Checkout, cure: Callable[[], Statement]) -> None:
    """Run what ends a transaction; a connection on which that fails cannot be used again."""
    if checkout.broken:
        return
    with contextlib.suppress(DatabaseConnectionError):  # the session ended: so did its work
        if not await _own(checkout, cure()):
            checkout.broken = True


async def _cancel_on_server(
    checkout: Checkout, statement: Statement, rest: asyncio.Task[Any]
) -> None:
    """Ask until the statement has ended, but not while an older one of somebody else runs."""
    asked = 0
    end = None
    while not rest.done():
        oldest = next(iter(checkout.flights), statement)
        if oldest is not statement:
            await asyncio.wait({rest}, timeout=_INTERVALS[0])
            continue
        now = time.monotonic()
        if end is None:
            end = now + CANCEL_SECONDS
        if now > end:
            return
        if checkout.canceller is not None:
            await _either(checkout, rest, checkout.canceller.cancel(checkout))
        await asyncio.wait({rest}, timeout=_INTERVALS[min(asked, len(_INTERVALS) - 1)])
        asked += 1


async def _give_up(checkout: Checkout, rest: asyncio.Task[Any]) -> None:
    """Leave a connection that does not answer, and end its server process if it can be reached."""
    checkout.broken = True
    _keep(rest)
    _log.warning(
        "backend %s did not stop within %g s: terminating it, dropping the connection",
        checkout.backend_pid,
        CANCEL_SECONDS,
    )
    if checkout.canceller is not None:
        await _either(checkout, rest, checkout.canceller.terminate(checkout))
        await asyncio.wait({rest}, timeout=TERMINATE_SECONDS)


async def _own(checkout: Checkout, statement: Statement) -> bool:
    """Run a statement of our own, and return whether it was done.

    A lost connection or no answer breaks the checkout.
    """
    task = asyncio.ensure_future(carried_on(statement))
    task.add_done_callback(retrieved)
    await asyncio.wait({task}, timeout=CANCEL_SECONDS)
    if not task.done():
        checkout.broken = True
        _keep(task)
        return False
    failure = task.exception()
    if failure is not None and ends_connection(failure):
        checkout.broken = True
    return failure is None


async def _either(checkout: Checkout, rest: asyncio.Task[Any], request: Awaitable[bool]) -> None:
    """Wait for the answer to a request, or for the end of the statement.

    Once sent, a request must have been answered before the next statement goes out.
    """
    asking = asyncio.ensure_future(request)
    asking.add_done_callback(retrieved)
    await asyncio.wait({rest, asking}, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.wait({asking}, timeout=CANCEL_SECONDS)
    if not asking.done():
        checkout.broken = True


def _keep(task: asyncio.Task[Any]) -> None:
    """Hold on to a task that nobody awaits: asyncio itself does not."""
    _unanswered.add(task)
    task.add_done_callback(_unanswered.discard)
