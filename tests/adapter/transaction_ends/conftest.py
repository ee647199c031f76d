"""A session with a table of notes, and a client that looks at it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import psqlpy_adapter
import pytest
from ends_tools import ADD


@pytest.fixture
async def session(dsn: str) -> AsyncIterator[Any]:
    config = psqlpy_adapter.PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 1})
    async with config.provide_session() as session:
        await session.execute_script("CREATE TABLE notes (id int)")
        await session.execute(ADD, 0)
        yield session
    await config.close_pool()
