"""Proofs of references/errata.md: pool and concurrency."""

from __future__ import annotations

import asyncio
import time

import psycopg
from configuration_tools import pool_failure
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import SQLSpecError
from watching_tools import Wire, becomes, failure, pid_of, seen, state, until

INSERT = "INSERT INTO errata_rows SELECT $1 FROM pg_sleep(0.01)"


@proves(
    "E1 | one session runs gathered queries side by side | one server process runs them in turn; "
    "`gather` saves round trips",
    adapter="stock",
    table="claim | false | true",
)
async def test_gathered_queries_run_in_turn(dsn: str) -> None:
    """The second query is sent while the first one waits for a lock, and runs after it."""
    blocked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory' AND pid = %s"
    async with Wire(dsn) as wire:
        config = PsqlpyConfig(connection_config={"dsn": wire.dsn, "max_db_pool_size": 2})
        async with config.provide_session() as session:
            pid = await pid_of(session)
            with psycopg.connect(dsn, autocommit=True) as other:
                other.execute("SELECT pg_advisory_lock(815)")
                wait = "SELECT pg_backend_pid() AS pid FROM pg_advisory_xact_lock(815)"
                first = asyncio.create_task(session.select_value(wait))
                await until(lambda: seen(dsn, blocked, pid) == [1])
                query = "SELECT pg_backend_pid() AS second"
                second = asyncio.create_task(session.select_value(query))
                await until(lambda: b"AS second" in wire.sent)
                await asyncio.wait({first, second}, timeout=0.1)
                assert not first.done()
                assert not second.done()
                other.execute("SELECT pg_advisory_unlock(815)")
            assert await asyncio.gather(first, second) == [pid, pid]
        await config.close_pool()


@proves(
    "E2 | gathered calls on one session are safe | a neighbour that fails can undo an `{many}` "
    "that reports success",
    adapter="stock",
    table="claim | false | true",
)
async def test_a_neighbour_undoes_a_batch(dsn: str, config: PsqlpyConfig, many: str) -> None:
    """A race: it is run until it is lost."""

    async def fail() -> None:
        await asyncio.sleep(0.005)
        await session.select("SELECT * FROM no_such_table")

    async with config.provide_session() as session:
        await session.execute("CREATE TABLE errata_rows (id int)")
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            await session.execute("DELETE FROM errata_rows")
            call = getattr(session, many)(INSERT, [(1,), (2,)])
            done, failed = await asyncio.gather(call, fail(), return_exceptions=True)
            assert isinstance(failed, SQLSpecError)
            kept = seen(dsn, "SELECT id FROM errata_rows")
            if not isinstance(done, Exception) and kept == []:
                break
        assert (done.rows_affected, kept) == (2, [])


@proves(
    "E4 | a connection goes back clean | `{method}()` is undone; `SET`, temporary tables and a raw "
    "`{sql}` are still there for the next session",
    adapter="stock",
    table="claim | false | true",
)
async def test_what_a_connection_carries(dsn: str, method: str, sql: str) -> None:
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    async with config.provide_session() as session:
        pid = await pid_of(session)
        await getattr(session, method)()
        await session.execute("CREATE TABLE errata_undone (id int)")
        assert state(dsn, pid) == "idle in transaction"
    assert await becomes(dsn, pid, "idle") == "idle"
    assert seen(dsn, "SELECT to_regclass('errata_undone')::text") == [None]
    async with config.provide_session() as session:
        await session.execute("SET lock_timeout = 7000")
        await session.execute("CREATE TEMP TABLE errata_scratch (id int)")
        await session.execute(sql)
    assert state(dsn, pid) == "idle in transaction"
    async with config.provide_session() as session:
        assert await pid_of(session) == pid
        assert await session.select_value("SHOW lock_timeout") == "7s"
        assert await session.select("SELECT id FROM errata_scratch") == []
        await session.execute("CREATE TABLE errata_unseen (id int)")
        assert seen(dsn, "SELECT to_regclass('errata_unseen')::text") == [None]
        await session.execute("ROLLBACK")
    await config.close_pool()


@proves(
    "G9 | the pool can be warmed by a setting | it starts with {size} connections, and `{key}` "
    "raises `{error}`",
    adapter="stock",
    table="claim | false | true",
)
async def test_a_pool_starts_cold(dsn: str, size: int, key: str, error: str) -> None:
    keys = {"dsn": dsn, "max_db_pool_size": 4, "application_name": "errata_cold"}
    config = PsqlpyConfig(connection_config=keys)
    pool = await config.provide_pool()
    assert pool.status().size == size
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'errata_cold'"
    assert seen(dsn, count) == [size]
    await config.close_pool()
    assert key == "min_size"
    refused = await pool_failure(**keys, **{key: 2})
    assert f"unexpected keyword argument '{key}'" in str(refused)
    assert type(refused).__name__ == error


async def first_error(**keys: int) -> Exception | None:
    """Return what the first session of a configuration raises."""
    return await failure(PsqlpyConfig(connection_config=keys).provide_session().__aenter__())


@proves(
    "H3 | `{key}` alone makes a configuration | it lacks a server: `{message}`",
    adapter="stock",
    table="claim | false | true",
)
async def test_a_size_alone_is_no_configuration(dsn: str, key: str, message: str) -> None:
    error = await first_error(**{key: 50})
    assert message.startswith("both ")
    assert f"invalid configuration: {message}" in str(error)
    pool = await PsqlpyConfig(connection_config={"dsn": dsn, key: 50}).provide_pool()
    assert pool.status().max_size == 50
    pool.close()
