"""Proofs of references/pooling.md: lost connections and closed pools."""

from __future__ import annotations

import asyncio

import pytest
import sqlspec.exceptions
from pooling_tools import backends, terminate
from proveskill import proves
from psqlpy.exceptions import BaseConnectionPoolError
from relay import Relay
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import DatabaseConnectionError, SQLSpecError
from watching_tools import PID, until


def of_two(dsn: str, name: str = "losing") -> PsqlpyConfig:
    settings = {"dsn": dsn, "max_db_pool_size": 2, "application_name": name}
    return PsqlpyConfig(connection_config=settings)


async def backend(config: PsqlpyConfig) -> int:
    async with config.provide_session() as session:
        return await session.select_value(PID)


async def until_served(config: PsqlpyConfig) -> int:
    """Ask until a session works: by default, the first one may get a dead connection."""
    async with asyncio.timeout(5):
        while True:
            try:
                return await backend(config)
            except SQLSpecError:
                await asyncio.sleep(0.001)


class Restarting(Relay):
    """A relay that takes the same port again after it was cut."""

    async def start_again(self, port: int) -> None:
        self._server = await asyncio.start_server(self._handle, "127.0.0.1", port)


@proves(
    "The pool replaces dead connections by itself: after a server restart, a failover or "
    "`pg_terminate_backend` new sessions work again."
)
async def test_dead_connections_are_replaced(dsn: str) -> None:
    async with Restarting.before(dsn) as relay:
        config = of_two(relay.dsn(dsn))
        async with config.provide_session() as one, config.provide_session() as two:
            before = {await one.select_value(PID), await two.select_value(PID)}
        for pid in before:
            assert terminate(dsn, pid)
        assert await until_served(config) not in before

        # As clients see a restart or a failover: connections break, none can be opened, then can.
        before = {await backend(config)}
        port = relay.port
        relay.cut()
        asked = await asyncio.gather(*(backend(config) for _ in range(9)), return_exceptions=True)
        assert all(isinstance(one, SQLSpecError | BaseConnectionPoolError) for one in asked)
        await relay.start_again(port)
        assert await until_served(config) not in before
        await config.close_pool()


@proves(
    "A session that was open is lost: every further statement fails.",
    "Repeat the work in a new session; Errors has the loop.",
)
async def test_an_open_session_is_lost(dsn: str) -> None:
    config = of_two(dsn)
    async with config.provide_session() as session:
        lost = await session.select_value(PID)
        assert terminate(dsn, lost)
        for statement in (PID, "SELECT 1", PID):
            with pytest.raises(DatabaseConnectionError):
                await session.select_value(statement)
    assert await until_served(config) != lost
    await config.close_pool()


@proves(
    "Inside `{block}()` the class is lost: the rollback fails as well, and its plain `{plain}` "
    "replaces `{own}`.",
    adapter="stock",
)
async def test_the_class_is_lost_in_a_transaction(
    dsn: str, block: str, plain: str, own: str
) -> None:
    config = of_two(dsn)
    end = "SELECT pg_terminate_backend(pg_backend_pid())"
    async with config.provide_session() as one, config.provide_session() as other:
        with pytest.raises(SQLSpecError) as outside:
            await one.execute(end)
        with pytest.raises(SQLSpecError, match="Failed to rollback") as inside:
            async with getattr(other, block)():
                await other.execute(end)
    assert outside.type is getattr(sqlspec.exceptions, own)
    assert inside.type is getattr(sqlspec.exceptions, plain)
    await config.close_pool()


@proves(
    "Close it at the end of the program.",
    "The server's connections end, and the config may be used again: the next session opens a "
    "new pool.",
)
async def test_a_config_outlives_its_pool(dsn: str) -> None:
    config = of_two(dsn, "closing")
    pool = await config.provide_pool()
    async with config.provide_session() as one, config.provide_session() as two:
        before = {await one.select_value(PID), await two.select_value(PID)}
    assert backends(dsn, "closing") == 2
    await config.close_pool()
    await until(lambda: backends(dsn, "closing") == 0)
    assert await backend(config) not in before
    assert await config.provide_pool() is not pool
    await config.close_pool()


@proves(
    "An open session keeps working.",
    "A task that waits for a connection gets `{error}`, and so does one that kept the pool object.",
    adapter="stock",
)
async def test_what_a_closed_pool_means_for_others(dsn: str, error: str) -> None:
    config = of_two(dsn)
    pool = await config.provide_pool()
    async with config.provide_session() as first, config.provide_session():
        waiting = asyncio.create_task(backend(config))
        await until(lambda: pool.status().waiting)
        await config.close_pool()
        assert await first.select_value("SELECT 1") == 1
        with pytest.raises(BaseConnectionPoolError, match="Pool has been closed") as of_waiting:
            await waiting
        assert await first.select_value("SELECT 2") == 2
    with pytest.raises(BaseConnectionPoolError, match="Pool has been closed") as of_pool:
        await pool.connection()
    assert of_waiting.type.__name__ == of_pool.type.__name__ == error
    await config.close_pool()
