"""Keys and features of a config go on working as SQLSpec's on both adapters."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import psqlpy
import pytest
from sqlspec import SQLSpec
from sqlspec.adapters.psqlpy import PsqlpyDriver as StockDriver


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
