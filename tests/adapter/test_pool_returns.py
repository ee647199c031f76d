"""What a returned connection is asked: nothing, where nothing can have been left open."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from pool_tools import backend
from psqlpy_adapter import PsqlpyConfig
from relay import Relay


@pytest.fixture
async def single(dsn):
    """A pool of one connection, which has been returned once."""
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 1})
    await backend(config)
    yield config
    await config.close_pool()


def state(dsn: str, pid: int) -> tuple[str, str]:
    """The state of a server process, and the last query that it was sent."""
    with psycopg.connect(dsn) as observer:
        query = "SELECT state, query FROM pg_stat_activity WHERE pid = %s"
        return observer.execute(query, [pid]).fetchone()


async def test_a_session_of_queries_is_returned_without_a_question(single, dsn):
    async with single.provide_session() as session:
        pid = await session.select_value("SELECT pg_backend_pid()")
        await session.execute("INSERT INTO users (name) VALUES ($1)", "Alan")
    assert "INSERT INTO users" in state(dsn, pid)[1]
    assert await backend(single) == pid


async def test_an_open_transaction_ends_though_queries_came_after_it(single, dsn):
    async with single.provide_session() as session:
        pid = await session.select_value("SELECT pg_backend_pid()")
        await session.execute("BEGIN")
        await session.execute("INSERT INTO users (name) VALUES ($1)", "Alan")
        await session.select("SELECT 1 AS one")
    assert state(dsn, pid)[0] == "idle"
    async with single.provide_session() as session:
        query = "SELECT count(*) FROM users WHERE name = 'Alan'"
        assert await session.select_value(query) == 0


async def test_a_kept_transaction_object_is_ended_at_every_later_return(single, dsn):
    async with single.provide_session() as session:
        kept = session.connection.transaction()
    async with single.provide_session() as session:
        pid = await session.select_value("SELECT pg_backend_pid()")
        await kept.begin()
        await session.select("SELECT 1 AS one")
    assert await backend(single) != pid


async def test_a_batch_is_part_of_a_transaction_begun_on_the_connection_itself(single):
    """Though the batch before it has shown that none was open."""
    insert = "INSERT INTO users (name) VALUES ($1)"
    async with single.provide_session() as session:
        await session.execute_many(insert, [("one",), ("two",)])
        await session.connection.execute("BEGIN")
        await session.execute_many(insert, [("three",), ("four",)])
        await session.connection.execute("ROLLBACK")
        query = "SELECT count(*) FROM users WHERE name = ANY ($1)"
        assert await session.select_value(query, (["one", "two", "three", "four"],)) == 2


async def test_a_session_with_a_cancelled_query_is_reset(single, dsn):
    async with single.provide_session() as session:
        pid = await session.select_value("SELECT pg_backend_pid()")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await session.select("SELECT pg_sleep($1)", 60.0)
    assert state(dsn, pid) == ("idle", "BEGIN; ROLLBACK")


class SlowRelay(Relay):
    """A link on which every chunk takes a while."""

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65536):
            await asyncio.sleep(0.02)
            writer.write(chunk)
        writer.close()


async def test_queries_over_a_slow_link_share_a_statement_all_the_same(dsn):
    """How long the way takes says nothing of how long the server works."""
    query = "SELECT name FROM users WHERE id = $1"
    async with SlowRelay.before(dsn) as relay:
        config = PsqlpyConfig(connection_config={"dsn": relay.dsn(dsn), "max_db_pool_size": 1})
        async with config.provide_session() as session:
            pid = await session.select_value("SELECT pg_backend_pid()")
            assert await session.select_value(query, 1) == "Ada"
            runs = (session.select_value(query, number) for number in (1, 2, 3, 1, 2, 3))
            assert await asyncio.gather(*runs) == ["Ada", "Grace", "Linus"] * 2
            assert "unnest" in state(dsn, pid)[1]
        await config.close_pool()
