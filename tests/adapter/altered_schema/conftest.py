"""Sessions of one program, and a stranger that alters its tables."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import psqlpy
import pytest
from altered_tools import ADD, TABLE
from psqlpy_adapter import PsqlpyConfig, freshness


@pytest.fixture
def config(small: PsqlpyConfig) -> PsqlpyConfig:
    return small


@pytest.fixture
async def session(config: Any) -> AsyncIterator[Any]:
    async with config.provide_session() as session:
        await session.execute(TABLE)
        await session.execute(ADD, date(2026, 1, 1), 1)
        await session.execute(ADD, date(2026, 1, 1), 1)
        yield session


@pytest.fixture
async def stranger(dsn: str) -> AsyncIterator[psqlpy.Connection]:
    """A connection of another program, as far as the adapter can know."""
    connection = await psqlpy.connect(dsn)
    yield connection
    connection.close()


@pytest.fixture
def impatient(monkeypatch):
    """The catalogue is asked before each statement."""
    monkeypatch.setattr(freshness.Freshness, "is_due", lambda self: True)


@pytest.fixture
def unseen(monkeypatch):
    """As if DDL had just been done elsewhere: the catalogue is not asked in this test."""
    monkeypatch.setattr(freshness.Freshness, "is_due", lambda self: False)
