"""The adapters and the servers of the promise tests, and the table of `make promises`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psqlpy_adapter
import pytest
import sqlspec.adapters.psqlpy
from harness import Adapter
from proveskill.servers import Database, Servers, ServerSpec
from table import Table

pytest.register_assert_rewrite("recycling", "roundtrips")

SCHEMA = Path(__file__).parents[2] / "examples" / "schema.sql"
ADAPTERS = {
    "stock": Adapter("stock", sqlspec.adapters.psqlpy),
    "bundled": Adapter("bundled", psqlpy_adapter),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--promises", action="store_true", help="print the table of the promises")
    parser.addoption("--promises-json", type=Path, metavar="FILE", help="store it as JSON, too")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--promises", False):
        table = Table(config.getoption("--promises-json"))
        config.pluginmanager.register(table, "promises-table")


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
async def config(adapter: Adapter, dsn: str):
    config = adapter.config(connection_config={"dsn": dsn, "max_db_pool_size": 4})
    yield config
    await config.close_pool()


@pytest.fixture
async def session(config):
    async with config.provide_session() as session:
        yield session
