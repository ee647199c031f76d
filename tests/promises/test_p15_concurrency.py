"""P15: many concurrent statements on one session are few round trips, each with its own fate."""

from __future__ import annotations

import asyncio

import pytest
from harness import Breaks, promise
from sqlspec.exceptions import SQLSpecError, UniqueViolationError

WRONG = Breaks(AssertionError)
POINT = "SELECT id, name FROM points WHERE id = $1"
INSERT = "INSERT INTO points (id, name) VALUES ($1, $2)"
RACES = 50
"""How often a race is run: the stock adapter wins some of them by luck."""


@pytest.fixture
async def points(session):
    await session.execute_script("""
        CREATE TABLE points (id int PRIMARY KEY, name text);
        INSERT INTO points SELECT n, 'point ' || n FROM generate_series(1, 1000) AS n;
        ANALYZE points;
    """)


async def count(session) -> int:
    return await session.select_value("SELECT count(*) FROM points")


async def transactions(session, config) -> int:
    """The transactions that the database has committed so far."""
    await session.execute("SELECT pg_stat_force_next_flush()")
    async with config.provide_session() as other:
        return await other.select_value(
            "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
        )


@promise("P15", stock=None)
async def test_a_thousand_gathered_queries_each_get_their_own_row(adapter, session, points):
    numbers = [number % 1_100 for number in range(1_000, 2_000)]
    rows = await asyncio.gather(*(session.select(POINT, number) for number in numbers))
    assert rows == [
        [{"id": number, "name": f"point {number}"}] if 0 < number <= 1_000 else []
        for number in numbers
    ]


@promise("P15", stock=WRONG)
async def test_a_thousand_gathered_queries_are_few_statements_for_the_server(
    adapter, config, session, points
):
    before = await transactions(session, config)
    await asyncio.gather(*(session.select_one(POINT, number) for number in range(1, 1_001)))
    assert await transactions(session, config) - before < 50


@promise("P15", stock=WRONG)
async def test_so_are_a_thousand_gathered_executions(adapter, config, session, points):
    """As the guidance has it: `session.execute("SELECT * ... WHERE id = $1", i)`, gathered."""
    before = await transactions(session, config)
    query = "SELECT * FROM points WHERE id = $1"
    results = await asyncio.gather(*(session.execute(query, number) for number in range(1_000)))
    assert await transactions(session, config) - before < 50
    assert results[0].get_data() == []
    assert [result.get_data() for result in results[1:]] == [
        [{"id": number, "name": f"point {number}"}] for number in range(1, 1_000)
    ]


@promise("P15", stock=None)
async def test_a_failing_query_fails_for_its_own_caller_only(adapter, session, points):
    divide = "SELECT name, 10 / (id - $2::int) AS ratio FROM points WHERE id = $1"
    answers = await asyncio.gather(
        *(session.select_one(divide, number, 500) for number in range(1, 1_001)),
        return_exceptions=True,
    )
    failed = answers.pop(499)
    assert isinstance(failed, SQLSpecError)
    assert "division by zero" in str(failed)
    assert [answer["name"] for answer in answers] == [
        f"point {number}" for number in range(1, 1_001) if number != 500
    ]


@promise("P15", stock=WRONG)
async def test_a_wrong_value_is_an_error_for_its_own_caller_only(adapter, session, points):
    numbers = [1, 2, object(), 3, 2**40, None, 4]
    answers = await asyncio.gather(
        *(session.select(POINT, number) for number in numbers), return_exceptions=True
    )
    assert isinstance(answers[2], SQLSpecError)
    assert isinstance(answers[4], SQLSpecError)
    assert answers[5] == []
    assert [answers[index][0]["id"] for index in (0, 1, 3, 6)] == [1, 2, 3, 4]


@promise("P15", stock=WRONG)
@pytest.mark.parametrize("sets", [3, 300])
async def test_execute_many_keeps_its_rows_beside_a_failing_neighbour(
    adapter, session, points, sets
):
    for first in range(2_000, 2_000 + RACES * sets, sets):
        done, failed, _ = await asyncio.gather(
            session.execute_many(INSERT, [(n, "new") for n in range(first, first + sets)]),
            session.execute("SELECT 1 / $1::int", 0),
            session.select_one(POINT, 1),
            return_exceptions=True,
        )
        assert isinstance(failed, SQLSpecError)
        assert not isinstance(done, Exception)
        assert done.rows_affected == sets
        assert await count(session) == 1_000 + first - 2_000 + sets


@promise("P15", stock=None)
async def test_each_gathered_write_is_committed_by_itself(adapter, config, session, points):
    numbers = [*range(2_001, 2_051), 1, *range(2_051, 2_101)]
    answers = await asyncio.gather(
        *(session.execute(INSERT, number, "new") for number in numbers), return_exceptions=True
    )
    assert [type(answer) for answer in answers if isinstance(answer, Exception)] == [
        UniqueViolationError
    ]
    async with config.provide_session() as other:
        assert await count(other) == 1_100


@promise("P15", stock=None)
async def test_writes_that_fail_in_a_crowd_fail_for_their_own_callers_only(
    adapter, session, points
):
    pairs = zip(range(2_001, 2_101), range(1, 101), strict=True)
    answers = await asyncio.gather(
        *(session.execute(INSERT, number, "new") for pair in pairs for number in pair),
        return_exceptions=True,
    )
    assert [isinstance(answer, UniqueViolationError) for answer in answers] == [False, True] * 100
    assert await count(session) == 1_100


@promise("P15", stock=WRONG)
async def test_statements_run_in_the_order_in_which_they_were_awaited(adapter, session, points):
    for first in range(2_000, 2_000 + RACES * 50, 50):
        before = await count(session)
        # A text that is new each time: it has to be prepared, which others need not wait for.
        insert = INSERT.replace("points", f"points AS p{first}")
        answers = await asyncio.gather(
            *(
                session.execute(insert, first + number // 2, f"new {number}")
                if number % 2
                else count(session)
                for number in range(100)
            )
        )
        assert answers[::2] == list(range(before, before + 50))


@promise("P15", stock=None)
async def test_reads_after_a_write_see_it_and_reads_before_do_not(adapter, session, points):
    await session.select(POINT, 1)
    await session.execute(INSERT, 1_999, "new")
    answers = await asyncio.gather(
        *(session.select(POINT, 2_000) for _ in range(20)),
        session.execute(INSERT, 2_000, "new"),
        *(session.select(POINT, 2_000) for _ in range(20)),
    )
    assert [len(rows) for rows in answers[:20]] == [0] * 20
    assert [len(rows) for rows in answers[21:]] == [1] * 20


@promise("P15", stock=None)
async def test_statements_gathered_in_a_transaction_are_part_of_it(
    adapter, config, session, points
):
    await session.begin()
    await asyncio.gather(
        *(session.execute(INSERT, 2_000 + number, "new") for number in range(50)),
        *(session.select_one(POINT, number) for number in range(1, 51)),
    )
    assert await count(session) == 1_050
    async with config.provide_session() as other:
        assert await count(other) == 1_000
    await session.rollback()
    assert await count(session) == 1_000


@promise("P15", stock=None)
async def test_a_failure_in_a_transaction_undoes_what_was_gathered_with_it(
    adapter, session, points
):
    await session.begin()
    answers = await asyncio.gather(
        session.execute(INSERT, 2_000, "new"),
        session.execute(INSERT, 1, "again"),
        session.execute(INSERT, 2_001, "new"),
        return_exceptions=True,
    )
    assert [isinstance(answer, SQLSpecError) for answer in answers] == [False, True, True]
    await session.rollback()
    assert await count(session) == 1_000


@promise("P15", stock=WRONG)
async def test_cancelling_one_caller_leaves_the_others_alone(adapter, session, points):
    await asyncio.gather(*(session.select_one(POINT, number) for number in range(1, 20)))
    tasks = [asyncio.ensure_future(session.select_one(POINT, n)) for n in range(1, 201)]
    await asyncio.sleep(0)
    cancelled = [task.cancel() for task in tasks[1::3]]  # False: it was answered already
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    for was_cancelled, answer in zip(cancelled, answers[1::3], strict=True):
        assert isinstance(answer, asyncio.CancelledError) is was_cancelled
    for number, answer in enumerate(answers, 1):
        assert isinstance(answer, asyncio.CancelledError) or answer["id"] == number
    assert any(cancelled)
    assert await count(session) == 1_000
