"""Proofs of references/drop-in.md: how connections are given back."""

from __future__ import annotations

import psycopg
from dropin_tools import answer, opened
from proveskill import proves
from watching_tools import PID, ask

METHODS = ("fast", "verified", "clean")


@proves("An open transaction ends with its session, whatever the method.")
async def test_an_open_transaction_ends_with_its_session(dsn) -> None:
    for method in METHODS:
        async with opened(dsn, conn_recycling_method=method) as config:
            async with config.provide_session() as session:
                pid = await session.select_value(PID)
                await session.execute("BEGIN")
                await session.execute("LOCK TABLE events")
            state = "SELECT state FROM pg_stat_activity WHERE pid = %s"
            assert ask(dsn, state, pid) == "idle"
            with psycopg.connect(dsn) as other:
                other.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE NOWAIT")
                assert other.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS


LEFT = {
    "settings": ("SET work_mem = '3MB'", "SELECT current_setting('work_mem') = '3MB'"),
    "role": ("SET ROLE pg_monitor", "SELECT current_user = 'pg_monitor'"),
    "locks": (
        "SELECT pg_advisory_lock(4711)",
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' "
        "AND pid = pg_backend_pid())",
    ),
    "temporary tables": (
        "CREATE TEMP TABLE scratch (id int)", "SELECT to_regclass('pg_temp.scratch') IS NOT NULL",
    ),
    "LISTEN": ("LISTEN news", "SELECT EXISTS (SELECT pg_listening_channels())"),
    "cursors": (
        "DECLARE numbers CURSOR WITH HOLD FOR SELECT 1",
        "SELECT EXISTS (SELECT FROM pg_cursors WHERE name = 'numbers')",
    ),
}  # fmt: skip


@proves('`"{word}"` also undoes {one}, {two}, {three}, {four}, {five} and {six}.')
async def test_clean_undoes_the_rest(
    word: str, one: str, two: str, three: str, four: str, five: str, six: str, dsn
) -> None:
    assert [one, two, three, four, five, six] == list(LEFT)
    for method in METHODS:
        async with opened(dsn, max_db_pool_size=1, conn_recycling_method=method) as config:
            pid = await answer(config, PID)
            for leave, query in LEFT.values():
                async with config.provide_session() as session:
                    await session.connection.execute_batch(leave)
                async with config.provide_session() as session:
                    assert await session.select_value(PID) == pid
                    assert await session.select_value(query) is (method != word)
                    await session.connection.execute_batch("RESET ROLE")


async def transact(session) -> None:
    async with session.transaction():
        await session.execute("SELECT 42")


async def stream(session) -> None:
    assert len([row async for row in session.select_stream("SELECT 42")]) == 1


async def load(session) -> None:
    await session.load_from_records("users", [{"name": "loaded", "email": None}])


@proves(
    'A return costs a round trip with `"{word}"`; else only after a transaction, a command such as '
    "`{command}`, a stream, a load, or use of `session.{attribute}`."
)
async def test_what_a_return_costs(word: str, command: str, attribute: str, dsn) -> None:
    uses = (
        transact,
        stream,
        load,
        lambda session: session.execute(f"{command} work_mem = '3MB'"),
        lambda session: getattr(session, attribute).execute("SELECT 42"),
    )
    for method in METHODS:
        async with opened(dsn, max_db_pool_size=1, conn_recycling_method=method) as config:
            pid = await answer(config, PID)

            async def is_reset(use, config=config, pid=pid) -> bool:
                async with config.provide_session() as session:
                    await use(session)
                last = ask(dsn, "SELECT query FROM pg_stat_activity WHERE pid = %s", pid)
                return last.startswith("BEGIN; ROLLBACK")

            assert await is_reset(lambda session: session.execute("SELECT 42")) is (method == word)
            assert await is_reset(lambda session: session.select_one(PID)) is (method == word)
            assert [await is_reset(use) for use in uses] == [True] * len(uses)


@proves("A dead connection is never lent.")
async def test_a_dead_connection_is_not_lent(dsn) -> None:
    for method in METHODS:
        async with opened(dsn, max_db_pool_size=1, conn_recycling_method=method) as config:
            for _ in range(3):
                pid = await answer(config, PID)
                assert ask(dsn, "SELECT pg_terminate_backend(%s, 5000)", pid)
                assert await answer(config, PID) != pid


@proves("`{hook}` runs once for each connection, and again after a {word} return.")
async def test_the_hook_runs_once_for_each_connection(hook: str, word: str, dsn) -> None:
    for method in METHODS:
        pids: list[int] = []

        async def note(connection, pids=pids) -> None:
            found = await connection.fetch("SELECT pg_backend_pid() AS pid", [])
            pids.append(found.result()[0]["pid"])
            await connection.execute("SET lock_timeout = '5s'")

        async with opened(dsn, {hook: note}, conn_recycling_method=method) as config:
            for _ in range(3):
                async with config.provide_session() as one, config.provide_session() as other:
                    for session in (one, other):
                        assert await session.select_value("SHOW lock_timeout") == "5s"
            assert len(set(pids)) == 2
            assert (len(pids) > 2) is (method == word)
