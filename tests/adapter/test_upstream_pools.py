"""Pools and connections go on working as SQLSpec's on both adapters."""

from __future__ import annotations

import asyncio
from typing import Any

import psqlpy
import pytest

BACKEND = "SELECT pg_backend_pid()"


async def test_a_pool_is_created_and_lends_connections(config):
    pool = await config.create_pool()
    async with pool.acquire() as connection:
        assert (await connection.execute("SELECT 1 AS one")).result() == [{"one": 1}]
    pool.close()


async def test_provide_pool_gives_one_and_the_same_pool(config):
    assert await config.provide_pool() is await config.provide_pool()


async def test_the_pool_is_opened_by_the_first_session_and_not_before(config):
    assert config.connection_instance is None
    async with config.provide_session() as session:
        await session.execute("SELECT 1")
    assert config.connection_instance is not None


async def test_provide_connection_lends_a_psqlpy_connection(config):
    async with config.provide_connection() as connection:
        assert (await connection.fetch("SELECT 1 AS one")).result() == [{"one": 1}]


async def test_create_connection_gives_a_connection_that_its_user_closes(config):
    connection = await config.create_connection()
    try:
        assert (await connection.fetch("SELECT 1 AS one")).result() == [{"one": 1}]
    finally:
        connection.close()


async def test_the_pool_serves_more_tasks_than_it_has_connections(config):
    async def double(number: int) -> int:
        async with config.provide_session() as session:
            return await session.select_value("SELECT $1::int * 2", (number,))

    assert await asyncio.gather(*map(double, range(40))) == [2 * i for i in range(40)]


async def test_an_error_in_a_session_leaves_the_pool_usable(config):
    with pytest.raises(ZeroDivisionError):
        async with config.provide_session():
            raise ZeroDivisionError
    async with config.provide_session() as session:
        assert await session.select_value("SELECT 1") == 1


async def test_close_pool_ends_the_server_processes(config, make_config):
    async with config.provide_session() as session:
        pid = await session.select_value(BACKEND)
    await config.close_pool()
    async with make_config().provide_session() as session, asyncio.timeout(10):
        while await session.select("SELECT 1 FROM pg_stat_activity WHERE pid = $1", (pid,)):
            await session.execute("SELECT pg_sleep(0.01)::text, pg_stat_clear_snapshot()::text")


async def test_a_config_opens_a_new_pool_after_close_pool(config):
    for _ in range(3):
        async with config.provide_session() as session:
            assert await session.select_value("SELECT 1") == 1
        await config.close_pool()
        assert config.connection_instance is None


async def test_close_pool_may_be_called_twice_and_before_any_use(config):
    await config.close_pool()
    async with config.provide_session() as session:
        await session.execute("SELECT 1")
    await config.close_pool()
    await config.close_pool()


async def test_a_pool_from_outside_is_used_as_it_is(adapter, dsn):
    pool = psqlpy.ConnectionPool(dsn=dsn, max_db_pool_size=2)
    config = adapter.config(connection_instance=pool)
    try:
        assert await config.provide_pool() is pool
        for _ in range(2):
            async with config.provide_session() as session:
                assert await session.select_value("SELECT count(*) FROM users") == 3
    finally:
        pool.close()


async def test_the_pool_of_one_config_serves_another(make_config):
    source = make_config()
    pool = await source.provide_pool()
    borrower = make_config(connection_instance=pool)
    async with borrower.provide_session() as session:
        await session.execute("INSERT INTO users (name) VALUES ('Edsger')")
    async with source.provide_session() as session:
        assert await session.select_value("SELECT count(*) FROM users") == 4


async def test_connection_instance_none_opens_a_pool_of_its_own(make_config):
    config = make_config(connection_instance=None)
    assert config.connection_instance is None
    async with config.provide_session() as session:
        assert await session.select_value("SELECT 1") == 1


async def test_the_hook_on_connection_create_gets_the_connection(make_config):
    seen = []

    async def hook(connection: Any) -> None:
        seen.append((await connection.fetch("SELECT 1 AS one")).result())

    config = make_config(driver_features={"on_connection_create": hook})
    async with config.provide_session() as session:
        await session.execute("SELECT 1")
    assert seen == [[{"one": 1}]]


async def test_a_failing_hook_fails_the_session_and_gives_the_connection_back(make_config):
    calls = []

    async def hook(connection: Any) -> None:
        calls.append(connection)
        if len(calls) <= 4:
            raise LookupError("not ready")

    config = make_config({"max_db_pool_size": 2}, driver_features={"on_connection_create": hook})
    for _ in range(4):
        with pytest.raises(LookupError, match="not ready"):
            async with config.provide_session():
                pass
    calls.clear()
    calls.extend([None] * 4)
    async with asyncio.timeout(10), config.provide_session() as session:
        assert await session.select_value("SELECT 1") == 1
