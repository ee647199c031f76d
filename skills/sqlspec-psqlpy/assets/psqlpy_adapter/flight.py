"""A statement under way, and how the cancellation of its caller is turned into its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlspec.exceptions import OperationCancelledError, QueryTimeoutError, SQLSpecError

from psqlpy_adapter.carrying import Statement
from psqlpy_adapter.errors import ends_connection
from psqlpy_adapter.stopping import stop

if TYPE_CHECKING:
    from psqlpy_adapter.checkout import Checkout

WAIT_SECONDS = 2.0
"""How long a cancelled caller waits for the server to stop before it gets its CancelledError."""
UNKNOWN = "It is not known whether the server did the statement: its answer was not waited for."
"""The note for a statement that may write when nobody knows what became of it."""


class Flight:
    """A statement under way, and what happens when its caller is cancelled.

    asyncio cancels a task by cancelling the future that the task waits for, which then throws a
    CancelledError through all its frames. A frame of SQLSpec that mypyc compiled takes that well
    only if what it awaits ends at once; else, and when a CancelledError is raised rather than
    thrown, it leaves `sys.exc_info()` set, and later statements of the whole process go wrong.
    So the future's `cancel` is replaced: it begins to stop the statement and leaves the future
    waiting, and when that is over the future is cancelled in truth.
    """

    __slots__ = (
        "checkout",
        "courtesy",
        "deadline",
        "expired",
        "instead",
        "is_left",
        "is_over",
        "message",
        "note",
        "patience",
        "statement",
        "stopping",
        "undo",
        "waiter",
    )

    def __init__(
        self,
        checkout: Checkout,
        statement: Statement,
        courtesy: float,
        undo: Callable[[], Statement] | None,
        instead: Callable[[], Statement] | None,
        note: str | None,
    ) -> None:
        self.checkout = checkout
        self.statement = statement
        self.courtesy = courtesy
        self.undo = undo
        self.instead = instead
        self.note = note
        self.stopping: asyncio.Task[bool | None] | None = None
        self.waiter: asyncio.Future[Any] | None = None
        self.is_left = False
        self.is_over = False
        self.expired = False
        self.message: Any = None
        self.deadline: asyncio.TimerHandle | None = None
        self.patience: asyncio.TimerHandle | None = None
        if checkout.statement_limit is not None:
            loop = asyncio.get_running_loop()
            self.deadline = loop.call_later(checkout.statement_limit, self._expire)

    def cancel(self, msg: Any = None) -> bool:
        """Stop the statement (asyncio calls this for `Future.cancel`); again: wait no longer."""
        self.message = msg
        self.expired = False  # a cancellation must not be lost in a timeout
        if self.stopping is None:
            self.stop()
        else:
            self._land()
        return True

    def stop(self) -> None:
        """Have the statement stopped, in a task of its own."""
        waiter = self.waiter
        loop = asyncio.get_running_loop() if waiter is None else waiter.get_loop()
        self.stopping = loop.create_task(
            stop(
                self.checkout,
                self.statement,
                courtesy=self.courtesy,
                undo=self.undo,
                instead=self.instead,
            )
        )
        self.checkout.add_stop(self.stopping)
        self.stopping.add_done_callback(self._let_go)
        self.stopping.add_done_callback(self._land)
        self.patience = loop.call_later(WAIT_SECONDS, self._land)

    def _let_go(self, stopping: asyncio.Task[bool | None]) -> None:
        """Drop a statement that nobody carries on: its stop was cancelled (see `Checkout`).

        psqlpy's coroutine holds the connection, in a cycle that Python's collector does not see.
        """
        if stopping.cancelled():
            self.checkout.flights.pop(self.statement, None)
            self.statement.close()

    def next_waiter(self) -> asyncio.Future[None]:
        """Return a future that waits until the statement is stopped, and is cancelled then."""
        loop = asyncio.get_running_loop()
        self.waiter = loop.create_future()
        self.waiter.cancel = self.cancel  # type: ignore[method-assign]
        if self.is_over:
            loop.call_soon(self._land)
        return self.waiter

    def cancelled_by(self, error: asyncio.CancelledError) -> None:
        """Take note that the CancelledError has come out; stop the statement if nobody has yet."""
        if self.stopping is None:
            is_done = self._is_done_by_now()  # thrown when the answer had just come
        else:
            is_ended = self.stopping.done() and not self.stopping.cancelled()
            is_done = self.stopping.result() if is_ended else None
        if self.note is not None and is_done is not False:
            error.add_note(self.note if is_done else UNKNOWN)

    def _is_done_by_now(self) -> bool | None:
        flights = self.checkout.flights
        try:
            self.statement.send(None)
        except StopIteration:
            del flights[self.statement]
            return True
        except Exception as error:  # noqa: BLE001 - the caller is told of the cancellation
            del flights[self.statement]
            self.checkout.failed(error)
            return None if ends_connection(error) else False
        self.stop()
        return None

    def leave(self) -> None:
        """Stop a statement whose session has ended; the task that awaits it hears of it."""
        waiter = self.waiter
        if waiter is not None and waiter.get_loop() is asyncio.get_running_loop():
            self.is_left = self.expired = True
            self.stop()

    def failure(self) -> SQLSpecError:
        """Return the error of a statement that was stopped, though nobody cancelled its task."""
        if self.is_left:
            stopping = self.stopping
            is_done = stopping is not None and stopping.done() and stopping.result()
            outcome = "it was done nevertheless" if is_done else "it was cancelled"
            return OperationCancelledError(
                f"the session ended while this statement was under way: {outcome}"
            )
        return QueryTimeoutError(
            f"No answer from the server within {self.checkout.statement_limit:g} s, the client's "
            "own limit of a statement (statement_timeout_sec and a grace period)."
        )

    def _expire(self) -> None:
        """End a wait for a peer that stays silent: neither the server nor TCP does."""
        if self.stopping is None and self.waiter is not None and not self.waiter.done():
            self.expired = True
            self.stop()

    def _land(self, _: object = None) -> None:
        self.is_over = True
        if self.patience is not None:
            self.patience.cancel()
        if self.waiter is None or self.waiter.done():
            return
        if self.expired:
            self.waiter.set_result(None)
        else:
            asyncio.Future.cancel(self.waiter, self.message)
