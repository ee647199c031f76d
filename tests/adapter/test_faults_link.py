"""A link that is cut in the middle of a statement: the peer takes bytes and stays silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psqlpy_adapter
import pytest
from fault_tools import Link, observing, until_at_work
from sqlspec.exceptions import DatabaseConnectionError, QueryTimeoutError, SQLSpecError

SLEEP = "SELECT pg_sleep(1)::text"


@pytest.fixture
async def link(dsn: str) -> AsyncIterator[Link]:
    async with Link(dsn) as link:
        yield link


@pytest.fixture
async def config(link: Link) -> AsyncIterator[Any]:
    config = psqlpy_adapter.PsqlpyConfig(
        connection_config={
            "dsn": link.dsn,
            "max_db_pool_size": 2,
            "connect_timeout_sec": 2,
            "statement_timeout_sec": 1,
        }
    )
    yield config
    await config.close_pool()


async def begin_to_sleep(session: Any, observer: Any) -> asyncio.Task[Any]:
    task = asyncio.create_task(session.select(SLEEP.replace("1", "0.8", 1)))
    await until_at_work(observer, session.checkout.backend_pid, "pg_sleep")
    return task


async def test_the_statement_ends_by_the_clients_own_limit(config, link, dsn):
    async with observing(dsn) as observer, config.provide_session() as session:
        task = await begin_to_sleep(session, observer)
        link.is_cut = True
        async with asyncio.timeout(15):
            with pytest.raises((QueryTimeoutError, DatabaseConnectionError)):
                await task


async def test_a_cancelled_statement_ends_although_nobody_answers(config, link, dsn):
    async with observing(dsn) as observer, config.provide_session() as session:
        task = await begin_to_sleep(session, observer)
        link.is_cut = True
        async with asyncio.timeout(5):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task


async def test_the_pool_is_usable_when_the_link_is_back(config, link, dsn):
    async with observing(dsn) as observer:
        async with config.provide_session() as session:
            task = await begin_to_sleep(session, observer)
            link.is_cut = True
            with pytest.raises(SQLSpecError):
                await task
        link.is_cut = False
        async with (
            asyncio.timeout(15),
            config.provide_session() as one,
            config.provide_session() as other,
        ):
            assert await one.select_value("SELECT 1") == 1
            assert await other.select_value("SELECT 2") == 2


async def test_a_commit_that_nobody_answers_is_of_unknown_outcome(config, link, dsn):
    async with observing(dsn) as observer, config.provide_session() as session:
        await session.begin()
        await session.execute("INSERT INTO users (name) VALUES ('Perhaps')")
        link.is_cut = True
        async with asyncio.timeout(15):
            with pytest.raises(psqlpy_adapter.errors.CommitOutcomeUnknownError):
                await session.commit()
        assert await observer.fetchval("SELECT count(*) FROM users WHERE name = 'Perhaps'") == 0
