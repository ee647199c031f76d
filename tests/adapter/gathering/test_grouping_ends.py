"""Groups in transactions, of altered tables, and of cancelled callers; what keeps its place."""

from __future__ import annotations

import asyncio
import datetime

import pytest
from gathering_tools import gather, is_grouped
from sqlspec.exceptions import SQLSpecError

DAY = datetime.datetime(1970, 1, 3, tzinfo=datetime.UTC)


async def test_groups_are_not_made_inside_a_transaction(session):
    statement = "SELECT 10 / $1::int AS ratio"
    await session.select(statement, 1)
    await gather(session, *(session.select(statement, 1) for _ in range(10)))
    assert await is_grouped(session, statement)
    await session.execute("BEGIN")
    answers = await asyncio.gather(
        *(session.select_value(statement, number) for number in (1, 2, 0, 5)),
        return_exceptions=True,
    )
    await session.execute("ROLLBACK")
    assert answers[:2] == [10, 5]
    assert all(isinstance(answer, SQLSpecError) for answer in answers[2:])


async def test_a_transaction_begins_where_it_was_awaited(session):
    insert = "INSERT INTO points (id) VALUES ($1)"
    await asyncio.gather(
        session.execute(insert, 1_000), session.begin(), session.execute(insert, 1_001)
    )
    await session.rollback()
    assert await session.select_value("SELECT max(id) FROM points") == 1_000


async def test_a_table_that_is_altered_while_its_reads_are_grouped_is_read_as_it_is(session):
    statement = "SELECT * FROM points WHERE id = $1"
    await session.select(statement, 1)
    await gather(session, *(session.select(statement, n) for n in range(1, 20)))
    assert await is_grouped(session, statement)
    await session.execute("ALTER TABLE points ADD extra int DEFAULT 3")
    for _ in range(2):
        rows = await asyncio.gather(*(session.select_one(statement, n) for n in range(1, 20)))
        assert [(row["id"], row["extra"]) for row in rows] == [(n, 3) for n in range(1, 20)]


async def test_a_new_view_in_the_search_path_ends_the_grouping(session):
    statement = "SELECT id FROM points WHERE id = $1"
    await session.select(statement, 1)
    await gather(session, *(session.select(statement, n) for n in range(1, 20)))
    assert await is_grouped(session, statement)
    await session.execute_script("""
        CREATE SCHEMA other;
        CREATE VIEW other.points AS SELECT nextval('numbers')::int AS id;
        SET search_path TO other, public;
    """)
    await gather(session, *(session.select(statement, n) for n in range(1, 20)))
    assert not await is_grouped(session, statement)


async def test_all_callers_of_a_group_can_be_cancelled(session):
    statement = "SELECT id FROM points WHERE id = $1"
    await session.select(statement, 1)
    for _ in range(20):
        tasks = [asyncio.ensure_future(session.select(statement, n)) for n in range(1, 100)]
        await asyncio.sleep(0.0005)
        for task in tasks:
            task.cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(answer, (list, asyncio.CancelledError)) for answer in answers)
    assert session.lane.idle
    assert await session.select_value("SELECT count(*) FROM points") == 200


async def test_a_group_cancelled_at_the_moment_of_its_turn_gives_that_up(session):
    statement = "SELECT id FROM points WHERE id = $1"
    for _ in range(3):
        await asyncio.gather(*(session.select(statement, n) for n in range(4)))
    tasks = [asyncio.ensure_future(session.select(statement, n)) for n in range(4)]
    await asyncio.sleep(0)
    for task in tasks[1:]:  # the first one runs by itself
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(5):
        assert await session.select_value("SELECT count(*) FROM points") == 200
    assert session.lane.idle


@pytest.mark.parametrize("value", ["1970-01-03 00:00+00", DAY.replace(tzinfo=None)], ids=str)
@pytest.mark.parametrize("last", ["execute", "execute_script"])
async def test_values_that_the_server_reads_keep_their_place_among_the_others(session, value, last):
    await session.execute("CREATE TABLE days (at timestamptz, n int)")
    for _ in range(3):  # the first time the statement is described, later it is known
        _, *added, _ = await asyncio.gather(
            session.execute("SELECT 1"),
            *[session.execute("INSERT INTO days VALUES ($1, $2)", value, n) for n in range(5)],
            getattr(session, last)("DELETE FROM days"),
        )
        assert [result.rows_affected for result in added] == [1] * 5
        assert await session.select("SELECT n FROM days") == []
