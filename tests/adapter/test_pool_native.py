"""Pools of psqlpy's own, which a configuration is given."""

from __future__ import annotations

import asyncio

import psqlpy
import pytest
from psqlpy_adapter import PsqlpyConfig
from psqlpy_adapter.pool import PoolTimeoutError
from sqlspec.exceptions import DatabaseConnectionError


async def test_a_pool_of_psqlpys_own_is_borrowed_from(dsn):
    native = psqlpy.ConnectionPool(dsn=dsn, max_db_pool_size=2)
    config = PsqlpyConfig(connection_instance=native, connection_config={"pool_timeout_sec": 0.2})
    assert await config.provide_pool() is native
    async with config.provide_session() as session:
        assert await session.select_value("SELECT 42") == 42
        await session.connection.execute_batch("BEGIN; CREATE TABLE left_open (id int)")
    async with config.provide_session() as one, config.provide_session() as other:
        for session in (one, other):
            assert await session.select_value("SELECT to_regclass('left_open')::text") is None
        with pytest.raises(PoolTimeoutError):
            async with config.provide_session():
                pass
    assert native.status().available > 0
    await config.close_pool()


async def test_a_cancellation_keeps_no_connection_of_psqlpys_own_pool(dsn):
    native = psqlpy.ConnectionPool(dsn=dsn, max_db_pool_size=2)
    config = PsqlpyConfig(connection_instance=native, connection_config={"pool_timeout_sec": 5})
    async with config.provide_session() as session:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await session.execute("SELECT pg_sleep(20)")
        assert await session.select_value("SELECT 1") == 1
    async with config.provide_session() as one, config.provide_session() as other:
        assert await one.select_value("SELECT 1") == await other.select_value("SELECT 1")
    await config.close_pool()


async def test_a_wait_for_psqlpys_own_pool_has_the_limit_of_the_configuration(dsn):
    native = psqlpy.ConnectionPool(dsn=dsn, max_db_pool_size=2)
    lent = [await native.connection() for _ in range(2)]
    config = PsqlpyConfig(connection_instance=native, connection_config={"pool_timeout_sec": 0.2})
    with pytest.raises(PoolTimeoutError, match="psqlpy's pool gave no connection within"):
        async with config.provide_session():
            pass
    for connection in lent:
        connection.close()
    async with config.provide_session() as session:
        assert await session.select_value("SELECT 1") == 1
    await config.close_pool()


async def test_a_failure_of_psqlpys_own_pool_is_one_of_sqlspec():
    native = psqlpy.ConnectionPool(
        host="127.0.0.1", port=1, username="u", password="p", db_name="d"
    )
    with pytest.raises(DatabaseConnectionError, match="cannot connect to the server"):
        async with PsqlpyConfig(connection_instance=native).provide_session():
            pass
