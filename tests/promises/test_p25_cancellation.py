"""P25: a cancelled statement ends on the server, and its connection is clean before it is lent."""

import asyncio
import sys
from contextlib import suppress

import pytest
from apart import apart
from harness import Breaks, promise
from observing import until_asleep
from sqlspec.exceptions import TransactionError

SLEEP = "SELECT pg_sleep($1::int * 0.001)::text AS slept"
# From its second execution on, SQLSpec sends a statement on another path, where stock breaks.
AGAIN = Breaks(TypeError, "Coroutine.throw() takes 1 positional argument")


async def pid_of(session):
    return await session.select_value("SELECT pg_backend_pid()")


async def is_at_work(observer, pid):
    # What SQLSpec's compiled frames leave behind would spoil the next statements.
    assert sys.exc_info()[1] is None
    # The pool's own clean-up of a returned connection is no leftover.
    busy = "state = 'active' AND query NOT LIKE 'BEGIN; ROLLBACK%'"
    query = f"SELECT {busy} FROM pg_stat_activity WHERE pid = $1"
    return await observer.select_value_or_none(query, pid) is True


@pytest.fixture
async def observer(dsn):
    """A session of the stock adapter on a pool of its own."""
    from sqlspec.adapters.psqlpy import PsqlpyConfig

    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    async with config.provide_session() as session:
        yield session
    await config.close_pool()


@promise("P25", stock=AGAIN)
@apart
async def test_cancel_raises_cancelled_error_and_stops_the_server(adapter, dsn, session, observer):
    await session.select(SLEEP, 0)
    await session.select(SLEEP, 0)
    pid = await pid_of(session)
    task = asyncio.create_task(session.select(SLEEP, 30_000))
    await until_asleep(observer, pid)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not await is_at_work(observer, pid)


@promise("P25", stock=Breaks(AssertionError))
@apart
async def test_the_first_execution_is_stopped_too(adapter, dsn, session, observer):
    pid = await pid_of(session)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(session.select(SLEEP, 3_000), 0.3)
    assert not await is_at_work(observer, pid)


@promise("P25", stock=AGAIN)
@apart
async def test_wait_for_raises_timeout_error(adapter, dsn, session, observer):
    for _ in range(3):
        await session.select(SLEEP, 0)
    pid = await pid_of(session)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(session.select(SLEEP, 3_000), 0.2)
        assert not await is_at_work(observer, pid)


@promise("P25", stock=AGAIN)
@apart
async def test_asyncio_timeout_raises_timeout_error(adapter, dsn, session, observer):
    await session.select(SLEEP, 0)
    pid = await pid_of(session)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await session.select(SLEEP, 3_000)
    assert not await is_at_work(observer, pid)


@promise("P25", stock=Breaks(AssertionError))
@apart
async def test_a_failing_sibling_in_a_task_group_stops_the_statement(
    adapter, dsn, session, observer
):
    await session.select(SLEEP, 0)
    pid = await pid_of(session)

    async def fail():
        await until_asleep(observer, pid)
        raise LookupError

    async def run():
        async with asyncio.TaskGroup() as group:
            group.create_task(session.select(SLEEP, 30_000))
            group.create_task(fail())

    with pytest.raises(ExceptionGroup) as caught:
        await run()
    assert [type(error) for error in caught.value.exceptions] == [LookupError]
    assert not await is_at_work(observer, pid)


@promise("P25", stock=AGAIN)
@apart
async def test_the_session_can_be_used_at_once_after_a_timeout(adapter, dsn, session):
    await session.select(SLEEP, 0)
    with suppress(TimeoutError):
        await asyncio.wait_for(session.select(SLEEP, 3_000), 0.2)
    async with asyncio.timeout(1):
        assert await session.select_value("SELECT 1") == 1


@promise("P25", stock=Breaks(AssertionError))
@apart
async def test_the_next_borrower_gets_an_idle_connection_at_once(adapter, dsn, observer):
    config = adapter.config(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    pids = []

    async def borrow_and_give_up():
        async with config.provide_session() as session:
            pids.append(await pid_of(session))
            await session.select(SLEEP, 8_000)

    with suppress(TimeoutError, TypeError):
        async with asyncio.timeout(0.5):
            await asyncio.gather(borrow_and_give_up(), borrow_and_give_up())
    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with config.provide_session() as session:
        assert await session.select_value("SELECT 1") == 1
    waited = loop.time() - begun
    at_work = [pid for pid in pids if await is_at_work(observer, pid)]
    await config.close_pool()
    assert waited < 7, "the borrower waited for the statement that was cancelled"
    assert at_work == []


@promise("P25", stock=AGAIN)
@apart
async def test_a_transaction_that_was_cancelled_is_rolled_back(adapter, dsn, config, observer):
    insert = "INSERT INTO users (name) VALUES ('Cancelled')"
    count = "SELECT count(*) FROM users WHERE name = 'Cancelled'"
    async with config.provide_session() as session:
        await session.select(SLEEP, 0)
        with suppress(TimeoutError):
            async with asyncio.timeout(0.3), session.transaction():
                await session.execute(insert)
                await session.select(SLEEP, 3_000)
        assert await session.select_value(count) == 0


@promise("P25", stock=AGAIN)
@apart
async def test_commit_after_a_cancelled_statement_raises(adapter, dsn, session):
    await session.select(SLEEP, 0)
    await session.begin()
    await session.execute("INSERT INTO users (name) VALUES ('Cancelled')")
    with suppress(TimeoutError):
        await asyncio.wait_for(session.select(SLEEP, 3_000), 0.3)
    with pytest.raises(TransactionError):
        await session.commit()


@promise("P25", stock=Breaks(AssertionError))
@apart
async def test_a_script_stops_at_the_statement_that_was_cancelled(adapter, dsn, session, observer):
    await session.execute_script("CREATE TABLE steps (n int)")
    pid = await pid_of(session)
    script = "INSERT INTO steps VALUES (1); SELECT pg_sleep(3); INSERT INTO steps VALUES (2)"
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(session.execute_script(script), 0.3)
    assert not await is_at_work(observer, pid)
    assert await observer.select_value("SELECT max(n) FROM steps") == 1


@promise("P25", stock=Breaks(AssertionError))
@apart
async def test_execute_many_is_stopped_and_undone(adapter, dsn, session, observer):
    await session.execute_script("CREATE TABLE many (n int, slept text)")
    pid = await pid_of(session)
    insert = "INSERT INTO many VALUES ($1, pg_sleep(0.3)::text)"
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(session.execute_many(insert, [(n,) for n in range(10)]), 0.5)
    assert not await is_at_work(observer, pid)
    assert await observer.select_value("SELECT count(*) FROM many") == 0


@promise("P25", stock=Breaks(AssertionError))
@apart
async def test_a_load_is_stopped_and_undone(adapter, dsn, config, observer):
    import pyarrow

    await observer.execute_script(
        "CREATE TABLE slow (n bigint);"
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(0.1); RETURN NEW; END $$;"
        "CREATE TRIGGER wait BEFORE INSERT ON slow FOR EACH ROW EXECUTE FUNCTION wait()"
    )
    async with config.provide_session() as session:
        pid = await pid_of(session)
        rows = pyarrow.table({"n": list(range(50))})
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(session.load_from_arrow("slow", rows), 0.5)
        assert not await is_at_work(observer, pid)
    assert await observer.select_value("SELECT count(*) FROM slow") == 0


@promise("P25", stock=AGAIN)
@apart
async def test_a_stream_is_stopped(adapter, dsn, config, observer):
    query = "SELECT n, pg_sleep(0.05)::text AS slept FROM generate_series(1, 100) AS n"
    async with config.provide_session() as session:
        pid = await pid_of(session)

        async def read():
            async for _ in session.select_stream(query, chunk_size=20):
                pass

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(read(), 0.5)
        assert not await is_at_work(observer, pid)
        assert await session.select_value("SELECT 1") == 1


@promise("P25", stock=Breaks(AssertionError))
@apart
async def test_a_second_cancellation_does_not_leave_the_server_at_work(
    adapter, dsn, config, observer
):
    async with config.provide_session() as session:
        pid = await pid_of(session)
        task = asyncio.create_task(session.select(SLEEP, 30_000))
        await until_asleep(observer, pid)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not await is_at_work(observer, pid)


@promise("P25", stock=Breaks(AssertionError))
@apart
async def test_a_statement_cancelled_on_the_raw_connection_is_stopped_at_release(
    adapter, dsn, config, observer
):
    async with config.provide_session() as session:
        pid = await pid_of(session)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await session.connection.fetch("SELECT pg_sleep(4)")
    assert not await is_at_work(observer, pid)


@promise("P25", stock=Breaks(TimeoutError))
@apart
async def test_a_neighbour_on_the_same_session_is_neither_hit_nor_kept_waiting(
    adapter, dsn, session
):
    await session.select(SLEEP, 0)
    before = asyncio.create_task(session.select_value("SELECT 'before' || pg_sleep(0.4)::text"))
    await asyncio.sleep(0.1)
    victim = asyncio.create_task(session.select(SLEEP, 20_000))
    await asyncio.sleep(0.1)
    after = asyncio.create_task(session.select_value("SELECT 'after'"))
    victim.cancel()
    async with asyncio.timeout(5):
        outcomes = await asyncio.gather(before, victim, after, return_exceptions=True)
    assert outcomes[0] == "before"
    assert isinstance(outcomes[1], asyncio.CancelledError)
    assert outcomes[2] == "after"
