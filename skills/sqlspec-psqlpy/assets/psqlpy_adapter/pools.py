"""The pools of a configuration, and how each opens its connections.

One pool for `target_session_attrs`, one for reads (made when it is first asked for), or one on a
pool of psqlpy's own that the user gave. Each new connection learns its backend, and where a
statement on it is cancelled: over a second connection to the same host.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import psqlpy

from psqlpy_adapter.canceller import Canceller
from psqlpy_adapter.carrying import sent
from psqlpy_adapter.checkout import Checkout, check_out
from psqlpy_adapter.hosts import Host
from psqlpy_adapter.pool import Pool, PoolTimeoutError
from psqlpy_adapter.pooled import Opening, close
from psqlpy_adapter.routing import Router, connection_error
from psqlpy_adapter.settings import Settings

GRACE = 5.0
"""Seconds by which the client's limit of a statement is longer than the server's."""
Hook = Callable[[psqlpy.Connection], Awaitable[None]]


@dataclass(frozen=True)
class Place:
    """What a Checkout must know of where its connection is; times in seconds."""

    canceller: Canceller | None
    statement_limit: float | None


class Pools:
    """Makes pools with the same settings, and closes what belongs to all of them."""

    def __init__(
        self, settings: Settings, *, hook: Hook, reset: str, after_reset: Hook | None, cancels: bool
    ) -> None:
        """hook: awaited with each new connection. reset: run at each return of a connection.

        after_reset: awaited after the reset. cancels: False where a backend is not the
        connection's own (poolers).
        """
        self._settings = settings
        self._hook = hook
        self._reset = reset
        self._after_reset = after_reset
        self._cancels = cancels
        self._router: Router | None = None
        self._cancellers: dict[Host, Canceller] = {}
        self._for_reads: Pool | None = None
        self._foreign: tuple[psqlpy.ConnectionPool, Pool] | None = None

    @property
    def for_reads(self) -> Pool:
        """The pool whose connections go to standbys and refuse to write."""
        if self._for_reads is None:
            self._for_reads = self.new(for_reads=True)
        return self._for_reads

    def new(self, *, for_reads: bool = False) -> Pool:
        """A pool that has no connection yet."""

        async def connect() -> tuple[psqlpy.Connection, Checkout]:
            return await self.open(for_reads=for_reads)

        def native() -> psqlpy.ConnectionPool:
            return self._routes.native_pool(for_reads=for_reads)

        return Pool(
            Opening(connect, self._after_reset, native),
            max_size=self._settings.max_size,
            timeout=self._settings.pool_timeout,
            reset=self._reset,
        )

    def on(self, native: psqlpy.ConnectionPool) -> Pool:
        """The pool that borrows from psqlpy's own pool `native`."""
        if self._foreign is None or self._foreign[0] is not native:
            limit = self._settings.pool_timeout

            async def borrow() -> psqlpy.Connection:
                return await sent(native.connection())

            async def connect() -> tuple[psqlpy.Connection, Checkout]:
                try:
                    async with asyncio.timeout(limit):  # psqlpy's own wait has none
                        connection = await borrow()
                except TimeoutError:
                    msg = (
                        f"psqlpy's pool gave no connection within {limit} s ('pool_timeout_sec'): "
                        "what uses it beside this configuration holds them, or the server is silent"
                    )
                    raise PoolTimeoutError(msg) from None
                except psqlpy.Error as error:
                    raise connection_error("the server of psqlpy's pool", error) from error
                return await self._made_ready(connection, canceller)

            canceller = Canceller(borrow, keeps=False) if self._cancels else None

            pool = Pool(
                Opening(connect, None, lambda: native),
                max_size=native.status().max_size,
                timeout=self._settings.pool_timeout,
                reset=self._reset,
                keeps_idle=False,
            )
            self._foreign = (native, pool)
        return self._foreign[1]

    async def open(self, *, for_reads: bool = False) -> tuple[psqlpy.Connection, Checkout]:
        """A new connection that is ready to be lent. Raises DatabaseConnectionError."""
        connection, host = await self._routes.connect(for_reads=for_reads)
        return await self._made_ready(connection, self._canceller(host))

    async def open_bare(self) -> psqlpy.Connection:
        """A new connection, as psqlpy makes it. Raises DatabaseConnectionError."""
        return (await self._routes.connect())[0]

    async def close(self) -> None:
        """End the pool for reads, the cancelling connections and the tunnel."""
        if self._for_reads is not None:
            self._for_reads.close()
        self._for_reads = self._foreign = None
        while self._cancellers:
            await self._cancellers.popitem()[1].close()
        if self._router is not None:
            self._router.close()
            self._router = None

    @property
    def _routes(self) -> Router:
        if self._router is None:
            self._router = Router(self._settings)
        return self._router

    def _canceller(self, host: Host) -> Canceller | None:
        if not self._cancels:
            return None
        if host not in self._cancellers:
            self._cancellers[host] = Canceller(lambda: self._routes.connect_to(host))
        return self._cancellers[host]

    async def _made_ready(
        self, connection: psqlpy.Connection, canceller: Canceller | None
    ) -> tuple[psqlpy.Connection, Checkout]:
        limit = self._settings.statement_timeout
        place = Place(canceller, None if limit is None else limit + GRACE)
        try:
            checkout = await check_out(connection, place)
            await self._hook(connection)
        except BaseException:
            close(connection)
            raise
        return connection, checkout
