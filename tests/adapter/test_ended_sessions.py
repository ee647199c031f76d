"""A session is of no use after its end: a task that outlives it writes into nobody else's."""

import asyncio

import psqlpy
import psycopg
import pytest
from psqlpy_adapter import PsqlpyConfig
from sqlspec.exceptions import DatabaseConnectionError, OperationCancelledError

ENDED = "this session has ended"


@pytest.fixture
async def single(dsn):
    """A configuration whose sessions all have the same connection."""
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 1})
    async with config.provide_session() as session:
        await session.execute_script("CREATE TABLE notes (x text)")
    yield config
    await config.close_pool()


async def stored(config):
    async with config.provide_session() as session:
        return [row["x"] for row in await session.select("SELECT x FROM notes ORDER BY x")]


async def select_stream(session):
    async with session.select_stream("SELECT x FROM notes") as stream:
        return [row async for row in stream]


async def transact(session):
    async with session.transaction():
        pass


USES = {
    "execute": lambda s: s.execute("INSERT INTO notes VALUES ('late')"),
    "execute with parameters": lambda s: s.execute("INSERT INTO notes VALUES ($1)", "late"),
    "execute_many": lambda s: s.execute_many("INSERT INTO notes VALUES ($1)", [("late",)]),
    "execute_script": lambda s: s.execute_script("INSERT INTO notes VALUES ('late')"),
    "select": lambda s: s.select("SELECT x FROM notes"),
    "select_stream": select_stream,
    "select_to_arrow": lambda s: s.select_to_arrow("SELECT x FROM notes"),
    "load_from_records": lambda s: s.load_from_records("notes", [{"x": "late"}]),
    "begin": lambda s: s.begin(),
    "commit": lambda s: s.commit(),
    "rollback": lambda s: s.rollback(),
    "transaction": transact,
    "connection": lambda s: s.connection.execute("INSERT INTO notes VALUES ('late')"),
}


@pytest.mark.parametrize("known", [False, True], ids=["new", "run before"])
@pytest.mark.parametrize("use", USES.values(), ids=USES)
async def test_a_use_after_the_end_is_refused(single, use, known):
    async with single.provide_session() as old:
        if known and use not in (USES["commit"], USES["rollback"]):
            await use(old)
            await old.rollback()
    before = await stored(single)
    async with single.provide_session() as new:
        await new.begin()
        await new.execute("INSERT INTO notes VALUES ('mine')")
        with pytest.raises(DatabaseConnectionError, match=ENDED):
            await use(old)
        await new.commit()
    assert await stored(single) == sorted([*before, "mine"])


async def test_a_raw_connection_that_was_kept_is_refused(single):
    async with single.provide_session() as session:
        kept, fetch = session.connection, "SELECT 1 AS one"
        assert isinstance(kept, psqlpy.Connection)
        assert (await kept.fetch(fetch)).result() == [{"one": 1}]
    async with single.provide_connection() as connection:
        assert isinstance(connection, psqlpy.Connection)
        assert (await connection.fetch(fetch)).result() == [{"one": 1}]
        with pytest.raises(AttributeError):
            _ = connection.nonsense
    async with single.connection_instance.acquire() as acquired:
        assert (await acquired.fetch(fetch)).result() == [{"one": 1}]
    for ended in (kept, connection, acquired):
        with pytest.raises(DatabaseConnectionError, match=ENDED):
            await ended.fetch(fetch)
        with pytest.raises(DatabaseConnectionError, match=ENDED):
            ended.transaction()
        with pytest.raises(DatabaseConnectionError, match=ENDED):
            ended.close()


async def test_a_background_task_does_not_write_into_the_next_transaction(single):
    go = asyncio.Event()

    async def later(session):
        await go.wait()
        await session.execute("INSERT INTO notes VALUES ('audit')")

    async with single.provide_session() as session:
        task = asyncio.create_task(later(session))
    async with single.provide_session() as session:
        await session.begin()
        go.set()
        with pytest.raises(DatabaseConnectionError, match=ENDED):
            await task
        await session.rollback()
    assert await stored(single) == []


async def test_a_statement_under_way_at_the_end_is_waited_for(single):
    async with single.provide_session() as session:
        backend = await session.select_value("SELECT pg_backend_pid()")
        await session.select("SELECT pg_sleep($1)", 0.0)
        sql = "INSERT INTO notes SELECT 'slow' FROM pg_sleep($1)"
        await session.execute(sql, 0.0)
        task = asyncio.create_task(session.execute(sql, 0.2))
        waiting = asyncio.create_task(session.execute_script("INSERT INTO notes VALUES ('next')"))
        await asyncio.sleep(0)
    assert (await task).rows_affected == 1
    with pytest.raises(DatabaseConnectionError, match=ENDED):
        await waiting
    assert await stored(single) == ["slow", "slow"]
    async with single.provide_session() as session:
        assert await session.select_value("SELECT pg_backend_pid()") == backend


async def test_a_long_statement_under_way_at_the_end_is_cancelled(single, dsn):
    async with single.provide_session() as session:
        backend = await session.select_value("SELECT pg_backend_pid()")
        task = asyncio.create_task(
            session.execute_script("SELECT pg_sleep(60); INSERT INTO notes VALUES ('slow')")
        )
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        with pytest.raises(OperationCancelledError, match="the session ended"):
            await task
    assert await stored(single) == []
    async with single.provide_session() as session:
        assert await session.select_value("SELECT pg_backend_pid()") == backend
    with psycopg.connect(dsn) as other:
        found = other.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid = %s", [backend]
        )
        assert found.fetchone() == (0,)


async def test_the_statements_of_a_gather_that_was_left_are_all_answered(single):
    sql = "SELECT x FROM notes WHERE x = $1"
    async with single.provide_session() as session:
        await session.select(sql, "a")
        tasks = [asyncio.create_task(session.select(sql, str(n))) for n in range(20)]
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(
        answer == [] or (isinstance(answer, DatabaseConnectionError) and ENDED in str(answer))
        for answer in answers
    )


@pytest.mark.parametrize("detached", [False, True])
async def test_a_stream_that_outlives_its_session_closes_quietly(single, detached):
    rows = "SELECT g FROM generate_series(1, 100) g"
    async with single.provide_session() as session:
        await session.execute("SELECT 1")
        stream = session.select_stream(rows, chunk_size=10)
        await stream.__aenter__()
        assert (await anext(stream))["g"] == 1
        if detached:
            await session.execute("INSERT INTO notes VALUES ('beside')")
    async with single.provide_session() as session:
        await session.begin()
        await session.execute("INSERT INTO notes VALUES ('mine')")
        with pytest.raises(DatabaseConnectionError, match=ENDED):
            async for _ in stream:
                pass
        await stream.aclose()
        await session.rollback()
    assert await stored(single) == ["beside"] * detached
    async with single.provide_session() as session:
        async with session.select_stream(rows, chunk_size=10) as again:
            assert len([row async for row in again]) == 100
        left = "SELECT count(*) FROM pg_cursors WHERE name LIKE 'psqlpy_adapter%'"
        assert await session.select_value(left) == 0


async def test_a_cancelled_block_ends_its_session_too(single):
    async def block():
        async with single.provide_session() as session:
            kept.append(session)
            began.set()
            await asyncio.Event().wait()

    kept, began = [], asyncio.Event()
    task = asyncio.create_task(block())
    await began.wait()
    task.cancel()
    await asyncio.wait({task})
    with pytest.raises(DatabaseConnectionError, match=ENDED):
        await kept[0].select("SELECT 1")
    assert await stored(single) == []
