"""Proofs of references/pgvector.md: the extension. They drop it: this database is theirs."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np
import psqlpy
import pytest
from proveskill import proves
from psqlpy.extra_types import PgVector
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import SQLSpecError
from sqlspec.utils.module_loader import reset_dependency_cache

NEAREST = "SELECT id FROM held ORDER BY vector {} $1 LIMIT 1"
HOLD = "CREATE TABLE held (id int, vector vector(2)); INSERT INTO held VALUES (1, '[1,0]')"
QUERY = PgVector([1, 0])
DISTANCES = ("<->", "<=>", "<#>", "<+>")


@pytest.fixture
async def server(dsn: str) -> AsyncIterator[psqlpy.Connection]:
    """A connection of psqlpy to the database, without the extension."""
    connection = await psqlpy.connect(dsn=dsn)
    await connection.execute_batch(
        "DROP EXTENSION IF EXISTS vector CASCADE; DROP SCHEMA IF EXISTS ext CASCADE;"
        "DROP TABLE IF EXISTS held"
    )
    yield connection
    connection.close()


@pytest.fixture
async def make(dsn: str) -> AsyncIterator[Any]:
    """Makes configurations: of the features given, with server parameters where given."""
    made = []

    def config(features: dict[str, Any] | None = None, **settings: str) -> PsqlpyConfig:
        settings = {"dsn": dsn, "max_db_pool_size": 2, **settings}
        made.append(PsqlpyConfig(connection_config=settings, driver_features=features or {}))
        return made[-1]

    yield config
    for config in made:
        await config.close_pool()


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if the Python package pgvector were not installed."""
    monkeypatch.setitem(sys.modules, "pgvector", None)
    reset_dependency_cache()
    yield
    monkeypatch.undo()
    reset_dependency_cache()


async def ids(config: PsqlpyConfig, operator: str) -> list[int]:
    async with config.provide_session() as session:
        return [row["id"] for row in await session.select(NEAREST.format(operator), QUERY)]


@proves(
    "Run this in a migration, before the program opens a session:",
    "The config looks for the extension once, on its first connection, and sets its SQL dialect"
    " for good.",
    "A config that connects first keeps the dialect `{dialect}`; then {ip} and {l1} do not parse,"
    " and a SELECT with them returns no rows and raises nothing.",
    "Make a new config after `CREATE EXTENSION`, or restart the program.",
    "`close_pool()` alone keeps the old dialect.",
    adapter="stock",
)
async def test_the_first_connection_of_a_config_decides_its_dialect(
    server: psqlpy.Connection, make: Any, dialect: str, ip: str, l1: str
) -> None:
    early = make()
    async with early.provide_session():
        pass
    await server.execute_batch(f"CREATE EXTENSION vector; {HOLD}")
    for _ in ("the pool", "a new pool"):
        assert early.statement_config.dialect == dialect
        lost = {operator for operator in DISTANCES if not await ids(early, operator)}
        assert lost == {ip, l1}
        await early.close_pool()
    async with early.provide_session() as session:
        for operator in (ip, l1):
            result = await session.execute(NEAREST.format(operator), QUERY)
            assert result.operation_type == "COMMAND"

    late = make()
    assert late.statement_config.dialect == dialect  # it has not connected
    for _ in ("the pool", "a new pool"):
        assert await ids(late, ip) == await ids(late, l1) == [1]
        assert late.statement_config.dialect == "pgvector"
        await late.close_pool()
    await server.execute_batch("DROP EXTENSION vector CASCADE")
    async with late.provide_session():
        assert late.statement_config.dialect == "pgvector"


async def outcomes(config: PsqlpyConfig) -> list[str]:
    """What becomes of values for a vector, and of a vector that is read."""
    found = []
    async with config.provide_session() as session:
        for value in (QUERY, np.array([1.0, 0.0]), "[1,0]"):
            try:
                found.append(str(await session.select(NEAREST.format("<->"), (value,))))
            except SQLSpecError as error:
                found.append(f"{type(error).__name__}: {error}")
        found.append(repr(await session.select_value("SELECT vector FROM held")))
    return found


@proves("`{flag}` decides this dialect and nothing else: it registers no type handler.")
async def test_the_flag_decides_the_dialect_only(
    server: psqlpy.Connection, make: Any, flag: str
) -> None:
    await server.execute_batch(f"CREATE EXTENSION vector; {HOLD}")
    on, off = make({flag: True}), make({flag: False})
    assert await outcomes(on) == await outcomes(off)
    assert on.statement_config.dialect == "pgvector"
    assert off.statement_config.dialect == "postgres"
    assert on.driver_features.keys() == off.driver_features.keys()


@proves("It defaults to whether the Python package `{package}` is installed, so state it.")
async def test_the_flag_defaults_to_the_package(
    server: psqlpy.Connection, make: Any, request: pytest.FixtureRequest, package: str
) -> None:
    await server.execute_batch("CREATE EXTENSION vector")
    default = make()
    async with default.provide_session():
        assert default.statement_config.dialect == "pgvector"
    assert make().driver_features["enable_pgvector"].module_name == package
    request.getfixturevalue("no_package")
    default = make()
    async with default.provide_session():
        assert default.statement_config.dialect == "postgres"


@proves(
    "Binding and reading vectors need neither the flag nor the package; `pip install pgvector`"
    " cures no error of the server."
)
async def test_vectors_need_no_package(
    server: psqlpy.Connection, make: Any, request: pytest.FixtureRequest
) -> None:
    async def error() -> str:
        async with make().provide_session() as session:
            with pytest.raises(SQLSpecError) as raised:
                await session.select_value("SELECT '[1,0]'::vector")
            return str(raised.value)

    with_package = await error()
    assert 'type "vector" does not exist' in with_package
    request.getfixturevalue("no_package")
    assert await error() == with_package
    await server.execute_batch(f"CREATE EXTENSION vector; {HOLD}")
    plain = make({"enable_pgvector": False})
    assert await ids(plain, "<->") == [1]
    async with plain.provide_session() as session:
        assert list(await session.select_value("SELECT vector FROM held")) == [1.0, 0.0]


@proves(
    "If the extension lives in another schema, put that schema on the `{setting}`; types and"
    " operators are found by name."
)
async def test_the_schema_of_the_extension_must_be_searched(
    server: psqlpy.Connection, make: Any, setting: str
) -> None:
    await server.execute_batch(f"CREATE EXTENSION vector; {HOLD}; CREATE SCHEMA ext")
    await server.execute_batch("ALTER EXTENSION vector SET SCHEMA ext")
    with pytest.raises(SQLSpecError, match="operator does not exist"):
        await ids(make(), "<->")
    async with make().provide_session() as session:
        with pytest.raises(SQLSpecError, match='type "vector" does not exist'):
            await session.select_value("SELECT '[1,0]'::vector")
    elsewhere = make(options=f"-c {setting}=public,ext")
    assert await ids(elsewhere, "<->") == [1]
    async with elsewhere.provide_session() as session:
        assert await session.select_value("SELECT '[1,0]'::vector::text") == "[1,0]"
