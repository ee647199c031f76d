"""The adapters and the servers of the adapter's own tests: as in tests/promises, one server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import psqlpy_adapter
import pytest
from copying_tools import ITEMS
from fault_tools import observing
from harness import Adapter
from one_server import *  # noqa: F403 - the fixtures
from psqlpy_adapter.copying import source as slicing


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
async def observer(dsn: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A client of another kind, which looks at the server."""
    async with observing(dsn) as observer:
        yield observer


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
