"""Proofs of references/replicas-and-poolers.md: the way past a pooler."""

from __future__ import annotations

from pathlib import Path

import pytest
from configuration_taps import Tap, event_through
from pooler_tools import Pooler
from proveskill import proves
from psqlpy.exceptions import BaseConnectionPoolError
from replicas_tools import answer, ask, opened
from sqlspec import SQLSpec
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.migrations.commands import AsyncMigrationCommands

DEAD = "postgresql://app:secret@127.0.0.1:1/app"
"""Nobody listens there."""


@proves(
    "Give the address past the pooler as `{key}`.",
    "SQLSpec's migrations and its `{backend}` events use it:",
    adapter="stock",
)
async def test_what_uses_the_direct_address(dsn, tmp_path: Path, key: str, backend: str) -> None:
    step = "-- name: migrate-0001-up\nCREATE TABLE past_the_pooler (id int);\n"
    (tmp_path / "0001_step.sql").write_text(step)
    migrations = {"script_location": str(tmp_path), "version_table_name": "pooler_steps"}
    config = PsqlpyConfig(
        connection_config={"dsn": DEAD}, driver_features={key: dsn}, migration_config=migrations
    )
    await AsyncMigrationCommands(config).upgrade()
    assert await answer("SELECT to_regclass('past_the_pooler') IS NOT NULL", dsn=dsn)
    async with Tap.before(dsn) as tap:
        registry = SQLSpec()
        config = PsqlpyConfig(
            connection_config={"dsn": tap.dsn(dsn)},
            driver_features={key: dsn},
            extension_config={"events": {"backend": backend}},
        )
        channel = registry.event_channel(registry.add_config(config))
        event, said = await event_through(tap, channel)
        await config.close_pool()
    assert event == {"sent": True}
    assert b"pg_notify" in said
    assert b"listen" not in said


@proves(
    "Send streams, COPY, migrations and LISTEN past the pooler, with a second config or "
    "`direct_dsn`.",
    "A `{set_}` in a migration stays for the pooler's other clients.",
    adapter="stock",
)
async def test_a_migration_leaves_its_settings(dsn, tmp_path: Path, set_: str) -> None:
    (tmp_path / "0001_step.sql").write_text(
        f"-- name: migrate-0001-up\n{set_} lock_timeout = '9s';\nCREATE TABLE migrated (id int);\n"
    )
    migrations = {"script_location": str(tmp_path), "version_table_name": "steps_of_a_pooler"}
    async with Pooler(dsn, tracks=True) as pooler:
        assert await answer("SHOW lock_timeout", dsn=pooler.dsn) == "0"
        config = PsqlpyConfig(
            connection_config={"dsn": pooler.dsn, "max_db_pool_size": 2},
            migration_config=migrations,
        )
        await AsyncMigrationCommands(config).upgrade()
        await config.close_pool()
        assert await answer("SHOW lock_timeout", dsn=pooler.dsn) == "9s"
    assert await answer("SELECT to_regclass('migrated') IS NOT NULL", dsn=dsn)


@proves(
    "Pass a `str`.",
    "A mapping leaves the main `{key}` in force, which wins over it:",
    adapter="stock",
)
async def test_the_direct_address_is_a_string(dsn, key: str) -> None:
    assert type(dsn) is str
    async with opened({"direct_dsn": dsn}, dsn=DEAD) as config:
        direct = config.derive_direct_config()
        assert await ask(direct, "SELECT 42") == 42
        await direct.close_pool()
    mapping = {"host": "127.0.0.1", "port": 2}
    async with opened({"direct_dsn": mapping}, dsn=DEAD) as config:
        assert config.derive_direct_config().connection_config[key] == DEAD
        async with Tap.before(dsn) as tap:
            place = {"host": "127.0.0.1", "port": tap.port}
            async with opened({"direct_dsn": place}, **{key: DEAD}) as config:
                direct = config.derive_direct_config()
                with pytest.raises(BaseConnectionPoolError, match="refused"):
                    await ask(direct)
            assert not tap.said


@proves("Without `{key}`, `{method}()` returns the config itself:")
async def test_without_a_direct_address(dsn, key: str, method: str) -> None:
    async with opened(dsn=dsn) as config:
        assert getattr(config, method)() is config
    async with opened({key: dsn}, dsn=DEAD) as config:
        direct = getattr(config, method)()
        assert direct is not config
        assert await ask(direct, "SELECT 42") == 42
        await direct.close_pool()
