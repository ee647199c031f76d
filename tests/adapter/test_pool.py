"""The pool under strain: cancellations, several loops and threads, forks, pools of psqlpy's own."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import psqlpy
import psqlpy_adapter.pool
import psycopg
import pytest
from psqlpy_adapter import PsqlpyConfig
from psqlpy_adapter.pool import PoolTimeoutError
from psqlpy_adapter.slots import Slots, SlotsClosed
from sqlspec.exceptions import DatabaseConnectionError, SQLSpecError


@pytest.fixture
async def small(dsn):
    config = PsqlpyConfig(
        connection_config={"dsn": dsn, "max_db_pool_size": 2, "pool_timeout_sec": 10}
    )
    yield config
    await config.close_pool()


async def backend(config):
    async with config.provide_session() as session:
        return await session.select_value("SELECT pg_backend_pid()")


async def test_slots_are_given_in_the_order_of_asking():
    slots = Slots(1)
    await slots.take(None)
    order = []

    async def take(number):
        await slots.take(None)
        order.append(number)
        slots.give()

    tasks = [asyncio.create_task(take(number)) for number in range(5)]
    await asyncio.sleep(0)
    slots.give()
    await asyncio.gather(*tasks)
    assert order == [0, 1, 2, 3, 4]
    assert slots.held == slots.waiting == 0


async def test_a_slot_given_to_a_cancelled_waiter_goes_on():
    slots = Slots(1)
    await slots.take(None)
    first, second = (asyncio.create_task(slots.take(None)) for _ in range(2))
    await asyncio.sleep(0)
    slots.give()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    async with asyncio.timeout(1):
        await second
    assert slots.held == 1


async def test_closed_slots_end_the_waiting():
    slots = Slots(1)
    await slots.take(None)
    waiting = asyncio.create_task(slots.take(None))
    await asyncio.sleep(0)
    slots.close()
    with pytest.raises(SlotsClosed):
        await waiting
    with pytest.raises(SlotsClosed):
        await slots.take(None)


async def test_cancelled_borrowers_cost_no_connection(small):
    async def borrow():
        async with small.provide_session() as session:
            await session.select_value("SELECT pg_sleep(0.01)")

    for _ in range(10):
        tasks = [asyncio.create_task(borrow()) for _ in range(20)]
        await asyncio.sleep(0.015)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    async with small.provide_session(), small.provide_session():
        status = small.connection_instance.status()
    assert (status.size, status.waiting) == (2, 0)


@pytest.mark.parametrize("closes", [True, False])
async def test_a_pool_serves_one_event_loop_after_another(dsn, closes):
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})

    async def many():
        backends = await asyncio.gather(*(backend(config) for _ in range(20)))
        if closes:
            await config.close_pool()
        return set(backends)

    for _ in range(3):
        found = await asyncio.to_thread(asyncio.run, many())
        assert len(found) <= 2
    await config.close_pool()


async def test_a_cancelled_session_is_returned_without_waiting_in_the_cancelled_frame(
    small, monkeypatch
):
    entered, may_return = asyncio.Event(), asyncio.Event()
    clean = psqlpy_adapter.pool.clean

    async def clean_when_told(*arguments):
        await may_return.wait()
        return await clean(*arguments)

    monkeypatch.setattr(psqlpy_adapter.pool, "clean", clean_when_told)

    async def hold():
        async with small.provide_session() as session:
            await session.begin()
            await session.execute("LOCK TABLE users")
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hold())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sys.exc_info() == (None, None, None)
    assert small.connection_instance.status().available == 0
    may_return.set()
    async with small.provide_session() as one, small.provide_session() as other:
        for session in (one, other):
            assert (
                await session.select_value("SELECT count(*) FROM pg_locks WHERE NOT granted") == 0
            )
            await session.execute("SELECT FROM users")
    assert small.connection_instance.status().size == 2


async def test_sessions_that_the_end_of_a_loop_cancels_cost_no_connection(small):
    async def hold():
        async with small.provide_session() as session:
            await session.begin()
            await asyncio.Event().wait()

    async def leave():
        tasks = [asyncio.create_task(hold()) for _ in range(2)]
        await asyncio.sleep(0.1)
        return tasks

    for _ in range(3):
        await asyncio.to_thread(asyncio.run, leave())
    async with asyncio.timeout(5), small.provide_session(), small.provide_session() as session:
        assert await session.select_value("SELECT 42") == 42


async def test_a_pool_serves_two_threads_at_once(small):
    async def many():
        return [await backend(small) for _ in range(50)]

    await small.create_pool()
    results = await asyncio.gather(*(asyncio.to_thread(asyncio.run, many()) for _ in range(3)))
    assert len({pid for result in results for pid in result}) <= 2


FORK = """
import asyncio, os, sys
from psqlpy_adapter import PsqlpyConfig

def config():
    return PsqlpyConfig(connection_config={"dsn": sys.argv[1], "max_db_pool_size": 2})

async def ask(config):
    async with config.provide_session() as session:
        return await session.select_value("SELECT 42")

parent = config()
print(asyncio.run(ask(parent)), flush=True)
if os.fork() == 0:
    try:
        asyncio.run(ask(config()))
    except Exception as error:
        print(type(error).__name__, error, flush=True)
    os._exit(0)
os.wait()
"""


def test_a_forked_child_gets_an_error_and_does_not_hang(dsn):
    examples = Path(__file__).parents[2] / "examples"
    done = subprocess.run(
        [sys.executable, "-c", FORK, dsn],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        env={**os.environ, "PYTHONPATH": str(examples)},
    )
    assert done.stdout.splitlines()[0] == "42"
    assert "DatabaseConnectionError this process was forked" in done.stdout


async def test_a_pool_of_psqlpys_own_is_borrowed_from(dsn):
    native = psqlpy.ConnectionPool(dsn=dsn, max_db_pool_size=2)
    config = PsqlpyConfig(connection_instance=native, connection_config={"pool_timeout_sec": 0.2})
    assert await config.provide_pool() is native
    async with config.provide_session() as session:
        assert await session.select_value("SELECT 42") == 42
        await session.connection.execute_batch("BEGIN; CREATE TABLE left_open (id int)")
    async with config.provide_session() as one, config.provide_session() as other:
        for session in (one, other):
            assert await session.select_value("SELECT to_regclass('left_open')::text") is None
        with pytest.raises(PoolTimeoutError):
            async with config.provide_session():
                pass
    assert native.status().available > 0
    await config.close_pool()


async def test_a_resized_pool_keeps_to_its_size(small):
    pool = await small.provide_pool()
    pool.resize(4)
    await small.warm_up(4)
    assert pool.status().size == 4
    pool.resize(1)
    assert pool.status().size == 1
    assert len({await backend(small) for _ in range(5)}) == 1
    with pytest.raises(SQLSpecError, match="of no use"):
        pool.resize(0)


async def test_the_raw_pool_lends_connections_as_psqlpys_does(small):
    pool = await small.provide_pool()
    assert isinstance(pool, psqlpy.ConnectionPool)
    async with pool.acquire() as connection:
        assert (await connection.fetch("SELECT 42 AS n", [])).result() == [{"n": 42}]
        assert pool.status().available == 0
    assert pool.status().available == 1
    connection = await pool.connection()
    assert (await connection.fetch("SELECT 42 AS n", [])).result() == [{"n": 42}]
    connection.close()


async def test_a_created_connection_takes_no_place_in_the_pool(small):
    made = [await small.create_connection() for _ in range(3)]
    async with asyncio.timeout(5):
        assert await backend(small)
    for connection in made:
        connection.close()


async def test_a_closed_pool_ends_the_waiting_and_a_new_one_opens(small):
    async with small.provide_session(), small.provide_session():
        waiting = asyncio.create_task(backend(small))
        await asyncio.sleep(0.05)
        await small.close_pool()
        with pytest.raises(DatabaseConnectionError, match="the pool is closed"):
            await waiting
    assert await backend(small)


async def test_lent_connections_end_at_their_return_to_a_closed_pool(small, dsn):
    async with small.provide_session() as session:
        pid = await session.select_value("SELECT pg_backend_pid()")
        await small.close_pool()
    # A transaction would see the same snapshot of pg_stat_activity at every look.
    with psycopg.connect(dsn, autocommit=True) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"
        deadline = time.monotonic() + 5
        while connection.execute(query, [pid]).fetchone() != (0,):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)


async def test_a_hook_that_fails_costs_no_place(dsn):
    fails = True

    async def hook(_):
        if fails:
            raise RuntimeError("not today")

    config = PsqlpyConfig(
        connection_config={"dsn": dsn, "max_db_pool_size": 1, "pool_timeout_sec": 1},
        driver_features={"on_connection_create": hook},
    )
    for _ in range(3):
        with pytest.raises(RuntimeError, match="not today"):
            await backend(config)
    fails = False
    assert await backend(config)
    await config.close_pool()


async def test_all_connections_survive_the_death_of_their_backends(small, dsn):
    async with small.provide_session(), small.provide_session():
        pass
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert len(set(await asyncio.gather(*(backend(small) for _ in range(10))))) <= 2


async def test_a_backend_that_dies_in_a_session_is_not_lent_again(small, dsn):
    async with small.provide_session() as session:
        pid = await session.select_value("SELECT pg_backend_pid()")
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        with pytest.raises(SQLSpecError):
            await session.execute("SELECT 1")
    assert await backend(small) != pid


async def test_an_extension_created_later_is_seen(database, servers, dsn):
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("DROP EXTENSION vector CASCADE")
        config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
        async with config.provide_session() as session:
            assert session.statement_config.dialect == "postgres"
            connection.execute("CREATE EXTENSION vector")
            async with config.provide_session() as other:
                assert other.statement_config.dialect == "pgvector"
        await config.close_pool()


async def test_a_cut_link_is_noticed_when_a_connection_is_borrowed(dsn, monkeypatch):
    monkeypatch.setattr(psqlpy_adapter.recycling, "PROOF_LIMIT", 0.3)
    monkeypatch.setattr(psqlpy_adapter.pool, "PROOF_AGE", 0.0)
    address = dsn.rpartition("@")[2].partition("/")[0]
    host, _, port = address.partition(":")
    links = []

    async def copy(reader, writer, link):
        while chunk := await reader.read(65536):
            if link["is_whole"]:
                writer.write(chunk)
                await writer.drain()

    async def relay(reader, writer):
        link = {"is_whole": True}
        links.append(link)
        other_reader, other_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(copy(reader, other_writer, link), copy(other_reader, writer, link))

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    front = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    config = PsqlpyConfig(
        connection_config={"dsn": dsn.replace(address, front), "max_db_pool_size": 3}
    )
    await config.warm_up(3)
    for link in links:
        link["is_whole"] = False
    began = time.monotonic()
    assert await backend(config)
    # One wait proves that the others are cut off as well.
    assert 0.25 < time.monotonic() - began < 0.8
    assert config.connection_instance.status().size == 1
    await config.close_pool()
    server.close()


async def test_a_pool_is_not_warmed_beyond_its_size(small):
    with pytest.raises(SQLSpecError, match="more than 'max_db_pool_size' allows"):
        await small.warm_up(3)
    await asyncio.gather(small.warm_up(2), small.warm_up(2))
    assert (await small.provide_pool()).status().size == 2


async def test_a_closed_pool_cannot_be_warmed(small):
    pool = await small.provide_pool()
    pool.close()
    with pytest.raises(DatabaseConnectionError, match="the pool is closed"):
        await pool.warm_up(1)


async def test_a_cancellation_keeps_no_connection_of_psqlpys_own_pool(dsn):
    native = psqlpy.ConnectionPool(dsn=dsn, max_db_pool_size=2)
    config = PsqlpyConfig(connection_instance=native, connection_config={"pool_timeout_sec": 5})
    async with config.provide_session() as session:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await session.execute("SELECT pg_sleep(20)")
        assert await session.select_value("SELECT 1") == 1
    async with config.provide_session() as one, config.provide_session() as other:
        assert await one.select_value("SELECT 1") == await other.select_value("SELECT 1")
    await config.close_pool()


async def test_a_wait_for_psqlpys_own_pool_has_the_limit_of_the_configuration(dsn):
    native = psqlpy.ConnectionPool(dsn=dsn, max_db_pool_size=2)
    lent = [await native.connection() for _ in range(2)]
    config = PsqlpyConfig(connection_instance=native, connection_config={"pool_timeout_sec": 0.2})
    with pytest.raises(PoolTimeoutError, match="psqlpy's pool gave no connection within"):
        async with config.provide_session():
            pass
    for connection in lent:
        connection.close()
    async with config.provide_session() as session:
        assert await session.select_value("SELECT 1") == 1
    await config.close_pool()


async def test_a_failure_of_psqlpys_own_pool_is_one_of_sqlspec():
    native = psqlpy.ConnectionPool(
        host="127.0.0.1", port=1, username="u", password="p", db_name="d"
    )
    with pytest.raises(DatabaseConnectionError, match="cannot connect to the server"):
        async with PsqlpyConfig(connection_instance=native).provide_session():
            pass


@pytest.mark.parametrize("kind", ["provide_session", "provide_connection"])
async def test_a_context_that_two_tasks_enter_at_once_lends_one_connection(small, kind):
    context = getattr(small, kind)()
    entered = asyncio.Event()

    async def hold():
        async with context:
            entered.set()
            await asyncio.sleep(0.05)

    async def follow():
        await entered.wait()
        async with context:
            pass

    _, failure = await asyncio.gather(hold(), follow(), return_exceptions=True)
    assert isinstance(failure, SQLSpecError)
    assert "entered already" in str(failure)
    async with context:  # one after another it may be
        pass
    status = (await small.provide_pool()).status()
    assert (status.size, status.available) == (1, 1)


def test_a_loop_that_ends_while_a_statement_is_stopped_leaves_no_server_process(dsn):
    """asyncio.run cancels the task that stops it; psqlpy's coroutine must not keep the rest."""
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 1})

    async def work():
        async with config.provide_session() as session, session.transaction():
            await session.execute("SELECT pg_sleep(0.5)")

    async def main():
        task = asyncio.create_task(work())
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.sleep(0)

    asyncio.run(main())
    assert asyncio.run(backend(config))
    asyncio.run(config.close_pool())
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    with psycopg.connect(dsn, autocommit=True) as observer:
        deadline = time.monotonic() + 10
        while observer.execute(others).fetchone()[0]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
