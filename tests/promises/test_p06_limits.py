import asyncio
import time

import pytest
from harness import Breaks, promise
from relay import Relay
from socket_options import connected
from sqlspec.exceptions import ConnectionTimeoutError, QueryTimeoutError, SQLSpecError

HANGS = Breaks(TimeoutError)
"""The test's own limit ends what would wait without limit."""


@promise("P06", stock=HANGS)
async def test_the_connect_limit_bounds_the_handshake(adapter, servers, database):
    silent = servers.variables(["SILENT_DATABASE_URL"], database)["SILENT_DATABASE_URL"]
    config = adapter.config(
        connection_config={"dsn": silent, "connect_timeout_sec": 1, "max_db_pool_size": 2}
    )
    began = time.monotonic()
    async with asyncio.timeout(5):
        with pytest.raises(ConnectionTimeoutError, match="connect_timeout_sec"):
            async with config.provide_session():
                pass
    assert 0.9 < time.monotonic() - began < 3
    await config.close_pool()


@promise("P06", stock=HANGS)
async def test_a_silent_server_costs_no_place_in_the_pool(adapter, servers, database):
    names = ["SILENT_DATABASE_URL", "DATABASE_URL"]
    silent = servers.variables(names, database)["SILENT_DATABASE_URL"]
    config = adapter.config(
        connection_config={
            "dsn": silent,
            "connect_timeout_sec": 0,
            "connect_timeout_nanosec": 300_000_000,
            "max_db_pool_size": 2,
        }
    )
    for _ in range(5):
        with pytest.raises(ConnectionTimeoutError):
            async with asyncio.timeout(4), config.provide_session():
                pass
    status = config.connection_instance.status()
    assert (status.size, status.waiting) == (0, 0)
    await config.close_pool()


@promise("P06", stock=Breaks(TypeError, "pool_timeout_sec"))
async def test_the_wait_for_a_connection_has_a_limit_of_its_own(adapter, dsn):
    config = adapter.config(
        connection_config={"dsn": dsn, "pool_timeout_sec": 0.2, "max_db_pool_size": 2}
    )
    async with config.provide_session(), config.provide_session():
        began = time.monotonic()
        with pytest.raises(ConnectionTimeoutError, match="pool_timeout_sec"):
            async with config.provide_session():
                pass
        assert 0.15 < time.monotonic() - began < 2
    await config.close_pool()


@promise("P06", stock=Breaks(TypeError, "statement_timeout_sec"))
async def test_a_statement_has_a_limit_of_its_own(adapter, dsn):
    config = adapter.config(
        connection_config={"dsn": dsn, "statement_timeout_sec": 0.2, "max_db_pool_size": 2}
    )
    async with config.provide_session() as session:
        with pytest.raises(QueryTimeoutError):
            await session.execute("SELECT pg_sleep(5)")
        assert await session.select_value("SHOW statement_timeout") == "200ms"
    await config.close_pool()


@promise("P06", stock=HANGS)
async def test_a_pool_is_usable_after_an_outage(adapter, dsn):
    async with Relay.before(dsn) as relay:
        config = adapter.config(
            connection_config={
                "dsn": relay.dsn(dsn),
                "connect_timeout_sec": 1,
                "max_db_pool_size": 2,
            }
        )
        relay.is_mute = True
        for _ in range(3):
            with pytest.raises(SQLSpecError):
                async with asyncio.timeout(5), config.provide_session():
                    pass
        relay.is_mute = False
        async with config.provide_session() as session:
            assert await session.select_value("SELECT 1") == 1
        await config.close_pool()


@promise("P06", stock=None)
async def test_the_tcp_user_timeout_takes_effect(adapter, dsn):
    config = adapter.config(
        connection_config={"dsn": dsn, "tcp_user_timeout_sec": 7, "max_db_pool_size": 2}
    )
    async with config.provide_session() as session:
        port = await session.select_value("SELECT inet_client_port()")
        assert connected()[port].user == 7000
    await config.close_pool()
