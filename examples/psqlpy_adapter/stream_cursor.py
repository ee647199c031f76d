"""A cursor of a stream on the server: its declaration, and its end in every case."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlspec.exceptions import OperationCancelledError, SQLSpecError

from psqlpy_adapter.cancellation import guarded
from psqlpy_adapter.sql_text import tokens

if TYPE_CHECKING:
    from psqlpy_adapter.plans import Plan
    from psqlpy_adapter.streaming import StreamingMixin


def name_of(number: int) -> str:
    """Return the name of a cursor."""
    return f"psqlpy_adapter_{number}"


class Cursor:
    """The cursor of one stream; a `Guest` of the session's lane.

    `owns_transaction`: the stream was begun outside of a transaction, and its own is open.
    """

    def __init__(self, driver: StreamingMixin) -> None:
        self.owns_transaction = False
        self._driver = driver
        self._number: int | None = None
        self._block: object = None  # the caller's transaction, which takes the cursor along
        self._failure: SQLSpecError | None = None
        self._is_closed = False
        self._is_cancelled = False

    async def _declare(self, plan: Plan, parameters: list[Any]) -> None:
        driver, cursors = self._driver, self._driver.describer.cursors
        self._number = next(n for n in range(len(cursors) + 1) if n not in cursors)
        cursors.add(self._number)
        code = [token for token in tokens(plan.sql) if token.text != ";" or token.kind != "symbol"]
        hold = "WITH HOLD " if self.owns_transaction else ""
        end = code[-1].end  # behind it is what tells the text from an older one of other types
        text = plan.sql[:end] + plan.sql[end:].replace(";", " ")
        declare = f"DECLARE {name_of(self._number)} NO SCROLL CURSOR {hold}FOR {text}"
        failure = None
        try:
            opening = driver.connection.execute(declare, parameters)
            await guarded(driver, opening, undo=self._undo, instead=self._undo)
        except asyncio.CancelledError:
            self._undone()
            raise
        except SQLSpecError as error:
            failure = error
        if failure is not None:
            self._forget()
            if self.owns_transaction:
                await self._end_transaction("ROLLBACK")
            raise failure

    async def dismiss(self) -> None:
        """End the stream's own transaction; the server keeps the rows that are left.

        Where that fails (a row that cannot be computed), the stream raises it at its next chunk.
        """
        if self._is_cancelled:
            await self._give_up()
            return
        if self._is_closed:
            await self._close()
            return
        try:
            await self._end_transaction("COMMIT")
        except SQLSpecError as error:
            self._failure = error
            self._forget()
        except asyncio.CancelledError:
            self._failure = OperationCancelledError(
                "the server was to set the stream's rows aside for another statement of the "
                "session, which was cancelled: the stream has ended"
            )
            self._abandon()
            raise

    async def _close(self) -> None:
        """Close the cursor, in a turn alone."""
        driver, number = self._driver, self._number
        if self.owns_transaction:
            close = "" if number is None else f"CLOSE {name_of(number)}; "
            self._forget()
            with contextlib.suppress(SQLSpecError):  # the stream failed, and its transaction too
                await self._end_transaction(f"{close}COMMIT")
        elif self._block not in (None, driver.lane.block):
            self._forget()  # the caller's transaction has ended, and took the cursor along
        elif number is not None:
            # Refused in a transaction that failed; that one takes its own cursors with it.
            self._abandon()
            await guarded(driver, driver.connection.execute_batch(f"CLOSE {name_of(number)}"))
            driver.describer.abandoned.remove(name_of(number))
            driver.describer.cursors.discard(number)

    async def _give_up(self) -> None:
        """Roll the stream's own transaction back, in a turn: the stream was cancelled."""
        if self.owns_transaction:
            with contextlib.suppress(SQLSpecError):
                await self._end_transaction("ROLLBACK")
            self._forget()

    async def _end_transaction(self, sql: str) -> None:
        """End the stream's own transaction by `sql`, else by ROLLBACK. Raises why `sql` failed."""
        driver = self._driver
        self._let_go()
        failure = None
        try:
            await guarded(driver, driver.connection.execute_batch(sql), instead=self._rollback)
        except SQLSpecError as error:
            failure = error
        if failure is not None:
            with contextlib.suppress(SQLSpecError):
                await guarded(driver, self._rollback(), instead=self._rollback)
            raise failure

    def _undone(self) -> None:
        """Take note that `_undo` ends the stream's own transaction, and the cursor with it."""
        if self.owns_transaction:
            self._forget()
            self._let_go()

    def _let_go(self) -> None:
        """Leave the stream's own transaction, which is about to end."""
        self.owns_transaction = False
        if self._driver.lane.guest is self:
            self._driver.lane.guest = None

    def _forget(self) -> None:
        """Take note that the server has closed the cursor."""
        if self._number is not None:
            self._driver.describer.cursors.discard(self._number)
        self._number = None

    def _abandon(self) -> None:
        """Leave the cursor for the next stream to close."""
        if self._number is not None:
            self._driver.describer.abandoned.append(name_of(self._number))
        self._number = None

    @property
    def _undo(self) -> Callable[[], Any] | None:
        return self._rollback if self.owns_transaction else None

    def _rollback(self) -> Any:
        return self._driver.connection.execute_batch("ROLLBACK")

    async def _close_abandoned(self) -> None:
        describer = self._driver.describer
        while describer.abandoned:
            name = describer.abandoned.pop()
            describer.cursors.discard(int(name.rpartition("_")[2]))
            close = self._driver.connection.execute_batch(f"CLOSE {name}")
            with contextlib.suppress(SQLSpecError):  # it ended with its transaction
                await guarded(self._driver, close)

    def __del__(self) -> None:
        if self._number is not None:
            self._driver.describer.abandoned.append(name_of(self._number))
