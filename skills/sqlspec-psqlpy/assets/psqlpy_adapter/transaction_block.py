"""The context manager of `driver.transaction()`."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from sqlspec.exceptions import SQLSpecError, TransactionError

from psqlpy_adapter.isolation import transaction_modes
from psqlpy_adapter.savepoints import ENDED, EndedTransactionError

if TYPE_CHECKING:
    from psqlpy_adapter.transactions import TransactionsMixin

_log = logging.getLogger(__name__)

_Driver = TypeVar("_Driver", bound="TransactionsMixin")


class TransactionBlock(Generic[_Driver]):
    """A block that is committed, or rolled back on an exception; a savepoint inside another one.

    SQLSpec's own block takes no modes, and lets a failing ROLLBACK take the place of the error that
    made it necessary. Blocks that tasks enter at once share a transaction as well: the second one
    is a savepoint of it, and when the transaction ends before such a block, and what that did need
    not be stored, or cannot be undone, this is said.
    """

    __slots__ = ("_driver", "_entered", "_modes", "_savepoint", "_transaction")

    def __init__(self, driver: _Driver, modes: dict[str, Any]) -> None:
        self._driver = driver
        self._modes = modes
        self._savepoint: str | None = None
        self._transaction: object = None  # that of the savepoint
        self._entered = False

    async def __aenter__(self) -> _Driver:
        driver = self._driver
        async with driver._alone():  # another task's block may begin or end before our turn comes
            if driver._transaction_depth > 0 and driver._transaction_active:  # else ended by text
                await self._set_savepoint()
            else:
                await driver.begin(**self._modes)
                driver._savepoints = 0
            driver._transaction_depth += 1
            self._entered = True
        return driver

    async def _set_savepoint(self) -> None:
        driver = self._driver
        if transaction_modes(**self._modes):
            msg = "A transaction() block inside another one is a savepoint: it has no modes."
            raise TransactionError(msg)
        # No name twice in a transaction: the block of another task would go back to the wrong one.
        driver._savepoints += 1
        name = f"sqlspec_sp_{driver._savepoints}"
        await driver.create_savepoint(name)
        self._savepoint, self._transaction = name, driver._transaction

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Literal[False]:
        try:
            await self._end(keep=kind is None)
        except SQLSpecError:
            if kind is None:
                raise
            # The error of the block says why; a connection that is lost is rolled back as well.
            _log.debug("rolling back failed", exc_info=True)
            if error is not None and self._transaction not in (None, self._driver._transaction):
                error.add_note(f"Not rolled back: {ENDED}")
        finally:
            self._savepoint = self._transaction = None
            if self._entered:
                self._driver._transaction_depth -= 1
            self._entered = False
        return False

    async def _end(self, *, keep: bool) -> None:
        driver, savepoint = self._driver, self._savepoint
        if savepoint is None:
            await (driver.commit() if keep else driver.rollback())
        elif keep:
            await self._release(savepoint)
        else:
            await driver._back_to(savepoint, self._transaction)

    async def _release(self, savepoint: str) -> None:
        driver, transaction = self._driver, self._transaction
        back = f"ROLLBACK TO SAVEPOINT {savepoint}"
        try:
            await driver._send(f"RELEASE SAVEPOINT {savepoint}", back, transaction)
        except EndedTransactionError:
            # All of the block is stored when the transaction was, and no other one has begun.
            if not driver._is_committed(transaction):
                raise
