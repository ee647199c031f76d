"""The pool under cancellations, in several loops and threads, and in a forked child."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import psqlpy_adapter.pool
import psycopg
import pytest
from pool_tools import backend
from psqlpy_adapter import PsqlpyConfig
from sqlspec.exceptions import SQLSpecError


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
