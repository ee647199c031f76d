"""Proofs of references/performance.md: which calls wait for the network, and how often."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import psqlpy
import pytest
from performance_tools import Holding
from proveskill import proves
from replicas_tools import opened
from watching_tools import seen

ONE = "SELECT id, name FROM users WHERE id = $1"


async def awaited(session: Any, count: int) -> list[Any]:
    return [await session.select_value("SELECT $1::int", number) for number in range(count)]


async def gathered(session: Any, count: int) -> list[Any]:
    asked = (session.select_value("SELECT $1::int", number) for number in range(count))
    return await asyncio.gather(*asked)


async def in_batch(session: Any, count: int) -> None:
    await session.execute_many("INSERT INTO trips VALUES ($1)", [(n,) for n in range(count)])


@proves(
    "Calls gathered on one session are pipelined: they wait for the network once, not once a "
    "query.",
    adapter="stock",
)
@proves("`execute_many` sends one statement per row, pipelined.", adapter="stock")
async def test_calls_that_send_all_before_an_answer(dsn, session) -> None:
    await session.execute("CREATE TABLE IF NOT EXISTS trips (id int)")
    async with (
        Holding.before(dsn) as link,
        opened(dsn=link.dsn(dsn)) as config,
        config.provide_session() as worker,
    ):
        for call in (gathered, in_batch):
            await call(worker, 2)  # prepares the statement
            assert await link.unanswered(call(worker, 30), 30) == 30
            assert link.binds == 30
        assert await link.unanswered(awaited(worker, 30), 30, seconds=0.1) == 1
        assert link.binds == 30


@proves("`{transaction}.{method}` sends all its queries before it waits for an answer.")
async def test_a_pipeline_sends_all_before_an_answer(dsn, transaction: str, method: str) -> None:
    async with Holding.before(dsn) as link:
        connection = await psqlpy.connect(link.dsn(dsn))
        async with connection.transaction() as block:
            assert type(block).__name__ == transaction
            query = "SELECT $1::int", [1]
            await getattr(block, method)([query])
            assert await link.unanswered(getattr(block, method)([query] * 100), 100) == 100
            assert link.binds == 100
        connection.close()


@proves("Otherwise send fewer queries, here {one} for {three}:")
async def test_one_query_for_many_rows(dsn, one: int, three: int) -> None:
    ids = [1, 2, 3]
    many = "SELECT id, name FROM users WHERE id = ANY($1) ORDER BY id"
    async with (
        Holding.before(dsn) as link,
        opened(dsn=link.dsn(dsn)) as config,
        config.provide_session() as worker,
    ):
        await worker.select_one(ONE, 1)
        await worker.select(many, (ids,))
        link.binds = 0
        by_one = [await worker.select_one(ONE, number) for number in ids]
        assert link.binds == three
        link.binds = 0
        assert await worker.select(many, (ids,)) == by_one
        assert link.binds == one


@proves("`session.select` gives psqlpy's dicts, and a fetch of its connection the same:")
async def test_dicts_of_a_session_and_of_its_connection(session) -> None:
    query = "SELECT id, name, created_at FROM users ORDER BY id"
    rows = await session.select(query)
    assert {type(row) for row in rows} == {dict}
    assert rows == (await session.connection.fetch(query)).result()
    assert len(rows) == 3


@proves(
    "The server still runs them one after another, in one backend; sessions of their own give as "
    "many backends as the pool has.",
    "1,000+ concurrent queries on a session with minimal overhead | {count} backend runs them one "
    "after another",
    table="Claim | Finding",
)
async def test_the_server_runs_gathered_calls_one_after_another(dsn, count: int) -> None:
    query = (
        "SELECT array[extract(epoch FROM clock_timestamp())::text, pg_sleep(0.01)::text,"
        " extract(epoch FROM clock_timestamp())::text, pg_backend_pid()::text]"
    )
    async with opened(dsn=dsn, max_db_pool_size=3) as config:

        async def in_own_session() -> Any:
            async with config.provide_session() as own:
                return await own.select_value(query)

        async with config.provide_session() as one:
            found = await asyncio.gather(*(one.select_value(query) for _ in range(6)))
        spans = sorted((float(begin), float(end)) for begin, _, end, _ in found)
        assert all(before[1] <= after[0] for before, after in pairwise(spans))
        assert len({pid for *_, pid in found}) == count
        found = await asyncio.gather(*(in_own_session() for _ in range(9)))
        assert len({pid for *_, pid in found}) == 3


@proves("Gather reads only: tasks on one session share its transaction.", adapter="stock")
async def test_tasks_on_one_session_share_its_transaction(dsn, session) -> None:
    await session.execute("CREATE TABLE IF NOT EXISTS shared (id int)")
    has_begun, has_written = asyncio.Event(), asyncio.Event()

    async def fail() -> None:
        async with session.transaction():
            has_begun.set()
            await has_written.wait()
            raise LookupError

    async def write() -> None:
        await has_begun.wait()
        await session.execute("INSERT INTO shared VALUES (1)")
        has_written.set()

    with pytest.raises(LookupError):
        await asyncio.gather(fail(), write())
    assert seen(dsn, "SELECT id FROM shared") == []


@proves("A pipeline is one transaction: one failing query undoes and fails the rest.")
async def test_a_pipeline_is_one_transaction(dsn, session) -> None:
    await session.execute("CREATE TABLE IF NOT EXISTS piped (id int)")
    add = "INSERT INTO piped VALUES ($1)"
    with pytest.raises(psqlpy.Error, match="division by zero"):
        async with session.connection.transaction() as transaction:
            await transaction.pipeline([(add, [1]), ("SELECT 1 / 0", []), (add, [2])])
    assert seen(dsn, "SELECT id FROM piped") == []
    async with session.connection.transaction() as transaction:
        await transaction.pipeline([(add, [1]), (add, [2])])
    assert seen(dsn, "SELECT id FROM piped") == [1, 2]
    await session.execute("DELETE FROM piped")
