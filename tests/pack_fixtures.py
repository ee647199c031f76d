"""Names that fences may use without defining them: what a reader's own program has.

The engine supplies them to a section whose text uses such a name and does not define it. They
are ordinary pytest fixtures on the adapter of the variant.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlspec.adapters.psqlpy import PsqlpyConfig, PsqlpyDriver


@pytest.fixture
def dsn() -> str:
    """The address of the section's database, as a program reads it from its environment."""
    return os.environ["DATABASE_URL"]


@pytest.fixture
async def config(dsn: str) -> AsyncIterator[PsqlpyConfig]:
    """A configuration with a small pool."""
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 4})
    yield config
    await config.close_pool()


@pytest.fixture
async def session(config: PsqlpyConfig) -> AsyncIterator[PsqlpyDriver]:
    """An open session of that configuration."""
    async with config.provide_session() as session:
        yield session


@pytest.fixture
def user_id() -> int:
    """The id of a user of the sample schema: Ada."""
    return 1


@pytest.fixture
async def dropin(dsn: str) -> AsyncIterator[Any]:
    """An open session of the drop-in, ``psqlpy_adapter.PsqlpyConfig``, whatever the variant."""
    from psqlpy_adapter import PsqlpyConfig as DropIn

    config = DropIn(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    async with config.provide_session() as session:
        yield session
    await config.close_pool()
