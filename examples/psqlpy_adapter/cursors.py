"""One stream's cursor on the server: opening, reading, and closing it. See `streaming`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlspec.exceptions import SQLSpecError

from psqlpy_adapter.blocks import in_block
from psqlpy_adapter.cancellation import guarded
from psqlpy_adapter.counts import verb
from psqlpy_adapter.ended import EndedCheckout
from psqlpy_adapter.lone import settled
from psqlpy_adapter.sql_text import tokens
from psqlpy_adapter.types import TextNeeded

if TYPE_CHECKING:
    from psqlpy_adapter.plans import Plan
    from psqlpy_adapter.streaming import StreamingMixin

Rows = list[dict[str, Any]]
_WRITING = frozenset({"insert", "update", "delete", "merge", "share", "into"})


def takes_cursor(sql: str) -> bool:
    """Whether a cursor that outlives its transaction can be declared for a statement."""
    words = {token.text for token in tokens(sql) if token.kind == "word"}
    return verb(sql) in ("SELECT", "VALUES", "TABLE") and not words & _WRITING


def _name(number: int) -> str:
    return f"psqlpy_adapter_{number}"


class RowSource:
    """The chunks of one stream, for SQLSpec's AsyncRowStream.

    `owns_transaction`: the stream was begun outside of a transaction, and its own is open.
    """

    def __init__(self, driver: StreamingMixin, sql: str, values: Any, chunk_size: int) -> None:
        self.owns_transaction = False
        self._driver = driver
        self._sql = sql
        self._values = values
        self._chunk_size = chunk_size
        self._plan: Plan | None = None
        self._number: int | None = None
        self._rows: Rows | None = None
        self._failure: SQLSpecError | None = None

    async def start(self) -> None:
        """Open the cursor. Raises what `execute` raises."""
        await self._driver.detach_streams()
        if not takes_cursor(self._sql):
            _, self._rows = await self._driver._perform(self._sql, self._values)
            return
        try:
            await self._open()
        except asyncio.CancelledError:
            self._cancelled()
            raise

    async def _open(self) -> None:
        driver = self._driver
        async with driver.lane.alone():
            plan = await driver.plan(self._sql)
            values = settled(plan.parameters, self._values)
            if plan.refuses(values):
                plan = await driver.refit(plan) or plan
            try:
                parameters = plan.encode(values)
            except TextNeeded:
                parameters = None
            if parameters is None:
                plan, values = await driver._as_text(plan, values)
                parameters = plan.encode(values)
            inside = await in_block(driver)
            if not inside:
                await self._close_abandoned()
                begin = driver.connection.execute_batch("BEGIN")
                await guarded(driver, begin, undo=self._rollback)
                self.owns_transaction = True
            self._plan = plan
            await self._declare(plan, parameters)
        if self.owns_transaction:
            driver.streams.add(self)

    async def _declare(self, plan: Plan, parameters: list[Any]) -> None:
        driver, cursors = self._driver, self._driver.describer.cursors
        self._number = next(n for n in range(len(cursors) + 1) if n not in cursors)
        cursors.add(self._number)
        code = [token for token in tokens(plan.sql) if token.text != ";" or token.kind != "symbol"]
        hold = "WITH HOLD " if self.owns_transaction else ""
        end = code[-1].end  # behind it is what tells the text from an older one of other types
        text = plan.sql[:end] + plan.sql[end:].replace(";", " ")
        declare = f"DECLARE {_name(self._number)} NO SCROLL CURSOR {hold}FOR {text}"
        failure = None
        try:
            opening = driver.connection.execute(declare, parameters)
            await guarded(driver, opening, undo=self._undo)
        except SQLSpecError as error:
            failure = error
        if failure is not None:
            cursors.discard(self._number)
            self._number = None
            if self.owns_transaction:
                self.owns_transaction = False
                await guarded(driver, self._rollback())
            raise failure

    async def fetch_chunk(self) -> Rows:
        """Return the next rows, none at the end."""
        if self._plan is None:
            chunk = (self._rows or [])[: self._chunk_size]
            self._rows = (self._rows or [])[self._chunk_size :]
            return chunk
        if self._failure is not None:
            raise self._failure
        if self._number is None:
            return []
        driver = self._driver
        fetch = f"FETCH FORWARD {self._chunk_size} FROM {_name(self._number)}"
        try:
            async with driver.lane.shared():  # unnamed: the next cursor has other columns
                chunk = driver.connection.fetch(fetch, prepared=False)
                result = await guarded(driver, chunk, undo=self._undo)
        except asyncio.CancelledError:
            self._cancelled()
            raise
        return self._plan.rows(result)

    async def detach(self) -> None:
        """Commit the stream's own transaction; the server keeps the rows that are left.

        Where that fails (a row that cannot be computed), the stream raises it at its next chunk.
        """
        driver = self._driver
        driver.streams.discard(self)
        if not self.owns_transaction:
            return
        self.owns_transaction = False
        try:
            await guarded(driver, driver.connection.execute_batch("COMMIT"), undo=self._rollback)
        except SQLSpecError as error:
            self._failure = error
            self._forget()

    async def close(self, error: bool = False) -> None:
        """Close the cursor; the caller's transaction goes on."""
        del error
        driver, number, own = self._driver, self._number, self.owns_transaction
        self._number, self._rows, self.owns_transaction = None, None, False
        driver.streams.discard(self)
        if number is None and not own:
            return
        if isinstance(driver.checkout, EndedCheckout):  # its session took the transaction along
            if number is not None:
                driver.describer.abandoned.append(_name(number))
            return
        async with driver.lane.alone():
            if own:
                close = "" if number is None else f"CLOSE {_name(number)}; "
                try:
                    await guarded(driver, driver.connection.execute_batch(f"{close}COMMIT"))
                except SQLSpecError:  # the stream failed, and its transaction with it
                    failed = True
                else:
                    failed = False
                if failed:
                    await guarded(driver, self._rollback())
            elif number is not None:
                # Refused in a transaction that failed; that one takes its own cursors with it.
                driver.describer.abandoned.append(_name(number))
                await guarded(driver, driver.connection.execute_batch(f"CLOSE {_name(number)}"))
                driver.describer.abandoned.remove(_name(number))
        if number is not None:
            driver.describer.cursors.discard(number)

    def _forget(self) -> None:
        if self._number is not None:
            self._driver.describer.cursors.discard(self._number)
        self._number = None

    def _cancelled(self) -> None:
        """Leave nothing for `close` to wait for.

        SQLSpec's compiled stream awaits it while the CancelledError passes, and must get it back
        at once (see cancellation). The server closes the cursor with the transaction that `_undo`
        rolls back, else the next stream closes it.
        """
        self._driver.streams.discard(self)
        if self._number is not None and not self.owns_transaction:
            self._driver.describer.abandoned.append(_name(self._number))
            self._number = None
        self._forget()
        self.owns_transaction = False

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
            self._driver.describer.abandoned.append(_name(self._number))
