"""Transaction blocks that somebody has opened: whether there is one, and running inside of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from sqlspec.exceptions import SQLSpecError, TransactionError

from psqlpy_adapter.cancellation import DONE, guarded
from psqlpy_adapter.ended import was_used
from psqlpy_adapter.transaction_text import (
    FAILED,
    NOTHING_COMMITTED,
    control,
    only_if_sound,
)

if TYPE_CHECKING:
    from psqlpy_adapter.carrying import Statement
    from psqlpy_adapter.execution import ExecutionMixin
    from psqlpy_adapter.planning import PlanningMixin

_BLOCK: list[tuple[str, list[Any] | None]] = [
    ("SELECT set_config('psqlpy_adapter.block', 'open', true)", []),
    ("SELECT current_setting('psqlpy_adapter.block', true) = 'open' AS open", []),
]


async def in_block(driver: PlanningMixin) -> bool:
    """Return whether a transaction block is open on the connection, however it was opened.

    psqlpy has no transaction status. A setting that is made local to the transaction is gone in
    the next statement exactly when there is no block; both statements are sent at once.
    """
    if driver._transaction_active or driver.lane.in_block:
        return True
    if driver.checkout is not None and not driver.checkout.is_unsure:
        return False
    answers = await guarded(driver, driver.wire.transaction().pipeline(_BLOCK))
    is_open = bool(answers[1].result()[0]["open"])
    if driver.checkout is not None:
        may_begin = driver.checkout.is_held or was_used(driver.connection)
        driver.checkout.is_unsure = is_open or may_begin
    return is_open


async def run_text(driver: ExecutionMixin, sql: str, statement: Statement) -> None:
    """Run a statement without rows in a turn alone, and learn whether a block is open then.

    Args:
        statement: psqlpy's coroutine, which sends `sql`.

    Raises:
        SQLSpecError: what the server refused. Of a statement that was to end the transaction this
            may be its end as well, so the server is asked the next time (`in_block`).
        TransactionError: the statement was to commit, and the transaction had failed before.
    """
    change = control(sql)
    if change is None:
        await guarded(driver, statement, note=DONE)
        driver._note(sql)
        return

    def rollback() -> Statement:
        statement: Statement = driver.connection.execute_batch("ROLLBACK")
        return statement

    if change.keeps:
        statement.close()
        statement = driver.connection.execute_batch(only_if_sound(sql))
    begins = change.opens and not (driver.lane.in_block and not change.ends)
    failure = None
    try:
        await guarded(
            driver,
            statement,
            undo=rollback if begins else None,
            instead=rollback if change.ends else None,
            note=DONE if change.ends else None,
        )
    except (SQLSpecError, asyncio.CancelledError) as error:
        if change.ends:
            driver._transaction_is_open(False)
        if not change.keeps or getattr(error, "sqlstate", None) != FAILED:
            raise
        failure = error
    if failure is not None:
        await guarded(driver, rollback(), instead=rollback)
        raise TransactionError(NOTHING_COMMITTED) from failure
    driver._note(sql)
    if begins or change.ends:
        driver._transaction_is_open(change.opens)


@asynccontextmanager
async def block(driver: PlanningMixin, *, is_open: bool) -> AsyncIterator[None]:
    """The caller's transaction, or else one of its own."""
    if is_open:
        yield
    else:
        async with driver.transaction():
            yield
