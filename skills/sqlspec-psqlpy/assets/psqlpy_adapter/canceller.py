"""The second connection: PostgreSQL takes a cancel request from another connection only.

psqlpy 0.13 has no cancel token (the protocol's CancelRequest), so the request is SQL:
`pg_cancel_backend` and `pg_terminate_backend`, allowed to the role that owns the session
(PostgreSQL manual, "Server Signaling Functions").

May be unnecessary when psqlpy offers a cancel token.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from psqlpy_adapter.carrying import carried_on, retrieved
from psqlpy_adapter.pooled import close

if TYPE_CHECKING:
    from psqlpy import Connection

    from psqlpy_adapter.checkout import Checkout

CONTROL_SECONDS = 2.0
"""Limit of one request over the second connection, and of making that connection."""

_log = logging.getLogger(__name__)


class Canceller:
    """Asks the server to stop a backend, over a connection made when first needed and then kept.

    Args:
        connect: makes a psqlpy connection with the settings of the pool, outside of the pool: a
            full pool must not keep anybody from cancelling.
        keeps: False gives the connection back after each request: it is of a pool of psqlpy's own,
            where it would be missing for good.
    """

    def __init__(self, connect: Callable[[], Awaitable[Connection]], *, keeps: bool = True) -> None:
        self._connect = connect
        self._keeps = keeps
        self._connection: Connection | None = None
        self._connecting: dict[asyncio.AbstractEventLoop, asyncio.Task[Connection]] = {}

    async def cancel(self, checkout: Checkout) -> bool:
        """Cancel what the backend of `checkout` runs; False when the server could not be asked."""
        return await self._ask("pg_cancel_backend", checkout)

    async def terminate(self, checkout: Checkout) -> bool:
        """End the backend of `checkout`; False when the server could not be asked."""
        return await self._ask("pg_terminate_backend", checkout)

    async def close(self) -> None:
        """Close the connection; a later request makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    async def _ask(self, function: str, checkout: Checkout) -> bool:
        # The process number may have been given to a younger backend since: that is not ours.
        age = time.monotonic() - checkout.opened - 1.0
        sql = (
            f"SELECT {function}(pid) AS done FROM pg_stat_activity WHERE pid = "
            f"{checkout.backend_pid} AND backend_start <= "
            f"clock_timestamp() - make_interval(secs => {age:f})"
        )
        for _ in range(2):  # the kept connection may have died
            connection = None
            try:
                async with asyncio.timeout(CONTROL_SECONDS):
                    connection = await self._connected()
                async with asyncio.timeout(CONTROL_SECONDS):
                    answer = await carried_on(connection.fetch(sql, prepared=False))
            except Exception as error:  # noqa: BLE001 - it must not take the place of the cancellation
                _log.warning("%s could not be asked for: %r", function, error)
                if connection is None:
                    return False
                self._connection = None
                if isinstance(error, TimeoutError):
                    # It may still arrive, and must not hit a later statement.
                    checkout.broken = True
                    return False
            else:
                rows = answer.result()
                return bool(rows) and rows[0]["done"]
            finally:
                if connection is not None and not self._keeps:
                    close(connection)
        return False

    async def _connected(self) -> Connection:
        """Return the kept connection, or make it once for all who wait for it in this loop."""
        if not self._keeps:
            return await self._connect()
        if self._connection is not None:
            return self._connection
        loop = asyncio.get_running_loop()
        connecting = self._connecting.get(loop)
        if connecting is None:
            connecting = self._connecting[loop] = asyncio.ensure_future(self._connect())
            connecting.add_done_callback(retrieved)
            connecting.add_done_callback(lambda _: self._connecting.pop(loop, None))
        connection = await asyncio.shield(connecting)
        if self._connection is None:
            self._connection = connection
        return self._connection
