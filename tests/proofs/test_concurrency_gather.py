"""Proofs of references/concurrency.md: statements and tasks side by side."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
from pooling_tools import Tap
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig
from watching_tools import PID, ask, until

WAITING = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE wait_event = 'advisory' AND datname = current_database()"
)


@proves("Give each concurrent task its own session:")
async def test_sessions_run_at_the_same_time(dsn: str, config: PsqlpyConfig) -> None:
    """Each waits for a lock, until all of them do."""

    async def pid_after_wait() -> int:
        async with config.provide_session() as session:
            return await session.select_value(f"{PID} FROM pg_advisory_xact_lock_shared(4712)")

    with psycopg.connect(dsn) as holder:
        holder.execute("SELECT pg_advisory_xact_lock(4712)")
        tasks = [asyncio.create_task(pid_after_wait()) for _ in range(4)]
        assert await until(lambda: ask(dsn, WAITING) == 4)
    assert len(set(await asyncio.gather(*tasks))) == 4


SPANS = (
    "SELECT pg_backend_pid() AS pid, $1::int AS n, clock_timestamp() AS begun, "
    "(SELECT clock_timestamp() FROM pg_sleep({})) AS ended"
)


@proves(
    "A session is one connection, and one connection runs {count} statement at a time.",
    "`gather` on one session is valid, yet the server runs the statements one after another, and "
    "not always in the order of the call:",
    adapter="stock",
)
async def test_a_session_runs_one_statement_at_a_time(
    dsn: str, config: PsqlpyConfig, count: int
) -> None:
    async with config.provide_session() as session:
        calls = (session.select_one(SPANS.format(0.02), number) for number in range(4))
        rows = await asyncio.gather(*calls)
        assert len({row["pid"] for row in rows}) == 1
        for row in rows:
            assert sum(other["begun"] <= row["begun"] < other["ended"] for other in rows) == count
    assert await order_of_a_new_and_a_known_text(dsn) == [1, 0]


async def order_of_a_new_and_a_known_text(dsn: str) -> list[int]:
    """A new text waits for the answer to its preparation; a known one is sent meanwhile."""
    known, new = SPANS.format(0), SPANS.format(0.001)
    async with Tap.before(dsn) as tap:
        config = PsqlpyConfig(connection_config={"dsn": tap.dsn(dsn), "max_db_pool_size": 2})
        async with config.provide_session() as session:
            await session.select_one(known, 0)
            tap.packets.clear()
            tap.answers.clear()
            calls = asyncio.gather(session.select_one(new, 0), session.select_one(known, 1))
            await until(lambda: {"P", "B"} <= {*tap.sent()})
            tap.answers.set()
            rows = sorted(await calls, key=lambda row: row["begun"])
        await config.close_pool()
    return [row["n"] for row in rows]


@proves(
    "`gather` on one session saves network round trips: psqlpy sends a statement before the "
    "previous answer is in.",
    "For many short independent statements on one connection use pipeline: one call sends them "
    "all, in order.",
    adapter="stock",
)
async def test_statements_are_sent_before_answers_are_in(dsn: str) -> None:
    query = "SELECT name FROM users WHERE id = $1"
    async with Tap.before(dsn) as tap:
        config = PsqlpyConfig(connection_config={"dsn": tap.dsn(dsn), "max_db_pool_size": 2})

        async def sent_at_once(statements: Any) -> Any:
            tap.packets.clear()
            tap.answers.clear()
            task = asyncio.ensure_future(statements)
            await until(lambda: tap.sent().count("B") == 3)
            assert not task.done()
            tap.answers.set()
            return await task

        async with config.provide_session() as session:
            await session.select_value(query, 1)
            await session.select_value(query, 1)
            calls = (session.select_value(query, number) for number in (1, 2, 3))
            names = await sent_at_once(asyncio.gather(*calls))
            assert names == ["Ada", "Grace", "Linus"]
            async with session.connection.transaction() as transaction:
                calls = [(query, [number]) for number in (3, 1, 2)]
                await transaction.pipeline(calls)
                answers = await sent_at_once(transaction.pipeline(calls))
            names = [answer.result()[0]["name"] for answer in answers]
            assert names == ["Linus", "Ada", "Grace"]
        await config.close_pool()


@proves(
    "The pool is the bound.",
    "Tasks that find it full wait, and each is served when a session is released:",
)
async def test_many_tasks_on_a_small_pool(config: PsqlpyConfig) -> None:
    pool = await config.provide_pool()
    held = most = waiting = 0

    async def work(number: int) -> int:
        nonlocal held, most, waiting
        async with config.provide_session() as session:
            held += 1
            most, waiting = max(most, held), max(waiting, pool.status().waiting)
            found = await session.select_value("SELECT $1::int", number)
            await together.wait()
            held -= 1
        return found

    together = asyncio.Barrier(4)
    async with asyncio.timeout(10):
        assert await asyncio.gather(*(work(number) for number in range(40))) == list(range(40))
    assert most == pool.status().size == 4
    assert waiting > 0
