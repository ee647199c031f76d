"""Sessions and drivers go on working as SQLSpec's on both adapters."""

from __future__ import annotations

import asyncio

import psqlpy_adapter
import pytest
import sqlspec.adapters.psqlpy
from sqlspec.adapters.psqlpy import PsqlpyConfig as StockConfig
from sqlspec.adapters.psqlpy import PsqlpyDriver as StockDriver

BACKEND = "SELECT pg_backend_pid()"


def test_the_config_and_the_driver_are_those_of_sqlspec_or_subclasses(adapter):
    assert issubclass(adapter.config, StockConfig)
    assert issubclass(adapter.driver, StockDriver)
    assert issubclass(adapter.config.driver_type, adapter.driver)


@pytest.mark.parametrize("name", sqlspec.adapters.psqlpy.__all__)
def test_every_name_of_sqlspecs_adapter_can_be_imported(adapter, name):
    assert hasattr(adapter.module, name)


async def test_a_session_is_a_driver_on_a_connection(adapter, session):
    assert isinstance(session, adapter.driver)
    assert session.connection is not None
    assert session.is_async


async def test_a_session_after_another_borrows_the_same_server_process(config):
    seen = set()
    for _ in range(3):
        async with config.provide_session() as session:
            seen.add(await session.select_value(BACKEND))
    assert len(seen) == 1


async def test_sessions_at_the_same_time_have_connections_of_their_own(config):
    async with config.provide_session() as first, config.provide_session() as second:
        assert await first.select_value(BACKEND) != await second.select_value(BACKEND)


async def test_one_session_sees_what_another_has_written(config):
    async with config.provide_session() as session:
        await session.execute("INSERT INTO users (name) VALUES ('Edsger')")
    async with config.provide_session() as session:
        assert await session.select_value("SELECT id FROM users WHERE name = 'Edsger'") == 4


async def test_a_transaction_left_open_is_not_seen_by_the_next_borrower(config):
    async with config.provide_session() as session:
        await session.begin()
        await session.execute("INSERT INTO users (name) VALUES ('Ghost')")
    async with config.provide_session() as session:
        assert await session.select_value("SELECT count(*) FROM users") == 3


def test_a_config_serves_a_second_asyncio_run(adapter, dsn):
    config = adapter.config(connection_config={"dsn": dsn, "max_db_pool_size": 2})

    async def one() -> int:
        async with config.provide_session() as session:
            return await session.select_value("SELECT 1")

    async def last() -> int:
        try:
            return await one()
        finally:
            await config.close_pool()

    assert [asyncio.run(one()), asyncio.run(one()), asyncio.run(last())] == [1, 1, 1]


async def test_two_configs_serve_two_databases_at_once(adapter, servers, dsn):
    other = servers.create_database()
    configs = [
        adapter.config(connection_config={"dsn": url, "max_db_pool_size": 2})
        for url in (dsn, other.url)
    ]
    try:
        async with configs[0].provide_session() as first, configs[1].provide_session() as second:
            await first.execute("DELETE FROM events")
            assert await first.select_value("SELECT count(*) FROM events") == 0
            assert await second.select_value("SELECT count(*) FROM events") == 2
    finally:
        for config in configs:
            await config.close_pool()
        servers.drop_database(other)


async def test_both_adapters_serve_one_program(dsn):
    both = [
        kind(connection_config={"dsn": dsn, "max_db_pool_size": 2})
        for kind in (StockConfig, psqlpy_adapter.PsqlpyConfig)
    ]
    try:
        for config in both:
            async with config.provide_session() as session:
                assert (
                    await session.select_value("SELECT count(*) FROM users WHERE id < $1", 9) == 3
                )
    finally:
        for config in both:
            await config.close_pool()


async def test_a_driver_can_be_made_on_a_bare_connection(adapter, config):
    async with config.provide_connection() as connection:
        driver = adapter.driver(connection)
        assert await driver.select_value("SELECT count(*) FROM users WHERE age > $1", (20,)) == 2
        result = await driver.execute("UPDATE users SET age = $1 WHERE id = $2", (20, 1))
        assert result.rows_affected == 1
