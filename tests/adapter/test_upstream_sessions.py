"""Pools, connections, sessions and configs go on working as SQLSpec's on both adapters."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import unquote, urlsplit

import psqlpy
import psqlpy_adapter
import pytest
import sqlspec.adapters.psqlpy
from sqlspec import SQLSpec
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


async def test_a_transaction_left_open_is_not_seen_by_the_next_borrower(config):
    async with config.provide_session() as session:
        await session.begin()
        await session.execute("INSERT INTO users (name) VALUES ('Ghost')")
    async with config.provide_session() as session:
        assert await session.select_value("SELECT count(*) FROM users") == 3


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


async def test_a_driver_can_be_made_on_a_bare_connection(adapter, config):
    async with config.provide_connection() as connection:
        driver = adapter.driver(connection)
        assert await driver.select_value("SELECT count(*) FROM users WHERE age > $1", (20,)) == 2
        result = await driver.execute("UPDATE users SET age = $1 WHERE id = $2", (20, 1))
        assert result.rows_affected == 1


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


async def test_the_pgvector_extension_is_noticed_by_the_first_session(config):
    async with config.provide_session() as session:
        assert str(session.statement_config.dialect) == "pgvector"
    assert str(config.statement_config.dialect) == "pgvector"


async def test_without_the_pgvector_extension_the_dialect_stays_postgres(config):
    async with config.provide_connection() as connection:
        await connection.execute("DROP EXTENSION vector CASCADE")
    fresh = type(config)(connection_config=dict(config.connection_config))
    try:
        async with fresh.provide_session() as session:
            assert str(session.statement_config.dialect) == "postgres"
    finally:
        await fresh.close_pool()


async def test_enable_pgvector_false_leaves_the_dialect_alone(make_config):
    config = make_config(driver_features={"enable_pgvector": False})
    async with config.provide_session() as session:
        assert str(session.statement_config.dialect) == "postgres"


async def test_cast_detection_can_be_turned_off(make_config):
    config = make_config(driver_features={"enable_cast_detection": False})
    async with config.provide_session() as session:
        assert session.driver_features["enable_cast_detection"] is False
        assert await session.select_value("SELECT $1::int", (1,)) == 1


async def test_separate_keys_do_instead_of_a_dsn(adapter, database):
    parts = parts_of(database.url)
    config = adapter.config(connection_config=parts | {"max_db_pool_size": 2})
    try:
        async with config.provide_session() as session:
            assert await session.select_value("SELECT current_database()") == parts["db_name"]
    finally:
        await config.close_pool()


@pytest.mark.parametrize(
    "names", [("user", "database"), ("username", "db_name"), ("username", "dbname")]
)
async def test_the_names_of_other_drivers_for_user_and_database_are_understood(
    adapter, database, names
):
    parts = parts_of(database.url)
    parts[names[0]] = parts.pop("username")
    parts[names[1]] = parts.pop("db_name")
    config = adapter.config(connection_config=parts | {"max_db_pool_size": 2})
    try:
        async with config.provide_session() as session:
            assert await session.select_value("SELECT 1") == 1
    finally:
        await config.close_pool()


async def test_application_name_and_options_reach_the_server(make_config):
    config = make_config({"application_name": "upstream", "options": "-c statement_timeout=12345"})
    async with config.provide_session() as session:
        assert await session.select_value("SHOW application_name") == "upstream"
        assert await session.select_value("SHOW statement_timeout") == "12345ms"


async def test_the_enums_of_psqlpy_are_accepted(make_config):
    config = make_config(
        {
            "conn_recycling_method": psqlpy.ConnRecyclingMethod.Clean,
            "ssl_mode": psqlpy.SslMode.Disable,
            "target_session_attrs": psqlpy.TargetSessionAttrs.ReadWrite,
            "load_balance_hosts": psqlpy.LoadBalanceHosts.Disable,
        }
    )
    async with config.provide_session() as session:
        assert await session.select_value("SELECT 1") == 1


async def test_the_configuration_is_an_attribute_that_can_be_read(config, dsn):
    assert config.connection_config["dsn"] == dsn
    assert config.connection_config["max_db_pool_size"] == 4


async def test_derive_direct_config_is_the_config_itself_without_a_direct_dsn(config):
    assert config.derive_direct_config() is config


async def test_derive_direct_config_gives_a_session_mode_config_of_the_same_kind(
    adapter, make_config, dsn
):
    config = make_config(
        {"dsn": "postgresql://nobody@pooler.invalid/x"},
        driver_features={"pooler_mode": "transaction", "direct_dsn": dsn},
    )
    direct = config.derive_direct_config()
    try:
        assert isinstance(direct, adapter.config)
        assert direct.driver_features["pooler_mode"] == "session"
        async with direct.provide_session() as session:
            assert await session.select_value("SELECT count(*) FROM users") == 3
    finally:
        await direct.close_pool()


async def test_derive_direct_config_keeps_the_connection_hook(make_config, dsn):
    seen = []

    async def hook(connection: Any) -> None:
        seen.append(connection)

    config = make_config(driver_features={"direct_dsn": dsn, "on_connection_create": hook})
    direct = config.derive_direct_config()
    try:
        async with direct.provide_session() as session:
            await session.execute("SELECT 1")
    finally:
        await direct.close_pool()
    assert len(seen) == 1


async def test_the_registry_of_sqlspec_gives_sessions_of_a_registered_config(config):
    manager = SQLSpec()
    manager.add_config(config)
    async with manager.provide_session(config) as session:
        assert await session.select_value("SELECT 1") == 1


async def test_a_bind_key_is_kept(make_config):
    assert make_config(bind_key="reports").bind_key == "reports"


def test_the_signature_namespace_names_the_types_of_the_adapter(make_config):
    names = make_config().get_signature_namespace()
    assert {"PsqlpyDriver", "PsqlpyConnection", "PsqlpyPoolParams"} <= names.keys()
    assert issubclass(names["PsqlpyDriver"], StockDriver)


@pytest.mark.parametrize(
    "capability",
    [
        "supports_native_arrow_export",
        "supports_native_arrow_import",
        "supports_native_parquet_export",
        "supports_native_parquet_import",
        "supports_native_row_streaming",
        "supports_transactional_ddl",
        "supports_migration_schemas",
    ],
)
def test_the_config_advertises_this_capability(adapter, capability):
    assert getattr(adapter.config, capability) is True


def parts_of(url: str) -> dict[str, Any]:
    """The parts of a URL `postgresql://user:password@host:port/name` under psqlpy's names."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    return {
        "host": parts.hostname,
        "port": parts.port or 5432,
        "username": unquote(parts.username or ""),
        "db_name": parts.path.lstrip("/"),
    } | ({"password": unquote(parts.password)} if parts.password else {})
