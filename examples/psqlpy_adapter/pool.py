"""The pool: a limit on waiting, warm-up, connections that are alive and clean when they are lent.

psqlpy 0.13.1's pool waits without limit when it is exhausted, keeps a slot for every connect that
was given up while the server was silent, needs at least two connections, cannot be warmed, and
lends a connection with the last borrower's open transaction, settings, locks and temporary
tables ("clean" leaves a transaction that was opened by text). This one opens connections one by
one with psqlpy.connect and keeps the objects, so it knows each backend as long as it lives.
May be unnecessary when psqlpy's pool takes a wait limit and a reset statement.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import psqlpy
from sqlspec.exceptions import ConnectionTimeoutError, DatabaseConnectionError, SQLSpecError

from psqlpy_adapter.ended import LentConnection
from psqlpy_adapter.forks import has_connected, refuse_fork
from psqlpy_adapter.listening import Listener
from psqlpy_adapter.pooled import Opening, Pooled, PoolStatus
from psqlpy_adapter.recycling import ROLLBACK, clean, proven
from psqlpy_adapter.slots import Slots, SlotsClosed

PROOF_AGE = 0.001
"""Seconds for which an answer proves that a connection is alive."""


class PoolTimeoutError(ConnectionTimeoutError):
    """Every connection stayed lent for `pool_timeout_sec`."""


class Pool(psqlpy.ConnectionPool):
    """psqlpy's pool by type, with connections of its own; see the module."""

    def __new__(cls, *_: object, **__: object) -> Pool:
        """Make psqlpy's part, which is never used and connects nowhere."""
        return super().__new__(cls)

    def __init__(
        self,
        opening: Opening,
        *,
        max_size: int,
        timeout: float | None,
        reset: str = ROLLBACK,
        keeps_idle: bool = True,
    ) -> None:
        """timeout: seconds to wait for a connection, None for ever. reset: run at return.

        keeps_idle: False closes each connection at its return.
        """
        self._opening = opening
        self._timeout = timeout
        self._reset = reset
        self._keeps_idle = keeps_idle
        self._slots = Slots(max_size)
        self._idle: list[Pooled] = []
        self._lent: set[Pooled] = set()
        self._under_way = 0
        self._returning: dict[Pooled, asyncio.Task[None]] = {}

    async def lend(self) -> Pooled:
        """A connection that is alive and clean; `take_back` must follow.

        Raises PoolTimeoutError when none becomes free in time, DatabaseConnectionError when the
        pool is closed or no new connection can be had.
        """
        refuse_fork()
        for pooled, task in list(self._returning.items()):
            if task.get_loop().is_closed():
                self._never_returned(pooled, task)
        await self._take_slot()
        try:
            pooled = await self._living() or await self._open()
        except BaseException:
            self._slots.give()
            raise
        pooled.holder = asyncio.current_task()
        self._lent.add(pooled)
        return pooled

    async def take_back(self, pooled: Pooled) -> None:
        """End what the borrower left open, and make the connection free; drop it if it fails."""
        is_clean = False
        try:
            is_clean = await clean(pooled, self._reset, self._opening.after_reset)
        finally:
            pooled.holder = None
            self._returning.pop(pooled, None)
            self._lent.discard(pooled)
            fits = self._size < self._slots.limit
            if is_clean and fits and self._keeps_idle and not self._slots.is_closed:
                self._idle.append(pooled)
            else:
                pooled.close()
            self._slots.give()

    def take_back_later(self, pooled: Pooled) -> None:
        """Start `take_back` without waiting; if its loop ends first, the connection is closed."""
        task = asyncio.get_running_loop().create_task(self.take_back(pooled))
        self._returning[pooled] = task
        task.add_done_callback(lambda task: self._never_returned(pooled, task))

    async def warm_up(self, size: int) -> None:
        """Open connections until `size` are there. Raises DatabaseConnectionError, SQLSpecError."""
        if size > self._slots.limit:
            raise SQLSpecError(f"{size} connections are more than 'max_db_pool_size' allows")
        missing = size - self._size
        opened = [asyncio.ensure_future(self._open_spare(size)) for _ in range(missing)]
        try:
            await asyncio.gather(*opened)
        finally:
            for task in opened:
                task.cancel()

    # psqlpy's own classes, which its stubs name below, cannot be made in Python.
    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[psqlpy.Connection]:  # type: ignore[override]
        """A connection of the pool, as a context. Raises as `lend` does."""
        pooled = await self.lend()
        lent = LentConnection(pooled.connection, pooled.state)
        try:
            yield cast("psqlpy.Connection", lent)
        finally:
            lent.end()
            await self.take_back(pooled)

    async def connection(self) -> psqlpy.Connection:
        """A new connection that is not of the pool and ends with its close()."""
        return (await self._opening.connect())[0]

    def status(self) -> PoolStatus:  # type: ignore[override]
        """How the pool stands now."""
        return PoolStatus(self._slots.limit, self._size, len(self._idle), self._slots.waiting)

    def resize(self, new_max_size: int) -> None:
        """Change the largest number of connections; idle ones beyond it are closed."""
        if new_max_size < 1:
            raise SQLSpecError(f"a pool of {new_max_size} connections is of no use; give 1 or more")
        self._slots.resize(new_max_size)
        while self._idle and self._size > new_max_size:
            self._idle.pop(0).close()

    def listener(self) -> Listener:  # type: ignore[override]
        """psqlpy's listener, which opens a connection of its own, and again when that is lost."""
        return Listener(lambda: self._opening.native().listener())

    def close(self) -> None:
        """Close what is idle, and what is lent when it comes back."""
        self._slots.close()
        self._drop_idle()

    async def _living(self) -> Pooled | None:
        while self._idle:
            pooled = self._idle.pop()
            if time.monotonic() - pooled.state.answered < PROOF_AGE:
                return pooled
            try:
                if await proven(pooled):
                    return pooled
            except TimeoutError:
                # The way to the server is cut: those who were idle longer will not answer either.
                self._drop_idle()
        return None

    @property
    def _size(self) -> int:
        return len(self._idle) + len(self._lent) + self._under_way

    async def _open(self) -> Pooled:
        has_connected()
        self._under_way += 1
        try:
            connection, state = await self._opening.connect()
        finally:
            self._under_way -= 1
        return Pooled(connection, state)

    async def _take_slot(self) -> None:
        try:
            await self._slots.take(self._timeout)
        except TimeoutError:
            raise PoolTimeoutError(self._exhausted()) from None
        except SlotsClosed:
            raise DatabaseConnectionError("the pool is closed") from None

    async def _open_spare(self, size: int) -> None:
        await self._take_slot()
        try:
            if self._size >= size:
                return  # somebody else has opened it in the meantime
            pooled = await self._open()
            if self._slots.is_closed:
                pooled.close()
            else:
                self._idle.append(pooled)
        finally:
            self._slots.give()

    def _never_returned(self, pooled: Pooled, task: asyncio.Task[None]) -> None:
        """Drop a connection whose `take_back` did not begin before its loop ended."""
        # take_back forgets the task; by now the connection may be lent again.
        if self._returning.get(pooled) is task:
            del self._returning[pooled]
            self._lent.discard(pooled)
            pooled.close()
            self._slots.give()

    def _drop_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _exhausted(self) -> str:
        mine = asyncio.current_task()
        own = sum(pooled.holder is mine for pooled in self._lent)
        nested = (
            f"; {own} of them by the very task that waits: a session inside of a session needs a "
            "second connection"
            if own
            else ""
        )
        return (
            f"no connection became free within {self._timeout} s ('pool_timeout_sec'): all "
            f"{self._slots.limit} ('max_db_pool_size') are lent{nested}; {self._slots.waiting} "
            "more are waiting"
        )
