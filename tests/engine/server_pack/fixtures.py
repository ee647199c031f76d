"""Fixtures of the pack that the server cases belong to."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from sqlspec.adapters.psqlpy import PsqlpyConfig, PsqlpyDriver


@pytest.fixture
def dsn() -> str:
    return os.environ["DATABASE_URL"]


@pytest.fixture
async def session(dsn: str) -> AsyncIterator[PsqlpyDriver]:
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    async with config.provide_session() as session:
        yield session
    await config.close_pool()


@pytest.fixture
def connection(dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def answer() -> int:
    return 42


@pytest.fixture
def broken() -> int:
    raise LookupError("no such thing")


@pytest.fixture
def needs_broken(broken: int) -> int:
    return broken


@pytest.fixture
def badly_closed() -> Iterator[int]:
    yield 1
    raise RuntimeError("cannot close")


@pytest.fixture
async def badly_closed_later() -> AsyncIterator[int]:
    yield 1
    raise RuntimeError("cannot close it either")


@pytest.fixture
def trace() -> Iterator[list[str]]:
    """Torn down last: what is not in the right order then, fails."""
    seen: list[str] = []
    yield seen
    assert seen == ["inner closed"], seen


@pytest.fixture
def inner(trace: list[str]) -> Iterator[list[str]]:
    yield trace
    trace.append("inner closed")


def not_a_fixture() -> int:
    return 1
