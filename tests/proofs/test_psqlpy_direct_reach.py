"""Proofs of references/psqlpy-direct.md: psqlpy under a session."""

from __future__ import annotations

import asyncio
import importlib

import psqlpy
import pytest
from proveskill import proves
from sqlspec.exceptions import SQLSpecError
from watching_tools import ask, until

ADA = "SELECT name FROM users WHERE id = {}"
LONG = "SELECT pg_sleep(10)"
SLEEPS = f"SELECT wait_event = 'PgSleep' AND query = '{LONG}' FROM pg_stat_activity WHERE pid = %s"
STOP = "SELECT pg_cancel_backend(%s)"


@proves(
    "`session.{attribute}` is the psqlpy connection of the session, and `await config.{method}()` "
    "is the pool:",
    "`pool.{status}()` and `pool.{resize}()` are in Pooling, `pool.{listener}()` is in "
    "Concurrency.",
)
async def test_the_connection_and_the_pool_under_a_session(
    config, session, attribute: str, method: str, status: str, resize: str, listener: str
) -> None:
    connection = getattr(session, attribute)
    pid = await session.select_value("SELECT pg_backend_pid()")
    assert await connection.fetch_val("SELECT pg_backend_pid()") == pid
    pool = await getattr(config, method)()
    assert pool is await config.provide_pool()
    before = getattr(pool, status)()
    async with pool.acquire() as other:
        assert isinstance(other, psqlpy.Connection)
        assert (await other.execute("SELECT 1 AS one")).result() == [{"one": 1}]
        assert await other.fetch_val("SELECT pg_backend_pid()") != pid
        assert getattr(pool, status)().max_size == before.max_size
    getattr(pool, resize)(before.max_size + 1)
    assert getattr(pool, status)().max_size == before.max_size + 1
    heard = getattr(pool, listener)()
    assert type(heard).__name__ == psqlpy.Listener.__name__


@proves(
    "SQLSpec's work does not happen here:",
    "Parameters are one list, or a dict for `$(name)p`. Other placeholders than `$1` and "
    "`$(name)p` are refused.",
    "Errors are `{module}` classes, not `SQLSpecError`.",
)
async def test_parameters_and_errors_of_the_connection(session, module: str) -> None:
    connection = session.connection
    for sql, values in ((ADA.format("$1"), [1]), (ADA.format("$(id)p"), {"id": 1})):
        assert (await connection.fetch(sql, values)).result() == [{"name": "Ada"}]
    wrong = [(ADA.format(mark), [1]) for mark in ("?", ":1", "%s")]
    wrong += [(ADA.format(":id"), {"id": 1}), (ADA.format("%(id)s"), {"id": 1})]
    wrong += [(ADA.format("$1"), 1), (ADA.format("$1"), "1"), ("SELECT FROM nowhere", [])]
    for sql, values in wrong:
        with pytest.raises(psqlpy.Error) as raised:
            await connection.fetch(sql, values)
        assert not isinstance(raised.value, SQLSpecError)
        kind = type(raised.value)
        assert getattr(importlib.import_module(module), kind.__name__) is kind
        assert module == "psqlpy.exceptions"


@proves(
    "Values go to psqlpy unchanged, so a {kind} fits `{column}`.",
    "No rows affected: a statement without RETURNING returns an empty result.",
)
async def test_values_and_results_of_the_connection(session, kind: str, column: str) -> None:
    await session.connection.execute("CREATE TEMP TABLE plain (float8 float8, numeric numeric)")
    fits = []
    for name in ("float8", "numeric"):
        insert = f"INSERT INTO plain ({name}) VALUES ($1)"
        try:
            results = [await session.connection.execute(insert, [4.25]) for _ in range(3)]
        except psqlpy.Error:
            continue
        assert [result.result() for result in results] == [[]] * 3
        fits.append((float.__name__, name))
    assert fits == [(kind, column)]
    changed = await session.connection.execute("UPDATE plain SET float8 = 1")
    assert changed.result() == []
    assert not hasattr(changed, "rows_affected")
    assert await session.connection.fetch_val("SELECT count(*) FROM plain WHERE float8 = 1") == 3


@proves("A cancelled call raises what asyncio promises, each time.")
async def test_a_cancelled_call_raises_what_asyncio_promises(session, dsn) -> None:
    connection = session.connection
    pid = await connection.fetch_val("SELECT pg_backend_pid()")
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await connection.fetch("SELECT pg_sleep(0.03)")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(connection.fetch("SELECT pg_sleep(0.03)"), 0.01)
        task = asyncio.create_task(connection.fetch(LONG))
        await until(lambda: ask(dsn, SLEEPS, pid))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        ask(dsn, STOP, pid)
        assert (await connection.fetch("SELECT 1 AS one")).result() == [{"one": 1}]


@proves("As with SQLSpec, the query runs on: psqlpy has no cancel token.", adapter="stock")
async def test_an_abandoned_query_runs_on(session, dsn) -> None:
    connection = session.connection
    pid = await connection.fetch_val("SELECT pg_backend_pid()")
    for call in (connection.fetch, session.select):
        task = asyncio.create_task(call(LONG))
        await until(lambda: ask(dsn, SLEEPS, pid))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ask(dsn, SLEEPS, pid)
        ask(dsn, STOP, pid)
        await until(lambda: not ask(dsn, SLEEPS, pid))
    kinds = (psqlpy, psqlpy.Connection, psqlpy.Transaction, psqlpy.Cursor, psqlpy.ConnectionPool)
    assert not [name for kind in kinds for name in dir(kind) if "cancel" in name.lower()]
