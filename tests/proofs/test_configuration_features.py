"""Proofs of references/configuration.md: driver features."""

from __future__ import annotations

import secrets
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from configuration_taps import Tap, event_through
from configuration_tools import database_of, value
from proveskill import proves
from psqlpy.extra_types import PgVector
from sqlspec import SQLSpec
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import ImproperConfigurationError, SQLSpecError
from sqlspec.migrations.commands import AsyncMigrationCommands
from sqlspec.utils.module_loader import reset_dependency_cache

DEAD = "postgresql://app:secret@127.0.0.1:1/app"  # nobody listens there
NEAREST = "SELECT id FROM embeddings ORDER BY vector {} '[1,0,0]' LIMIT 1"


def features_of(**given: Any) -> dict[str, Any]:
    return PsqlpyConfig(connection_config={"dsn": DEAD}, driver_features=given).driver_features


async def dialect(dsn: str, config: PsqlpyConfig | None = None, **features: Any) -> str:
    """The dialect after the first session."""
    if config is None:
        config = PsqlpyConfig(connection_config={"dsn": dsn}, driver_features=features)
    async with config.provide_session():
        pass
    await config.close_pool()
    return str(config.statement_config.dialect)


@pytest.fixture
async def bare(dsn: str, session: Any) -> AsyncIterator[str]:
    """The connection string of a database without extensions."""
    name = f"bare_{secrets.token_hex(4)}"
    await session.execute_script(f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy")
    yield dsn.replace(database_of(dsn), name)
    await session.execute_script(f"DROP DATABASE {name} WITH (FORCE)")


@proves(
    "`{key}` | on if the `{package}` package is installed | looks for the extension; the SQL "
    "dialect becomes `{wanted}`",
    "The extension is looked for once in the life of a config, on its first connection: create it "
    "before, or build a new config.",
    "`close_pool()` does not look again, see pgvector.",
    adapter="stock",
    table="Feature | Default | What it does",
)
async def test_the_extension_is_looked_for_once(
    bare: str, monkeypatch: pytest.MonkeyPatch, key: str, package: str, wanted: str
) -> None:
    config = PsqlpyConfig(connection_config={"dsn": bare})
    assert await dialect(bare, config) == "postgres"
    setup = PsqlpyConfig(connection_config={"dsn": bare})
    async with setup.provide_session() as session:
        await session.execute_script("CREATE EXTENSION vector")
    await setup.close_pool()
    for _ in range(2):
        assert await dialect(bare, config) == "postgres"
    assert await dialect(bare) == wanted
    assert await dialect(bare, **{key: False}) == "postgres"
    monkeypatch.setitem(sys.modules, package, None)
    reset_dependency_cache()
    assert not features_of()[key]
    assert await dialect(bare) == "postgres"
    monkeypatch.undo()
    reset_dependency_cache()
    assert features_of()[key]


@proves(
    "`{paradedb}`, `{textsearch}` | `{default}` | look for the extensions `{search}` and `{bm25}`",
    adapter="stock",
    table="Feature | Default | What it does",
)
async def test_other_extensions_are_looked_for(
    dsn: str, paradedb: str, textsearch: str, default: bool, search: str, bm25: str
) -> None:
    async def are_sought(**features: bool) -> list[bool]:
        """Whether the client says the names of the extensions, as values of a parameter."""
        async with Tap.before(dsn) as tap:
            await dialect(tap.dsn(dsn), **features)
            said = b"".join(tap.said)
        values = [len(name).to_bytes(4, "big") + name.encode() for name in (search, bm25)]
        return [found in said for found in values]

    assert await are_sought() == [default, default]
    assert await are_sought(**{paradedb: True, textsearch: False}) == [True, False]
    assert await are_sought(**{paradedb: False, textsearch: True}) == [False, True]


@proves(
    "`{serializer}`, `{deserializer}` | SQLSpec's | not called for JSON parameters and columns: "
    "Types",
    adapter="stock",
    table="Feature | Default | What it does",
)
async def test_serializers_are_not_called(dsn: str, serializer: str, deserializer: str) -> None:
    called: list[Any] = []
    for key in (serializer, deserializer):
        assert features_of()[key].__module__.startswith("sqlspec.")
    features = {serializer: called.append, deserializer: called.append}
    config = PsqlpyConfig(connection_config={"dsn": dsn}, driver_features=features)
    async with config.provide_session() as session:
        for query in ("SELECT $1::jsonb", "SELECT $1::json"):
            assert await session.select_value(query, ({"a": [1]},)) == {"a": [1]}
    await config.close_pool()
    assert called == []


@proves(
    '`{key}` | `"{default}"` | `"{first}"`, `"{second}"` or `"{third}"`',
    adapter="stock",
    table="Feature | Default | What it does",
)
async def test_the_backend_of_events(
    dsn: str, key: str, default: str, first: str, second: str, third: str
) -> None:
    def backend(**features: Any) -> str:
        registry = SQLSpec()
        config = PsqlpyConfig(connection_config={"dsn": dsn}, driver_features=features)
        return registry.event_channel(registry.add_config(config)).backend_name

    assert backend() == default
    names = {first, second, third}
    assert {backend(**{key: name}) for name in names} == names
    assert len(names) == 3
    with pytest.raises(ImproperConfigurationError, match="Unknown event backend"):
        backend(**{key: "notify-queue"})


@proves(
    '`{mode}`, `{flag}` | `"{default}"`, `{off}` | `"{first}"`, `"{second}"` and `{on}` keep the '
    "pool from opening: Poolers",
    adapter="stock",
    table="Feature | Default | What it does",
)
async def test_the_modes_of_a_pooler(
    dsn: str, mode: str, flag: str, default: str, off: bool, first: str, second: str, on: bool
) -> None:
    assert features_of()[mode] == default
    assert features_of()[flag] is off
    assert await value("SELECT 42", {mode: default, flag: off}, dsn=dsn) == 42
    assert len({first, second}) == 2
    for features in ({mode: first}, {mode: second}, {flag: on}):
        with pytest.raises(TypeError, match="unexpected keyword argument"):
            await value("SELECT 42", features, dsn=dsn)


@proves(
    "`{key}` | none | address for migrations and LISTEN: Poolers",
    adapter="stock",
    table="Feature | Default | What it does",
)
async def test_the_direct_address(dsn: str, tmp_path: Path, key: str) -> None:
    (tmp_path / "0001_step.sql").write_text(
        "-- name: migrate-0001-up\nCREATE TABLE configuration_direct (id int);\n"
    )
    migrations = {"script_location": str(tmp_path), "version_table_name": "configuration_steps"}
    config = PsqlpyConfig(
        connection_config={"dsn": DEAD}, driver_features={key: dsn}, migration_config=migrations
    )
    await AsyncMigrationCommands(config).upgrade()
    made = "SELECT to_regclass('configuration_direct') IS NOT NULL"
    assert await value(made, dsn=dsn)
    async with Tap.before(dsn) as tap:
        registry = SQLSpec()
        config = PsqlpyConfig(connection_config={"dsn": tap.dsn(dsn)}, driver_features={key: dsn})
        channel = registry.event_channel(registry.add_config(config))
        event, said = await event_through(tap, channel)
        await config.close_pool()
    assert event == {"sent": True}
    assert b"pg_notify" in said
    assert b"listen" not in said


@proves("A misspelt feature is accepted and does nothing:", adapter="stock")
async def test_a_misspelt_feature_does_nothing(dsn: str) -> None:
    assert await dialect(dsn, enable_pg_vector=False) == "pgvector"
    assert await dialect(dsn, enable_pgvector=False) == "postgres"


@proves(
    "`{key}` is about operators in the SQL text, not about values.",
    "Without it SQLSpec cannot parse `{operator}`, and a SELECT with it returns no rows and no "
    "error:",
    adapter="stock",
)
async def test_the_feature_is_about_operators(dsn: str, key: str, operator: str) -> None:
    found = {}
    for state in (True, False):
        config = PsqlpyConfig(connection_config={"dsn": dsn}, driver_features={key: state})
        async with config.provide_session() as session:
            query = "SELECT id FROM embeddings WHERE vector = $1"
            for _ in range(2):
                assert await session.select(query, PgVector([0, 1, 0])) == [{"id": 2}]
            assert await session.select_value("SELECT vector FROM embeddings LIMIT 1") == [1, 0, 0]
            found[state] = await session.select(NEAREST.format(operator))
        await config.close_pool()
    assert found == {True: [{"id": 5}], False: []}
    with pytest.raises(SQLSpecError):
        await value(NEAREST.format("<no>"), dsn=dsn)
