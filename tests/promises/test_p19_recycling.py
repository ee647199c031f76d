"""P19: a session ends what its connection has begun, and no broken connection is lent."""

import asyncio

import psycopg
import pytest
from harness import Breaks, promise
from psqlpy import ConnRecyclingMethod
from recycling import METHODS, STAYS, pool
from sqlspec.exceptions import SQLSpecError


@pytest.mark.parametrize("method", METHODS, ids=str)
@promise("P19", stock=Breaks(psycopg.errors.LockNotAvailable))
async def test_a_raw_transaction_ends_with_its_session(adapter, dsn, method):
    config, _ = await pool(adapter, dsn, method)
    async with config.provide_session() as session:
        await session.connection.execute_batch("BEGIN; LOCK TABLE users")
    with psycopg.connect(dsn) as connection:
        # The locks are gone before anybody borrows the connection again.
        connection.execute("SET lock_timeout = '500ms'")
        connection.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
    await config.close_pool()


@pytest.mark.parametrize("method", METHODS, ids=str)
@promise("P19", stock=STAYS)
async def test_the_next_borrower_s_writes_are_committed(adapter, dsn, method):
    config, _ = await pool(adapter, dsn, method)
    async with config.provide_session() as session:
        await session.connection.execute_batch("BEGIN")
    async with config.provide_session() as session:
        await session.execute("CREATE TABLE kept (id int)")
    await config.close_pool()
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT to_regclass('kept')").fetchone()[0] == "kept"


@pytest.mark.parametrize("method", METHODS[:2], ids=str)
@promise("P19", stock=Breaks(SQLSpecError, "current transaction is aborted"))
async def test_a_failed_raw_transaction_ends_with_its_session(adapter, dsn, method):
    config, _ = await pool(adapter, dsn, method)
    async with config.provide_session() as session:
        await session.connection.execute_batch("BEGIN")
        with pytest.raises(SQLSpecError):
            await session.execute("SELECT 1 / 0")
    async with config.provide_session() as session:
        assert await session.select_value("SELECT 1") == 1
    await config.close_pool()


@pytest.mark.parametrize("method", METHODS, ids=str)
@promise("P19", stock=None)
async def test_a_connection_with_a_transaction_of_psqlpy_s_own_is_not_lent_again(
    adapter, dsn, method
):
    """psqlpy goes on believing in a Transaction object that nobody ended."""
    config, backend = await pool(adapter, dsn, method)
    async with config.provide_session() as session:
        left_open = session.connection.transaction()
        await left_open.begin()
    async with config.provide_session() as session:
        assert await session.select_value("SELECT pg_backend_pid()") != backend
    await config.close_pool()


@promise("P19", stock=Breaks(TimeoutError))
async def test_what_create_connection_gives_is_outside_of_the_pool(adapter, dsn):
    config, _ = await pool(adapter, dsn, ConnRecyclingMethod.Fast)
    async with asyncio.timeout(3):
        made = [await config.create_connection() for _ in range(3)]
        async with config.provide_session() as one, config.provide_session() as other:
            assert await one.select_value("SELECT 1") + await other.select_value("SELECT 1") == 2
    assert config.connection_instance.status().size == 2
    for connection in made:
        connection.close()
    await config.close_pool()


@promise("P19", stock=None)
async def test_a_dead_connection_is_not_lent(adapter, dsn):
    config, backend = await pool(adapter, dsn, ConnRecyclingMethod.Fast)
    with psycopg.connect(dsn) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
    async with config.provide_session() as session:
        assert await session.select_value("SELECT pg_backend_pid()") != backend
    await config.close_pool()
