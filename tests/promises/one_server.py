"""What the tests of promises and those of the adapter start from: both adapters, on one server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psqlpy_adapter
import pytest
import sqlspec.adapters.psqlpy
from harness import Adapter
from proveskill.servers import Database, Servers, ServerSpec

__all__ = ["adapter", "database", "dsn", "servers"]

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
