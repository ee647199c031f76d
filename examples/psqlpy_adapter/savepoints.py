"""Savepoints, and what `transactions` stands on: the turn of a statement, what is open after it."""

from __future__ import annotations

import contextlib
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from sqlspec.driver._common import validate_savepoint_name
from sqlspec.exceptions import SQLSpecError, TransactionError

from psqlpy_adapter.cancellation import guarded
from psqlpy_adapter.mixin import DriverMixin

if TYPE_CHECKING:
    from psqlpy_adapter.carrying import Statement
    from psqlpy_adapter.checkout import Checkout
    from psqlpy_adapter.turns import Heir

ENDED = (
    "the transaction around this transaction() block ended before the block did: what the block "
    "had sent until then shares its fate, what it sent later was committed by itself. Blocks of "
    "several tasks on one session share one transaction; give each of the tasks a session."
)


class EndedTransactionError(TransactionError):
    """A savepoint's transaction is over."""


class SavepointsMixin(DriverMixin):
    """Savepoints of the driver."""

    __slots__ = ()

    checkout: Checkout | None = None
    """What is known of the connection; None on a driver that was made by hand."""
    _savepoints: int = 0
    """How many blocks of the transaction were savepoints so far."""

    if TYPE_CHECKING:

        @property
        def block_wire(self) -> Any:
            """See `PlanningMixin`."""

    async def create_savepoint(self, name: str) -> None:
        """Set a savepoint; `name` must be a plain identifier (TransactionError otherwise)."""
        await self._send(f"SAVEPOINT {validate_savepoint_name(name)}")

    async def release_savepoint(self, name: str) -> None:
        """Forget a savepoint and keep what was done since."""
        await self._send(f"RELEASE SAVEPOINT {validate_savepoint_name(name)}")

    async def rollback_to_savepoint(self, name: str) -> None:
        """Undo what was done since a savepoint; the transaction goes on, after an error too."""
        await self._back_to(validate_savepoint_name(name))

    @property
    def _transaction(self) -> object:
        """Another object in each transaction."""
        lane = getattr(self, "lane", None)
        return None if lane is None else lane.block

    def _is_committed(self, transaction: object) -> bool:
        """Whether `commit()` ended that transaction, and no other one has begun since."""
        lane = getattr(self, "lane", None)
        return lane is not None and lane.committed is transaction and not self._transaction_active

    async def _back_to(self, savepoint: str, transaction: object = None) -> None:
        rollback = f"ROLLBACK TO SAVEPOINT {savepoint}"
        await self._send(rollback, rollback, transaction)
        if (describer := getattr(self, "describer", None)) is not None:
            describer.freshness.undone()

    async def _send(
        self, sql: str, otherwise: str | None = None, transaction: object = None
    ) -> None:
        """Send a statement; `otherwise` is sent if it is cancelled and not done.

        transaction: the one it belongs to. Raises EndedTransactionError when that is over.
        """
        if otherwise is None:
            async with self._alone():
                await guarded(self, self.block_wire.execute_batch(sql))
            return

        def instead() -> Statement:
            statement: Statement = self.block_wire.execute_batch(otherwise)
            return statement

        async def heir() -> None:
            with contextlib.suppress(SQLSpecError):
                if transaction in (None, self._transaction):
                    await guarded(self, instead(), instead=instead)

        async with self._alone(heir=heir):
            if transaction not in (None, self._transaction):
                raise EndedTransactionError(ENDED)
            await guarded(self, self.block_wire.execute_batch(sql), instead=instead)

    def _alone(self, heir: Heir | None = None) -> AbstractAsyncContextManager[None]:
        """The turn alone on the connection: no task's statement falls on the wrong side."""
        lane = getattr(self, "lane", None)
        return contextlib.nullcontext() if lane is None else lane.alone(heir=heir)

    def _transaction_is_open(self, is_open: bool, *, committed: bool = False) -> None:
        self._transaction_active = is_open
        if (lane := getattr(self, "lane", None)) is not None:
            lane.block_is(is_open, committed=committed)
        if not is_open and (describer := getattr(self, "describer", None)) is not None:
            describer.freshness.ended()
