"""pg_terminate_backend in the middle of everything: an error that says so, and nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psqlpy_adapter
import pyarrow
import pytest
from fault_tools import terminate, until_at_work, whole_pool
from psqlpy_adapter.errors import CommitOutcomeUnknownError
from sqlspec.exceptions import DatabaseConnectionError

SLOW_INSERTS = """
CREATE TABLE slow (n bigint);
CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep(0.2); RETURN NEW; END $$;
CREATE TRIGGER wait BEFORE INSERT ON slow FOR EACH ROW EXECUTE FUNCTION wait();
"""
SLOW_COMMIT = """
CREATE TABLE slow (n bigint);
CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep(30); RETURN NEW; END $$;
CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON slow
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait();
"""


@pytest.fixture
async def config(dsn: str) -> AsyncIterator[psqlpy_adapter.PsqlpyConfig]:
    async with whole_pool(dsn) as config:
        yield config


async def test_a_query_fails_with_a_connection_error(config, observer):
    async with config.provide_session() as session:
        pid = session.checkout.backend_pid
        task = asyncio.create_task(session.select("SELECT pg_sleep(30)::text"))
        await until_at_work(observer, pid, "pg_sleep")
        await terminate(observer, pid)
        with pytest.raises(DatabaseConnectionError, match="administrator command"):
            await task
        with pytest.raises(DatabaseConnectionError):
            await session.select("SELECT 1")


async def test_a_load_fails_and_leaves_no_row(config, observer):
    await observer.execute(SLOW_INSERTS)
    async with config.provide_session() as session:
        pid = session.checkout.backend_pid
        rows = pyarrow.table({"n": list(range(100))})
        task = asyncio.create_task(session.load_from_arrow("slow", rows))
        await until_at_work(observer, pid, "COPY")
        await terminate(observer, pid)
        with pytest.raises(DatabaseConnectionError):
            await task
    assert await observer.fetchval("SELECT count(*) FROM slow") == 0


async def test_a_stream_of_batches_fails_in_the_middle_and_leaves_the_old_rows(config, observer):
    await observer.execute("CREATE TABLE taken (n bigint); INSERT INTO taken VALUES (-1)")
    async with config.provide_session() as session:
        pid = session.checkout.backend_pid
        sent = []

        async def progress(rows, _):
            sent.append(rows)
            if len(sent) == 2:
                await terminate(observer, pid)

        batches = (pyarrow.record_batch({"n": range(n, n + 200_000)}) for n in range(0, 10**6, 10))
        with pytest.raises(DatabaseConnectionError):
            await session.load_from_arrow("taken", batches, overwrite=True, progress=progress)
        assert len(sent) == 2
    assert await observer.fetchval("SELECT array_agg(n) FROM taken") == [-1]


async def test_execute_many_fails_and_leaves_no_row(config, observer):
    await observer.execute(SLOW_INSERTS)
    async with config.provide_session() as session:
        pid = session.checkout.backend_pid
        rows = [(n,) for n in range(100)]
        task = asyncio.create_task(session.execute_many("INSERT INTO slow VALUES ($1)", rows))
        await until_at_work(observer, pid, "INSERT")
        await terminate(observer, pid)
        with pytest.raises(DatabaseConnectionError):
            await task
    assert await observer.fetchval("SELECT count(*) FROM slow") == 0


async def test_a_transaction_fails_by_the_error_of_its_statement(config, observer):
    async def work():
        async with config.provide_session() as session, session.transaction():
            await session.execute("INSERT INTO users (name) VALUES ('Lost')")
            pid = session.checkout.backend_pid
            await terminate(observer, pid)
            await session.execute("INSERT INTO users (name) VALUES ('Lost')")

    with pytest.raises(DatabaseConnectionError):
        await work()
    assert await observer.fetchval("SELECT count(*) FROM users WHERE name = 'Lost'") == 0


async def test_a_commit_that_was_under_way_is_of_unknown_outcome(config, observer):
    await observer.execute(SLOW_COMMIT)
    async with config.provide_session() as session:
        pid = session.checkout.backend_pid
        await session.begin()
        await session.execute("INSERT INTO slow VALUES (1)")
        task = asyncio.create_task(session.commit())
        await until_at_work(observer, pid, "COMMIT")
        await terminate(observer, pid)
        with pytest.raises(CommitOutcomeUnknownError, match="unknown"):
            await task


async def test_a_commit_on_a_connection_known_to_be_lost_is_of_known_outcome(config, observer):
    async with config.provide_session() as session:
        await session.begin()
        await session.execute("INSERT INTO users (name) VALUES ('Lost')")
        await terminate(observer, session.checkout.backend_pid)
        with pytest.raises(DatabaseConnectionError):
            await session.select("SELECT 1")
        with pytest.raises(DatabaseConnectionError) as caught:
            await session.commit()
        assert not isinstance(caught.value, CommitOutcomeUnknownError)


async def test_a_stream_fails_with_a_connection_error(config, observer):
    async def read(session):
        async with session.transaction():
            async for row in session.select_stream(
                "SELECT n FROM generate_series(1, 1000) AS n", chunk_size=10
            ):
                if row["n"] == 15:
                    await terminate(observer, session.checkout.backend_pid)

    async with config.provide_session() as session:
        with pytest.raises(DatabaseConnectionError):
            await read(session)


async def test_an_idle_connection_of_the_pool_is_replaced(config, observer):
    async with config.provide_session() as session:
        pid = session.checkout.backend_pid
    await terminate(observer, pid)
    async with config.provide_session() as session:
        assert await session.select_value("SELECT 1") == 1
        assert session.checkout.backend_pid != pid


async def test_sessions_are_ended_at_random_and_every_acknowledged_row_is_there(config, observer):
    await observer.execute("CREATE TABLE kept (n int PRIMARY KEY)")
    numbers = iter(range(2000))
    acknowledged: set[int] = set()
    doubtful: set[int] = set()
    is_over = False

    async def insert():
        for number in numbers:
            try:
                async with config.provide_session() as session:
                    await session.execute("INSERT INTO kept VALUES ($1)", number)
            except DatabaseConnectionError:
                doubtful.add(number)
            else:
                acknowledged.add(number)

    async def disturb():
        victims = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND state = 'active' LIMIT 1"
        )
        while not is_over:
            await observer.execute(victims)
            await asyncio.sleep(0.02)

    disturber = asyncio.create_task(disturb())
    async with asyncio.timeout(90):
        await asyncio.gather(*(insert() for _ in range(4)))
    is_over = True
    await disturber
    stored = {row["n"] for row in await observer.fetch("SELECT n FROM kept")}
    assert acknowledged <= stored <= acknowledged | doubtful
    assert acknowledged | doubtful == set(range(2000))
    assert doubtful
