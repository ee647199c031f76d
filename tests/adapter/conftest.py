"""The adapters and the servers of the adapter's own tests: as in tests/promises, one server."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import psqlpy_adapter
import pytest
import sqlspec.adapters.psqlpy
from copying_tools import ITEMS
from harness import Adapter
from proveskill.servers import Database, Servers, ServerSpec
from psqlpy_adapter.copying import source as slicing

SCHEMA = Path(__file__).parents[2] / "examples" / "schema.sql"
ADAPTERS = {
    "stock": Adapter("stock", sqlspec.adapters.psqlpy),
    "bundled": Adapter("bundled", psqlpy_adapter),
}


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    server = os.environ.get("ADAPTER_TEST_SERVER", "embedded")
    with Servers(ServerSpec(server, extensions=("vector",), schema=SCHEMA)) as servers:
        yield servers


@pytest.fixture
def database(servers: Servers) -> Iterator[Database]:
    """A fresh database with the sample schema of the guidance."""
    database = servers.create_database()
    yield database
    servers.drop_database(database)


@pytest.fixture
def dsn(database: Database) -> str:
    return database.url


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> Adapter:
    return ADAPTERS[request.param]


@pytest.fixture
async def make_config(adapter: Adapter, dsn: str) -> AsyncIterator[Callable[..., Any]]:
    """Make a config on the test's database; `pool` overrides its keys. Closed after the test."""
    async with AsyncExitStack() as stack:

        def make(pool: dict[str, Any] | None = None, **arguments: Any) -> Any:
            connection_config = {"dsn": dsn, "max_db_pool_size": 4} | (pool or {})
            config = adapter.config(connection_config=connection_config, **arguments)
            stack.push_async_callback(config.close_pool)
            return config

        yield make


@pytest.fixture
async def config(make_config: Callable[..., Any]) -> Any:
    return make_config()


@pytest.fixture
async def session(config: Any) -> AsyncIterator[Any]:
    async with config.provide_session() as session:
        yield session


@pytest.fixture
async def items(session) -> None:
    """The table that loads fill."""
    await session.execute_script(ITEMS)


@pytest.fixture
def small_slices(monkeypatch) -> None:
    """Loads go in slices of 100 rows."""
    monkeypatch.setattr(slicing, "SLICE_ROWS", 100)


@pytest.fixture
async def small(dsn: str) -> AsyncIterator[psqlpy_adapter.PsqlpyConfig]:
    """A configuration of two connections."""
    config = psqlpy_adapter.PsqlpyConfig(
        connection_config={"dsn": dsn, "max_db_pool_size": 2, "pool_timeout_sec": 10}
    )
    yield config
    await config.close_pool()
