"""One stream: opening its cursor, reading, and closing it. See `streaming`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NoReturn

from sqlspec.exceptions import SQLSpecError

from psqlpy_adapter.blocks import in_block
from psqlpy_adapter.cancellation import guarded
from psqlpy_adapter.counts import verb
from psqlpy_adapter.ended import EndedCheckout
from psqlpy_adapter.lone import settled
from psqlpy_adapter.sql_text import tokens
from psqlpy_adapter.stream_cursor import Cursor, name_of
from psqlpy_adapter.types import TextNeeded

if TYPE_CHECKING:
    from psqlpy_adapter.plans import Plan
    from psqlpy_adapter.streaming import StreamingMixin

Rows = list[dict[str, Any]]
_SHARED = (
    "two tasks read one stream at once, and each would lose rows to the other: read it in one task "
    "and hand its rows on, or give each task a stream"
)
_OUTLIVED = (
    "the transaction in which this stream was begun has ended, and with it the rest of its rows: "
    "read it to the end inside, or begin it outside of a transaction"
)
_WRITING = frozenset({"insert", "update", "delete", "merge", "share", "into"})


def takes_cursor(sql: str) -> bool:
    """Whether a cursor that outlives its transaction can be declared for a statement."""
    words = {token.text for token in tokens(sql) if token.kind == "word"}
    return verb(sql) in ("SELECT", "VALUES", "TABLE") and not words & _WRITING


class RowSource:
    """The chunks of one stream, for SQLSpec's AsyncRowStream, which alone holds this object.

    So its end is seen when a stream is left in the middle and never closed: the server need not
    keep rows that nobody can read any more. The session's lane holds the `Reading`.
    """

    def __init__(self, driver: StreamingMixin, sql: str, values: Any, chunk_size: int) -> None:
        self._reading = Reading(driver, sql, values, chunk_size)
        self._is_busy = False

    async def start(self) -> None:
        """Open the cursor. Raises what `execute` raises."""
        self._is_busy = True
        try:
            await self._reading.start()
        finally:
            self._is_busy = False

    async def fetch_chunk(self) -> Rows:
        """Return the next rows, none at the end. Raises SQLSpecError in a second task at once."""
        if self._is_busy:  # SQLSpec's stream would lose rows of both
            self._reading.fails(_SHARED)
        self._is_busy = True
        try:
            return await self._reading.fetch_chunk()
        finally:
            self._is_busy = False

    async def close(self, error: bool = False) -> None:
        """Close the cursor; the caller's transaction goes on."""
        del error
        await self._reading.close()

    def __del__(self) -> None:
        self._reading.is_left()


class Reading(Cursor):
    """The reading of one stream."""

    def __init__(self, driver: StreamingMixin, sql: str, values: Any, chunk_size: int) -> None:
        super().__init__(driver)
        self._sql = sql
        self._values = values
        self._chunk_size = chunk_size
        self._plan: Plan | None = None
        self._rows: Rows | None = None

    async def start(self) -> None:
        """See `RowSource`."""
        if not takes_cursor(self._sql):
            _, self._rows = await self._driver._perform(self._sql, self._values)
            return
        try:
            async with self._driver.lane.alone():
                await self._open()
        except asyncio.CancelledError:
            self._cancelled()
            raise

    async def _open(self) -> None:
        driver = self._driver
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
        if await in_block(driver):
            self._block = driver.lane.block
        else:
            await self._close_abandoned()
            begin = driver.connection.execute_batch("BEGIN")
            await guarded(driver, begin, undo=self._rollback)
            self.owns_transaction = True
        self._plan = plan
        await self._declare(plan, parameters)
        if self.owns_transaction and not driver._pools_transactions():
            driver.lane.guest = self

    async def fetch_chunk(self) -> Rows:
        """See `RowSource`."""
        if self._failure is not None:
            raise self._failure
        if self._plan is None:
            chunk = (self._rows or [])[: self._chunk_size]
            self._rows = (self._rows or [])[self._chunk_size :]
            return chunk
        lane = self._driver.lane
        try:
            # Cancelled while it waits, the stream ends in its turn; `close` finds nothing to do.
            async with lane.shared(guest=self, heir=self._give_up):
                return await self._fetch(self._plan)
        except asyncio.CancelledError:
            self._cancelled()
            raise

    async def _fetch(self, plan: Plan) -> Rows:
        if self._failure is not None:
            raise self._failure
        if self._number is None:
            return []
        driver = self._driver
        if self._block not in (None, driver.lane.block):
            raise SQLSpecError(_OUTLIVED)  # FETCH would make the transaction of now fail
        fetch = f"FETCH FORWARD {self._chunk_size} FROM {name_of(self._number)}"
        chunk = driver.connection.fetch(fetch, prepared=False)  # the next cursor has other columns
        try:
            result = await guarded(driver, chunk, undo=self._undo, instead=self._undo)
        except asyncio.CancelledError:
            self._undone()
            raise
        except SQLSpecError:
            if self.owns_transaction:
                self._forget()  # the failure took the cursor along
            raise
        if self._failure is not None:
            raise self._failure
        return plan.rows(result)

    def fails(self, reason: str) -> NoReturn:
        """Raise SQLSpecError, now and in the task that is reading."""
        self._failure = SQLSpecError(reason)
        raise self._failure

    def is_left(self) -> None:
        """Take note that nobody can read on: `dismiss` does not set rows aside then."""
        self._is_closed = True

    async def close(self) -> None:
        """See `RowSource`."""
        if self._is_closed or self._is_cancelled:
            return
        driver = self._driver
        self._is_closed, self._rows = True, None
        if self._number is None and not self.owns_transaction:
            return
        if isinstance(driver.checkout, EndedCheckout):  # its session took the transaction along
            self._abandon()
            return
        async with driver.lane.alone(guest=self, heir=self._close):
            await self._close()

    def _cancelled(self) -> None:
        """Leave nothing for `close` to wait for.

        SQLSpec's compiled stream awaits it while the CancelledError passes, and must get it back
        at once (see cancellation). The transaction of its own has an end already: by the heir of
        its turn, or by `_undo`; another cursor is closed by the next stream.
        """
        self._is_cancelled = True
        if not self.owns_transaction:
            self._abandon()
