"""The context manager of `driver.transaction()`."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from sqlspec.exceptions import SQLSpecError, TransactionError

from psqlpy_adapter.isolation import transaction_modes

if TYPE_CHECKING:
    from psqlpy_adapter.transactions import TransactionsMixin

_log = logging.getLogger(__name__)

_Driver = TypeVar("_Driver", bound="TransactionsMixin")


class TransactionBlock(Generic[_Driver]):
    """A block that is committed, or rolled back on an exception; a savepoint inside another one.

    SQLSpec's own block takes no modes, and lets a failing ROLLBACK take the place of the error that
    made it necessary.
    """

    __slots__ = ("_driver", "_entered", "_modes", "_savepoint")

    def __init__(self, driver: _Driver, modes: dict[str, Any]) -> None:
        self._driver = driver
        self._modes = modes
        self._savepoint: str | None = None
        self._entered = False

    async def __aenter__(self) -> _Driver:
        driver = self._driver
        depth = driver._transaction_depth
        if depth > 0 and driver._transaction_active:  # else it was ended by text
            if transaction_modes(**self._modes):
                msg = "A transaction() block inside another one is a savepoint: it has no modes."
                raise TransactionError(msg)
            name = f"sqlspec_sp_{depth}"
            await driver.create_savepoint(name)
            self._savepoint = name
        else:
            await driver.begin(**self._modes)
        driver._transaction_depth = depth + 1
        self._entered = True
        return driver

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Literal[False]:
        driver, savepoint = self._driver, self._savepoint
        try:
            if kind is None:
                await self._keep(savepoint)
            elif savepoint is not None:
                await driver.rollback_to_savepoint(savepoint)
            else:
                await driver.rollback()
        except SQLSpecError:
            if kind is None:
                raise
            # The error of the block says why; a connection that is lost is rolled back as well.
            _log.debug("rolling back failed", exc_info=True)
        finally:
            self._savepoint = None
            if self._entered:
                driver._transaction_depth -= 1
            self._entered = False
        return False

    async def _keep(self, savepoint: str | None) -> None:
        if savepoint is not None:
            otherwise = f"ROLLBACK TO SAVEPOINT {savepoint}"
            await self._driver._send(f"RELEASE SAVEPOINT {savepoint}", otherwise)
        else:
            await self._driver.commit()
