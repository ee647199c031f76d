"""Transaction blocks that somebody has opened: whether there is one, and running inside of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from psqlpy_adapter.cancellation import guarded

if TYPE_CHECKING:
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
    answers = await guarded(driver, driver.connection.transaction().pipeline(_BLOCK))
    return bool(answers[1].result()[0]["open"])


@asynccontextmanager
async def block(driver: PlanningMixin, *, is_open: bool) -> AsyncIterator[None]:
    """The caller's transaction, or else one of its own."""
    if is_open:
        yield
    else:
        async with driver.transaction():
            yield
