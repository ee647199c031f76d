"""What is awaited beside a stream: the stream's own transaction holds nothing of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psqlpy_adapter
import pyarrow as pa
import pytest
from fault_tools import until_at_work
from sqlspec.exceptions import SQLSpecError

NUMBERS = "SELECT g FROM generate_series(1, 5000) AS g"
FAILING = "SELECT 10 / (2500 - g) AS q FROM generate_series(1, 5000) AS g"


@pytest.fixture
async def session(dsn: str) -> AsyncIterator[Any]:
    config = psqlpy_adapter.PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 1})
    async with config.provide_session() as session:
        await session.execute_script("CREATE TABLE notes (id int)")
        yield session
    await config.close_pool()


async def stored(observer: Any) -> list[int]:
    return [row["id"] for row in await observer.fetch("SELECT id FROM notes ORDER BY id")]


async def first_row(session: Any) -> Any:
    async for row in session.select_stream(NUMBERS, chunk_size=100):
        return row
    return None


async def whole(session: Any, sql: str = NUMBERS) -> int:
    return len([row async for row in session.select_stream(sql, chunk_size=100)])


async def closed_early(session: Any) -> None:
    async with session.select_stream(NUMBERS, chunk_size=10) as stream:
        await anext(aiter(stream))


async def failing(session: Any) -> None:
    await whole(session, FAILING)


async def timed_out(session: Any) -> None:
    slow = "SELECT g, pg_sleep(0.03) FROM generate_series(1, 300) AS g"
    async with asyncio.timeout(0.1):
        async for _ in session.select_stream(slow, chunk_size=1):
            pass


async def block(session: Any) -> None:
    async with session.transaction():
        await session.execute("INSERT INTO notes VALUES (1)")


WRITES = {
    "execute": lambda s: s.execute("INSERT INTO notes VALUES ($1)", 1),
    "execute without parameters": lambda s: s.execute("INSERT INTO notes VALUES (1)"),
    "execute_many": lambda s: s.execute_many("INSERT INTO notes VALUES ($1)", [(1,)]),
    "execute_script": lambda s: s.execute_script("INSERT INTO notes VALUES (1)"),
    "RETURNING": lambda s: s.select_value("INSERT INTO notes VALUES (1) RETURNING id"),
    "load_from_arrow": lambda s: s.load_from_arrow("notes", pa.table({"id": [1]})),
    "transaction": block,
}
STREAMS = [first_row, whole, closed_early, failing, timed_out]


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.__name__)
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_a_write_awaited_beside_the_opening_of_a_stream_is_stored(
    session, observer, stream, write
):
    _, done = await asyncio.gather(stream(session), write(session), return_exceptions=True)
    assert not isinstance(done, BaseException)
    assert await stored(observer) == [1]


async def test_a_prepared_write_awaited_beside_the_opening_of_a_stream_is_stored(session, observer):
    await session.execute("INSERT INTO notes VALUES ($1)", 0)
    await asyncio.gather(first_row(session), session.execute("INSERT INTO notes VALUES ($1)", 1))
    assert await stored(observer) == [0, 1]


async def test_a_stream_beside_a_block_that_fails_stores_nothing_of_it(session, observer):
    async def fail() -> None:
        async with session.transaction():
            await session.execute("INSERT INTO notes VALUES (1)")
            await until_read.wait()
            raise LookupError

    async def read() -> int:
        count = await whole(session)
        until_read.set()
        return count

    until_read = asyncio.Event()
    read_rows, failure = await asyncio.gather(read(), fail(), return_exceptions=True)
    assert read_rows == 5000
    assert isinstance(failure, LookupError)
    assert await stored(observer) == []


async def test_streams_awaited_at_once_give_all_their_rows(session):
    assert await asyncio.gather(*(whole(session) for _ in range(3))) == [5000] * 3


async def test_a_stream_that_ends_after_its_transaction_harms_no_later_one(session, observer):
    async with session.transaction():
        stream = session.select_stream(NUMBERS, chunk_size=10)
        await anext(aiter(stream))
    async with session.transaction():
        await session.execute("INSERT INTO notes VALUES (1)")
        await stream.aclose()
    assert await stored(observer) == [1]


async def test_a_stream_cancelled_while_it_waits_for_its_turn_leaves_no_transaction(
    session, observer
):
    """The turn that it waits for is that of a statement which was cancelled as well."""
    pid = session.checkout.backend_pid
    stream = session.select_stream(NUMBERS, chunk_size=10)
    await anext(aiter(stream))
    lane = session.lane
    reached, release = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with lane.shared(guest=stream_source(session)):
            reached.set()
            await release.wait()

    holder = asyncio.create_task(hold())
    await reached.wait()
    writer = asyncio.create_task(session.execute("INSERT INTO notes VALUES (1)"))
    reader = asyncio.create_task(read_on(stream))
    await asyncio.sleep(0)
    reader.cancel()
    writer.cancel()
    await asyncio.gather(writer, reader, return_exceptions=True)
    release.set()
    await holder
    await session.execute("INSERT INTO notes VALUES (2)")
    assert await stored(observer) == [2]
    assert await observer.fetchval("SELECT state FROM pg_stat_activity WHERE pid = $1", pid) == (
        "idle"
    )


def stream_source(session: Any) -> Any:
    return session.lane.guest


async def read_on(stream: Any) -> None:
    async for _ in stream:
        pass


async def test_a_stream_whose_rows_cannot_be_set_aside_says_so(session, observer):
    """The write that made the server compute them is cancelled, and the stream ends."""
    slow = "SELECT g, pg_sleep(0.001) FROM generate_series(1, 100000) AS g"
    stream = session.select_stream(slow, chunk_size=1)
    await anext(aiter(stream))
    task = asyncio.create_task(session.execute("INSERT INTO notes VALUES (1)"))
    await until_at_work(observer, session.checkout.backend_pid, "COMMIT")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(SQLSpecError, match="the stream has ended"):
        await read_on(stream)
    assert await stored(observer) == []


async def test_a_stream_that_is_left_without_a_word_is_not_read_to_its_end(session):
    """Its rows would take minutes to be set aside for the statement that follows."""
    async for _ in session.select_stream(
        "SELECT g, pg_sleep(0.01) FROM generate_series(1, 30000) AS g", chunk_size=1
    ):
        break
    async with asyncio.timeout(5):
        assert await session.select_value("SELECT 42") == 42


@pytest.mark.parametrize("begun", [False, True], ids=["new", "begun"])
@pytest.mark.parametrize("sql", [NUMBERS, f"WITH x AS (SELECT 1) {NUMBERS}"])
async def test_two_tasks_that_read_one_stream_are_told(session, sql, begun):
    stream = session.select_stream(sql, chunk_size=10)
    if begun:
        await anext(aiter(stream))
    failures = await asyncio.gather(read_on(stream), read_on(stream), return_exceptions=True)
    for failure in failures:
        assert isinstance(failure, SQLSpecError)
        assert "two tasks read one stream" in str(failure)
    assert await whole(session) == 5000


async def test_a_stream_read_in_a_later_transaction_does_that_no_harm(session, observer):
    async with session.transaction():
        stream = session.select_stream(NUMBERS, chunk_size=10)
        await anext(aiter(stream))
    async with session.transaction():
        await session.execute("INSERT INTO notes VALUES (1)")
        with pytest.raises(SQLSpecError, match="the transaction in which this stream was begun"):
            await read_on(stream)
    assert await stored(observer) == [1]
