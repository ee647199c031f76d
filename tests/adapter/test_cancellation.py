"""Cancellation beyond the promise: what it rests on, and what happens when it cannot be done."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import psqlpy
import psqlpy_adapter
import pytest
from fault_tools import until_at_work
from psqlpy_adapter.canceller import Canceller
from psqlpy_adapter.checkout import Checkout
from sqlspec.exceptions import DatabaseConnectionError

SLEEP = "SELECT pg_sleep($1::int * 0.001)::text"


@pytest.fixture
async def config(dsn: str) -> AsyncIterator[Any]:
    config = psqlpy_adapter.PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    yield config
    await config.close_pool()


async def state_of(observer: asyncpg.Connection[Any], pid: int) -> str | None:
    return await observer.fetchval("SELECT state FROM pg_stat_activity WHERE pid = $1", pid)


async def test_the_cancel_of_a_future_can_be_replaced():
    """What the waiting for the server rests on: asyncio asks the future that a task waits for."""
    future = asyncio.get_running_loop().create_future()
    asked: list[object] = []

    def cancel(msg: object = None) -> bool:
        asked.append(msg)
        return True

    async def wait() -> str:
        return await future

    future.cancel = cancel
    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel("why")
    await asyncio.sleep(0)
    assert asked == ["why"]
    assert not task.done()
    asyncio.Future.cancel(future)
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("turns", range(8))
async def test_a_cancelled_begin_leaves_no_transaction_open(config, observer, turns):
    async with config.provide_session() as session:
        task = asyncio.create_task(session.begin())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            assert not session._transaction_active
        else:
            await session.rollback()
        await session.execute("INSERT INTO users (name) VALUES ('Kept')")
        assert await state_of(observer, session.checkout.backend_pid) == "idle"


@pytest.mark.parametrize("turns", range(1, 8))
@pytest.mark.parametrize("later", range(5))
async def test_a_program_that_cancels_all_its_tasks_stores_what_it_stores(
    config, observer, turns, later
):
    """The tasks of the adapter are among them: what was to undo a BEGIN may not have come."""
    await observer.execute("CREATE TABLE notes (id int)")
    async with config.provide_session() as session:
        task = asyncio.create_task(session.begin())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        for _ in range(later):
            await asyncio.sleep(0)
        for other in asyncio.all_tasks() - {asyncio.current_task()}:
            other.cancel()
        begun = not (await asyncio.gather(task, return_exceptions=True))[0]
        with contextlib.suppress(DatabaseConnectionError):
            await session.execute("INSERT INTO notes VALUES (1)")
            assert begun or await observer.fetchval("SELECT count(*) FROM notes") == 1


async def test_a_cancelled_commit_may_end_and_says_that_it_was_done(config, observer):
    await observer.execute(
        "CREATE TABLE slow (n int);"
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(0.3); RETURN NEW; END $$;"
        "CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON slow "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait()"
    )
    async with config.provide_session() as session:
        await session.begin()
        await session.execute("INSERT INTO slow VALUES (1)")

        async def commit() -> list[str]:
            try:
                await session.commit()
            except asyncio.CancelledError as error:
                return getattr(error, "__notes__", [])
            return []

        task = asyncio.create_task(commit())
        await until_at_work(observer, session.checkout.backend_pid, "COMMIT")
        task.cancel()
        assert "COMMIT was done" in (await task)[0]
    assert await observer.fetchval("SELECT count(*) FROM slow") == 1


async def test_a_statement_that_comes_while_another_is_stopped_waits_for_that(config, observer):
    async with config.provide_session() as session:
        await session.select(SLEEP, 0)
        task = asyncio.create_task(session.select(SLEEP, 30_000))
        await until_at_work(observer, session.checkout.backend_pid, "pg_sleep")
        task.cancel()
        task.cancel()
        results = await asyncio.gather(
            *(session.select_value("SELECT 1") for _ in range(20)), task, return_exceptions=True
        )
    assert results[:-1] == [1] * 20
    assert isinstance(results[-1], asyncio.CancelledError)


async def test_when_the_server_cannot_be_asked_the_connection_is_given_up(
    config, observer, monkeypatch
):
    async def refuse() -> psqlpy.Connection:
        raise DatabaseConnectionError("too many clients")

    monkeypatch.setattr("psqlpy_adapter.stopping.CANCEL_SECONDS", 0.3)
    monkeypatch.setattr("psqlpy_adapter.stopping.TERMINATE_SECONDS", 0.1)
    async with config.provide_session() as session:
        pid = session.checkout.backend_pid
        session.checkout.canceller = Canceller(refuse)
        task = asyncio.create_task(session.select(SLEEP, 3_000))
        await until_at_work(observer, pid, "pg_sleep")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert session.checkout.broken
        with pytest.raises(DatabaseConnectionError):
            await session.select("SELECT 1")
    async with config.provide_session() as session:
        assert session.checkout.backend_pid != pid
        assert await session.select_value("SELECT 1") == 1


async def test_a_backend_that_is_younger_than_the_connection_is_not_cancelled(dsn, observer):
    pid = observer.get_server_pid()
    connection = await psqlpy.connect(dsn=dsn)
    ours = Checkout(connection, pid, opened=time.monotonic() - 60)
    canceller = Canceller(lambda: psqlpy.connect(dsn=dsn))
    assert not await canceller.cancel(ours)
    ours.opened = time.monotonic()
    assert await canceller.cancel(ours)
    await canceller.close()


async def test_the_second_connection_is_made_once_and_again_when_it_died(dsn, observer):
    made = []

    async def connect() -> psqlpy.Connection:
        made.append(await psqlpy.connect(dsn=dsn, application_name="the second connection"))
        return made[-1]

    connection = await psqlpy.connect(dsn=dsn)
    pid = await connection.fetch_val("SELECT pg_backend_pid()")
    ours = Checkout(connection, pid)
    canceller = Canceller(connect)
    await asyncio.gather(*(canceller.cancel(ours) for _ in range(20)))
    assert len(made) == 1
    await observer.fetchval(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE application_name = 'the second connection'"
    )
    assert await canceller.cancel(ours)
    assert len(made) == 2
    await canceller.close()


async def test_a_driver_made_by_hand_drops_what_is_cancelled(dsn):
    connection = await psqlpy.connect(dsn=dsn)
    driver = psqlpy_adapter.PsqlpyDriver(connection=connection)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(driver.select(SLEEP, 300), 0.1)
    assert await driver.select_value("SELECT 1") == 1
    connection.close()


async def test_nothing_is_kept_of_a_statement_that_has_ended(config):
    async with config.provide_session() as session:
        for _ in range(3):
            await session.select("SELECT 1")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(session.select(SLEEP, 3_000), 0.1)
        assert session.checkout.flights == {}
        assert session.checkout.stops == set()
