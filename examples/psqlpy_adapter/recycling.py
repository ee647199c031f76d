"""Recycling: nothing of a session reaches the next borrower of its connection.

psqlpy 0.13.1 cleans with `conn_recycling_method` "clean" only, and leaves even then a transaction
that was opened by text; "fast" and "verified" leave everything. Here an open transaction ends with
its session whatever the method, and "clean" undoes the rest as well: settings, role, temporary
tables, advisory locks, LISTENs, cursors, sequence values. May be unnecessary when psqlpy rolls
back at the return of a connection.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import psqlpy
from sqlspec.exceptions import SQLSpecError

from psqlpy_adapter.carrying import sent
from psqlpy_adapter.checkout import Checkout
from psqlpy_adapter.pooled import Pooled

PROOF_LIMIT = 5.0
"""Seconds in which an idle connection must answer, and a returned one be clean."""
ROLLBACK = "BEGIN; ROLLBACK"
"""Ends a transaction; without one, a lone ROLLBACK would write a warning to the server's log."""
CLEAN = (
    f"{ROLLBACK}; CLOSE ALL; RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; UNLISTEN *; "
    "SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES"
)
"""DISCARD ALL without DEALLOCATE ALL, which would break psqlpy's cache of statements."""


async def proven(pooled: Pooled) -> bool:
    """Whether an idle connection answers; else it is closed. Raises TimeoutError."""
    try:
        async with asyncio.timeout(PROOF_LIMIT):
            await sent(pooled.connection.execute_batch(""))
    except psqlpy.Error:
        pooled.close()
        return False
    except BaseException:
        pooled.close()
        raise
    pooled.state.answered = time.monotonic()
    return True


async def clean(
    pooled: Pooled, reset: str, after_reset: Callable[[psqlpy.Connection], Awaitable[None]] | None
) -> bool:
    """Run `reset`, then `after_reset`; False when the connection must not be lent again.

    Nothing is sent when there is nothing to undo: planned statements open no transaction.
    """
    connection, state = pooled.connection, pooled.state
    if state.spoiled:
        return False
    if reset == ROLLBACK and not (state.is_touched or state.flights or state.broken):
        return True
    try:
        async with asyncio.timeout(PROOF_LIMIT):
            await state.settle()
            if not state.broken:
                await _reset(state, reset)
            # psqlpy keeps a flag of its own, which a Transaction object left open.
            if state.broken or await sent(_in_transaction(connection)):
                return False
            if after_reset is not None:
                # In a task of its own, a cancellation reaches the hook's awaits as asyncio's do.
                await asyncio.ensure_future(after_reset(connection))
    except (psqlpy.Error, SQLSpecError, TimeoutError):
        return False
    state.is_touched = state.is_unsure = state.is_held
    return True


def _in_transaction(connection: psqlpy.Connection) -> Coroutine[Any, Any, bool]:
    asked: Coroutine[Any, Any, bool] = connection.in_transaction()  # type: ignore[attr-defined]  # not in psqlpy's stubs
    return asked


async def _reset(state: Checkout, reset: str) -> None:
    try:
        await state.reset(reset)
    except SQLSpecError:
        # BEGIN is refused in a transaction that has failed.
        await state.reset("ROLLBACK")
        await state.reset(reset)
