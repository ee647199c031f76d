"""The adapters and the servers of the promise tests, and the table of `make promises`."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import Adapter
from one_server import *  # noqa: F403 - the fixtures
from table import Table

pytest.register_assert_rewrite("recycling", "roundtrips")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--promises", action="store_true", help="print the table of the promises")
    parser.addoption("--promises-json", type=Path, metavar="FILE", help="store it as JSON, too")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--promises", False):
        table = Table(config.getoption("--promises-json"))
        config.pluginmanager.register(table, "promises-table")


@pytest.fixture
async def config(adapter: Adapter, dsn: str):
    config = adapter.config(connection_config={"dsn": dsn, "max_db_pool_size": 4})
    yield config
    await config.close_pool()


@pytest.fixture
async def session(config):
    async with config.provide_session() as session:
        yield session
