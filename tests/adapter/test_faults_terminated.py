"""pg_terminate_backend in the middle of everything: an error that says so, and nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import psqlpy_adapter
import pyarrow
import pytest
from fault_tools import DEADLINE, observing, terminate, until_at_work
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
async def observer(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    async with observing(dsn) as observer:
        yield observer


@pytest.fixture
async def config(dsn: str) -> AsyncIterator[psqlpy_adapter.PsqlpyConfig]:
    config = psqlpy_adapter.PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    yield config
    # Nothing is lost: both connections can be had at once, and they answer.
    async with (
        asyncio.timeout(DEADLINE),
        config.provide_session() as one,
        config.provide_session() as other,
    ):
        assert await one.select_value("SELECT 1") == 1
        assert await other.select_value("SELECT 1") == 1
    await config.close_pool()


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


async def test_a_channel_is_listened_to_when_its_callback_has_been_added(config, observer):
    pool = await config.provide_pool()
    listener = pool.listener()
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def hear(_connection, payload, _channel, _pid):
        await heard.put(payload)

    await listener.startup()
    try:
        await listener.add_callback("news", hear)
        await observer.execute("SELECT pg_notify('news', 'early')")
        listener.listen()
        assert await asyncio.wait_for(heard.get(), DEADLINE) == "early"
    finally:
        await listener.shutdown()


async def test_a_listener_goes_on_listening(config, observer):
    pool = await config.provide_pool()
    listener = pool.listener()
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def hear(_connection, payload, _channel, _pid):
        await heard.put(payload)

    await listener.startup()
    await listener.add_callback("news", hear)
    listener.listen()
    try:
        await _until_heard(observer, heard, "before")
        found = "SELECT pid FROM pg_stat_activity WHERE query ILIKE 'LISTEN %'"
        await terminate(observer, await observer.fetchval(found))
        await _until_heard(observer, heard, "after")
    finally:
        await listener.shutdown()


async def _until_heard(observer, heard, word):
    async with asyncio.timeout(DEADLINE):
        while True:
            await observer.execute("SELECT pg_notify('news', $1)", word)
            try:
                if await asyncio.wait_for(heard.get(), 0.2) == word:
                    return
            except TimeoutError:
                continue


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


async def test_a_channel_added_to_a_listener_at_work_is_heard_at_once(config, observer):
    """psqlpy listens to it when the next message of another channel comes."""
    listener = (await config.provide_pool()).listener()
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def hear(_connection, payload, _channel, _pid):
        await heard.put(payload)

    await listener.startup()
    await listener.add_callback("news", hear)
    listener.listen()
    try:
        await _until_heard(observer, heard, "before")
        await listener.add_callback("sports", hear)
        await observer.execute("NOTIFY sports, 'won'")
        async with asyncio.timeout(DEADLINE):
            while await heard.get() != "won":
                pass
    finally:
        await listener.shutdown()
