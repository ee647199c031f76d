"""The configuration: SQLSpec's, checked when it is made, with the pool and driver of this package.

What differs from SQLSpec 0.69.0: every key of `connection_config` and `driver_features` is
honoured or refused at construction (settings, features); TLS (tls, tunnel); the pool (pool); the
choice of the server, reads on standbys (routing); poolers in transaction mode (poolers).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self

import psqlpy
from sqlspec.adapters.psqlpy import PsqlpyConfig as StockConfig
from sqlspec.exceptions import ImproperConfigurationError
from sqlspec.utils.config_tools import normalize_connection_config

from psqlpy_adapter.carrying import Asking
from psqlpy_adapter.driver import PsqlpyDriver
from psqlpy_adapter.ended import LentConnection
from psqlpy_adapter.features import pools_transactions, read_features
from psqlpy_adapter.handling import PsqlpyExceptionHandler
from psqlpy_adapter.params import PsqlpyPoolParams
from psqlpy_adapter.pool import Pool
from psqlpy_adapter.pooled import Pooled
from psqlpy_adapter.poolers import check_pooler
from psqlpy_adapter.pools import Pools
from psqlpy_adapter.recycling import CLEAN, ROLLBACK
from psqlpy_adapter.sessions import PsqlpyConnectionContext, PsqlpySessionContext
from psqlpy_adapter.settings import Settings, direct_location, read_settings
from psqlpy_adapter.slots import Lock
from psqlpy_adapter.statements import execution_config

_PLACE = {"dsn", "host", "hosts", "hostaddr"}


class PsqlpyConfig(StockConfig):
    """Configuration of a pool of psqlpy connections.

    Beside SQLSpec's keys, `connection_config` takes `pool_timeout_sec` (wait for a connection, 30),
    `statement_timeout_sec` (on the server, no limit), `min_db_pool_size` (opened with the pool, 0),
    `sslrootcert` (= `ca_file`). `connect_timeout_sec` (30) bounds the handshake as well. 0 seconds
    is no limit. `max_db_pool_size` is 10 where it is not given, and may be 1. Raises
    ImproperConfigurationError.
    """

    # SQLSpec finds the stores, the event backends and their migrations by the module of the class.
    __module__ = StockConfig.__module__

    driver_type: ClassVar[type[PsqlpyDriver]] = PsqlpyDriver
    _connection_context_class: ClassVar[type[Any]] = PsqlpyConnectionContext
    _session_context_class: ClassVar[type[Any]] = PsqlpySessionContext

    def __init__(
        self,
        *,
        connection_config: PsqlpyPoolParams | Mapping[str, Any] | None = None,
        connection_instance: psqlpy.ConnectionPool | None = None,
        driver_features: Mapping[str, Any] | None = None,
        **rest: Any,
    ) -> None:
        """Take SQLSpec's arguments; `connection_instance` may be a pool of psqlpy's own."""
        given = normalize_connection_config(connection_config)
        settings = read_settings(given)
        super().__init__(
            connection_config=given,
            connection_instance=connection_instance,
            driver_features=read_features(driver_features),
            **rest,
        )
        # SQLSpec's lock belongs to the loop in which somebody first waited for it.
        self._pool_lock = Lock()  # type: ignore[assignment]
        self._is_elsewhere = connection_instance is not None and not _PLACE & given.keys()
        self.statement_config = execution_config(self.statement_config)
        # asyncpg's, which SQLSpec adds behind a pooler and psqlpy does not take.
        self.connection_config.pop("max_cached_statement_lifetime", None)
        self.settings: Settings = replace(
            settings, options=read_settings(self.connection_config).options
        )
        self.pools_transactions: bool = pools_transactions(self.driver_features)
        is_thorough = settings.recycling == "clean" and not self.pools_transactions
        self._pools = Pools(
            self.settings,
            hook=self._run_hook_and_probe,
            # Behind a pooler of transactions, settings and locks are not this connection's.
            reset=CLEAN if is_thorough else ROLLBACK,
            # The reset undoes what the user's hook did.
            after_reset=self._user_connection_hook if is_thorough else None,
            cancels=not self.pools_transactions,
        )

    # SQLSpec's context gives SQLSpec's own driver, so this one is no subclass of it.
    def provide_session(  # type: ignore[override]
        self,
        *_args: Any,
        statement_config: Any = None,
        read_only: bool = False,
        **_kwargs: Any,
    ) -> PsqlpySessionContext:
        """Give a driver as an async context; what it leaves open is rolled back at the end.

        read_only: on a standby of the hosts if there is one, else on any of them, from a pool of
        its own; the server refuses statements that write. The context raises PoolTimeoutError
        when no connection becomes free in time, DatabaseConnectionError when none can be opened.
        """
        return PsqlpySessionContext(self, statement_config, read_only=read_only)

    def provide_connection(
        self, *_args: Any, read_only: bool = False, **_kwargs: Any
    ) -> PsqlpyConnectionContext:
        """Give a psqlpy connection of the pool as an async context; raises as sessions do."""
        return PsqlpyConnectionContext(self, read_only=read_only)

    async def create_connection(self) -> psqlpy.Connection:
        """Open a connection that is not of the pool; it ends with its close().

        Of a pool of psqlpy's own, which knows its server alone, it is borrowed until then.
        """
        pool = self.connection_instance
        if pool is None:
            return (await self._pools.open())[0]
        return await (pool if isinstance(pool, Pool) else self._pools.on(pool)).connection()

    async def open_connection(self) -> psqlpy.Connection:
        """Open a bare connection with the same settings: no hook, no state. Raises as sessions."""
        return await self._pools.open_bare()

    async def warm_up(self, size: int | None = None) -> None:
        """Open connections until `size` (`min_db_pool_size`) are there. DatabaseConnectionError."""
        pool = await self.lending_pool()
        await pool.warm_up(self.settings.min_size if size is None else size)

    async def lending_pool(self, *, read_only: bool = False) -> Pool:
        """The pool that sessions borrow from. Raises DatabaseConnectionError.

        ImproperConfigurationError: nobody knows where to read from.
        """
        if read_only and self._is_elsewhere:
            raise ImproperConfigurationError(
                "read_only=True opens connections of its own, and 'connection_instance' does not "
                "tell where: give 'dsn' or 'hosts' in 'connection_config' as well"
            )
        if read_only:
            return self._pools.for_reads
        pool = self.connection_instance
        if pool is None:
            pool = await self.create_pool()
        return pool if isinstance(pool, Pool) else self._pools.on(pool)

    def driver_on(self, pooled: Pooled, statement_config: Any = None) -> PsqlpyDriver:
        """A driver on a connection that is lent."""
        driver = self.driver_type(
            connection=LentConnection(pooled.connection, pooled.state),
            statement_config=statement_config or self.statement_config,
            driver_features=self.driver_features,
        )
        driver.checkout = pooled.state
        self._prepare_driver(driver)
        return driver

    def derive_direct_config(self) -> Self:
        """The same configuration in session mode at `direct_dsn`, past the pooler.

        SQLSpec's puts the address beside the old host keys. This replaces every key of the place:
        a connection string replaces them all, a mapping those that it names.
        """
        direct = self.driver_features.get("direct_dsn")
        if not direct:
            return self
        config = direct_location(self.connection_config, direct)
        # Options that SQLSpec added for the pooler do not belong to the direct connection.
        config.pop("options", None)
        if self._explicit_options is not None:
            config["options"] = self._explicit_options
        features = {
            **self.driver_features,
            "pooler_mode": "session",
            "pgbouncer": False,
            "pgbouncer_mode": False,
            "direct_dsn": None,
        }
        if self._user_connection_hook is not None:
            features["on_connection_create"] = self._user_connection_hook
        return type(self)(
            connection_config=config,
            migration_config=dict(self.migration_config),
            statement_config=self.statement_config,
            driver_features=features,
            bind_key=self.bind_key,
            extension_config=dict(self.extension_config),
            observability_config=self.observability_config,
        )

    def get_signature_namespace(self) -> dict[str, Any]:
        """SQLSpec's names, with the classes of this package."""
        own = (
            PsqlpyConnectionContext,
            PsqlpySessionContext,
            PsqlpyDriver,
            PsqlpyExceptionHandler,
            PsqlpyPoolParams,
        )
        return super().get_signature_namespace() | {kind.__name__: kind for kind in own}

    async def _create_pool(self) -> Pool:
        if self.pools_transactions:
            await check_pooler(self.open_connection)
        pool = self._pools.new()
        try:
            await pool.warm_up(self.settings.min_size)
        except BaseException:
            pool.close()
            raise
        self.connection_instance = pool  # still under the lock: another thread may wait for it
        return pool

    async def _close_pool(self) -> None:
        if self.connection_instance is not None:
            self.connection_instance.close()
            self.connection_instance = None
        await self._pools.close()
        self._initialized_connection_ids.clear()

    async def _run_hook_and_probe(self, connection: psqlpy.Connection) -> None:
        """Run SQLSpec's part of a new connection: the extensions, and the user's hook.

        SQLSpec goes by id(), which is used again, and asks for the extensions once, so that one
        created later would never be seen; a cancellation while it asks is lost. So it is told
        that the hook has run, and given a connection that can be cancelled.
        """
        asking: Any = Asking(connection)
        self._initialized_connection_ids.add(id(asking))
        try:
            self._pgvector_available = self._pgvector_available or None
            await self._ensure_connection(asking)
        finally:
            self._initialized_connection_ids.discard(id(asking))
        if self._user_connection_hook is not None:
            # In a task of its own, a cancellation reaches the hook's awaits as asyncio's do.
            await asyncio.ensure_future(self._user_connection_hook(connection))
