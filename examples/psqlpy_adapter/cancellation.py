"""Cancellation: the server stops, and the connection is idle before anybody uses it again.

What psqlpy 0.13 does: cancelling a task drops the future and leaves the server at work, so that
the next statement on that connection waits for it. What SQLSpec 0.69 does: its compiled frames
throw into psqlpy's coroutine in a way that it does not take, so that `asyncio.timeout`, `wait_for`,
`TaskGroup` and `Task.cancel()` end in a `TypeError`; then it lends the busy connection.

What this does instead: `guarded` drives psqlpy's coroutine itself. On cancellation the server is
asked over a second connection to cancel (`canceller`), the statement's answer is waited for
(`stopping`), and only then the `CancelledError` comes out. A second cancellation ends the waiting,
not the stopping; until that is over nothing new is sent on the connection.

A statement that waits behind another one on the same connection (pipelining) is not cancelled
before that one has ended: the server runs them in order, and a request hits whatever runs. One
that waits behind the cancelled statement may be hit if the request comes at the moment at which
the server turns to it; it then fails with `OperationCancelledError`, undone.

May be unnecessary when psqlpy offers a cancel token and SQLSpec uses it.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Generator
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from psqlpy_adapter.carrying import Statement
from psqlpy_adapter.errors import is_panic, mapped
from psqlpy_adapter.flight import Flight
from psqlpy_adapter.stopping import owe

if TYPE_CHECKING:
    from psqlpy_adapter.checkout import Checkout


DONE = (
    "The server had done the statement before it could be cancelled: what it wrote is stored (in "
    "an open transaction, when that is committed)."
)
"""The note for statements that may write."""


class Owner(Protocol):
    """A driver or a `Checkout`."""

    @property
    def checkout(self) -> Checkout | None:
        """What is known of the connection, if anything."""


@types.coroutine
def guarded(
    owner: Owner,
    statement: Statement,
    *,
    courtesy: float = 0.0,
    undo: Callable[[], Statement] | None = None,
    instead: Callable[[], Statement] | None = None,
    note: str | None = None,
) -> Generator[Any, None, Any]:
    """Await one psqlpy coroutine so that it can be cancelled, and map what it raises.

    Args:
        owner: the driver on whose connection the statement runs. When its `checkout` is None (a
            driver made by hand), cancellation drops the statement, as raw psqlpy does.
        statement: ONE call of psqlpy (`connection.fetch(...)`, `cursor.fetchmany(...)`, ...): after
            a cancellation it is carried on to its end, with all its steps.
        courtesy: seconds for which a cancelled statement may still end by itself (COMMIT).
        undo: makes a statement to run after a cancelled one that the server may have done (BEGIN).
        instead: makes a statement to run in place of a cancelled one that was not done, or not even
            sent (ROLLBACK for COMMIT); before anything else is sent, whatever else is cancelled.
        note: is put on the CancelledError when the server had done the statement nevertheless; when
            that is not known, a note says so.

    Returns:
        What the statement returns.

    Raises:
        SQLSpecError: what psqlpy raised, mapped.
        QueryTimeoutError: no answer within `checkout.statement_limit` seconds.
        DatabaseConnectionError: the session has ended.
        OperationCancelledError: the session ended while the statement was under way.
        asyncio.CancelledError: the server has stopped, or did not within `flight.WAIT_SECONDS`.
    """
    checkout = owner.checkout
    if checkout is None:
        return (yield from _unguarded(statement))
    if checkout.stops or checkout.broken:
        try:
            yield from checkout.usable().__await__()
            if owner.checkout is not checkout and owner.checkout is not None:
                yield from owner.checkout.usable().__await__()  # its session ended meanwhile
        except asyncio.CancelledError:
            if instead is not None:
                owe(checkout, instead)
            raise
    flight = Flight(checkout, statement, courtesy, undo, instead, note)
    flights = checkout.flights
    flights[statement] = flight
    advance = checkout.home().advance
    try:
        while flight.stopping is None:
            waiter = advance(statement)
            if waiter is not None:
                waiter.cancel = flight.cancel
                flight.waiter = waiter
            yield waiter
    except StopIteration as done:
        del flights[statement]
        checkout.answered = monotonic()
        return done.value
    except asyncio.CancelledError as error:
        # Nothing may be awaited here, see Flight.
        flight.cancelled_by(error)
        raise
    except BaseException as error:
        del flights[statement]
        if not isinstance(error, Exception) and not is_panic(error):
            checkout.broken = True  # GeneratorExit, KeyboardInterrupt: its state is unknown
            raise
        checkout.failed(error)
        raise mapped(error) from error
    finally:
        if flight.deadline is not None:
            flight.deadline.cancel()
    # psqlpy woke us although the statement is being stopped: wait for that.
    try:
        while not (flight.is_over and flight.expired):
            yield from flight.next_waiter()
    except asyncio.CancelledError as error:
        flight.cancelled_by(error)
        raise
    raise flight.failure()


def _unguarded(statement: Statement) -> Generator[Any, None, Any]:
    try:
        while True:
            yield statement.send(None)
    except StopIteration as done:
        return done.value
    except (asyncio.CancelledError, GeneratorExit):
        statement.close()
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and not is_panic(error):
            raise
        raise mapped(error) from error
