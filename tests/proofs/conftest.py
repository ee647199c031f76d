"""What proofs share: the tools of the tests of the promises can be imported here too."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1] / "promises"))


@pytest.fixture
async def kept(session: Any) -> Any:
    """A session, and an empty table ``kept``."""
    await session.execute("CREATE TABLE IF NOT EXISTS kept (id int PRIMARY KEY, name text)")
    await session.execute("TRUNCATE kept")
    return session


@pytest.fixture
async def other(config: Any) -> AsyncIterator[Any]:
    """A second session."""
    async with config.provide_session() as session:
        yield session


@pytest.fixture
async def silent() -> AsyncIterator[Any]:
    """A server that accepts, and says nothing: `accepted` counts its clients, `dsn` leads there."""
    from silent_tools import Silent

    async with Silent() as server:
        yield server


@pytest.fixture(scope="module")
def dropin_config() -> Iterator[Any]:
    """What the drop-in learns of the types of a database, it learns once for all of a module."""
    from psqlpy_adapter import PsqlpyConfig

    keys = {"dsn": os.environ["DATABASE_URL"], "max_db_pool_size": 2}
    config = PsqlpyConfig(connection_config=keys)
    yield config
    asyncio.run(config.close_pool())


@pytest.fixture
async def dropin(dropin_config: Any) -> AsyncIterator[Any]:
    """An open session of the drop-in, whatever the variant."""
    async with dropin_config.provide_session() as session:
        yield session
