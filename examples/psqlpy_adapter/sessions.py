"""What `provide_session()` and `provide_connection()` give: a driver, or a connection, on loan.

SQLSpec's PsqlpySessionContext builds SQLSpec's own driver, whatever class the configuration
names, and its pool contexts know nothing of limits, roles or clean returns. A driver cannot be used
any more when its block has ended (`ended`).
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

import psqlpy
from sqlspec.exceptions import SQLSpecError

from psqlpy_adapter.driver import PsqlpyDriver
from psqlpy_adapter.ended import LentConnection, end
from psqlpy_adapter.pool import Pool
from psqlpy_adapter.pooled import Pooled

if TYPE_CHECKING:
    from psqlpy_adapter.config import PsqlpyConfig

_ENTERED = (
    "this context is entered already, by another task perhaps: call provide_session() or "
    "provide_connection() for each `async with`"
)


class _Loan:
    """A connection from its lending to its return."""

    def __init__(self, config: PsqlpyConfig, *, read_only: bool = False) -> None:
        self._config = config
        self._read_only = read_only
        self._pool: Pool | None = None
        self._pooled: Pooled | None = None
        self._is_entered = False

    async def _begin(self) -> Pooled:
        if self._is_entered:  # the second loan would take the place of the first
            raise SQLSpecError(_ENTERED)
        self._is_entered = True
        try:
            self._pool = await self._config.lending_pool(read_only=self._read_only)
            self._pooled = await self._pool.lend()
        except BaseException:
            self._is_entered = False
            raise
        return self._pooled

    async def _end(self, error: type[BaseException] | None = None) -> None:
        self._is_entered = False
        pool, pooled = self._pool, self._pooled
        self._pool = self._pooled = None
        if pool is None or pooled is None:
            return
        if error is not None and issubclass(error, asyncio.CancelledError | GeneratorExit):
            # SQLSpec's compiled frames (its event queues, its services) do not survive an await
            # after a cancellation: sys.exc_info() of the thread stays set for good.
            pool.take_back_later(pooled)
        else:
            await pool.take_back(pooled)


class PsqlpyConnectionContext(_Loan):
    """A psqlpy connection of the pool."""

    _lent: LentConnection | None = None

    async def __aenter__(self) -> psqlpy.Connection:
        pooled = await self._begin()
        self._lent = LentConnection(pooled.connection, pooled.state)
        return cast("psqlpy.Connection", self._lent)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        if self._lent is not None:
            self._lent.end()
        await self._end(exc_type)


class PsqlpySessionContext(_Loan):
    """A driver on a connection of the pool; an open transaction is rolled back at its end."""

    def __init__(
        self, config: PsqlpyConfig, statement_config: Any = None, *, read_only: bool = False
    ) -> None:
        super().__init__(config, read_only=read_only)
        self._statement_config = statement_config
        self._driver: PsqlpyDriver | None = None

    async def __aenter__(self) -> PsqlpyDriver:
        pooled = await self._begin()
        try:
            self._driver = self._config.driver_on(pooled, self._statement_config)
        except BaseException:
            await self._end()
            raise
        return self._driver

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        driver, self._driver = self._driver, None
        if driver is not None:
            end(driver)
        await self._end(exc_type)
