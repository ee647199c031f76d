"""What gathered statements share, what they do not, and in which order they run."""

from __future__ import annotations

import asyncio
import datetime
import decimal
import uuid

import psqlpy_adapter
import pytest
from harness import Adapter
from psqlpy_adapter.lane import Lane
from psqlpy_adapter.read_group import read_group
from sqlspec.exceptions import SQLSpecError

SCHEMA = """
CREATE TABLE points (id int PRIMARY KEY, name text, kind text, score numeric, at timestamptz);
INSERT INTO points SELECT n, 'point ' || n, 'kind ' || n % 7, n / 8.0,
    'epoch'::timestamptz + n * interval '1 h' FROM generate_series(1, 200) AS n;
CREATE TABLE "Order" ("Key" uuid, "select" jsonb, "Batch" int);
INSERT INTO "Order" SELECT md5(n::text)::uuid, jsonb_build_object('n', n), n
FROM generate_series(1, 50) AS n;
CREATE SEQUENCE numbers;
CREATE FUNCTION next_number(int) RETURNS bigint LANGUAGE sql VOLATILE
AS 'SELECT nextval(''numbers'')';
CREATE VIEW numbered AS SELECT id, nextval('numbers') AS number FROM points;
CREATE VIEW plain AS SELECT id, name FROM points;
CREATE TABLE secret (id int, owner text);
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
ANALYZE;
"""
DAY = datetime.datetime(1970, 1, 3, tzinfo=datetime.UTC)
KEY = uuid.UUID("c4ca4238-a0b9-2382-0dcc-509a6f75849b")
GROUPED = {
    "SELECT id, name FROM points WHERE id = $1": lambda n: (n,),
    "SELECT * FROM points WHERE id BETWEEN $1 AND $2": lambda n: (n, n + 3),
    "SELECT count(*) AS n, sum(score) FROM points WHERE kind = $1": lambda n: (f"kind {n % 9}",),
    "SELECT kind, max(at) FROM points WHERE id < $1 GROUP BY kind HAVING count(*) > $2": (
        lambda n: (n, 2)
    ),
    "SELECT a.id, b.name FROM points a LEFT JOIN points b ON b.id = a.id + $2 WHERE a.id = $1": (
        lambda n: (n, 190)
    ),
    "SELECT $1::int + 1 AS next, $2::text || 'x' AS text": lambda n: (n, None if n % 3 else "é"),
    "SELECT name FROM points WHERE score = $1": lambda n: (decimal.Decimal(n) / 8,),
    "SELECT id FROM points WHERE at = $1": lambda n: (DAY + datetime.timedelta(hours=n),),
    'SELECT "select", "Key" FROM "Order" WHERE "Key" = $1': (
        lambda n: (KEY if n % 2 else uuid.UUID(int=n),)
    ),
    'SELECT "Batch" FROM "Order" WHERE "select" @> $1': lambda n: ({"n": n},),
    "SELECT id FROM points WHERE id = $1 AND EXISTS (SELECT FROM points p WHERE p.id = $1 + 199)": (
        lambda n: (n,)
    ),
    "SELECT id, (SELECT max(id) FROM points p WHERE p.id < $1) FROM points WHERE id = $1; -- x": (
        lambda n: (n,)
    ),
    "SELECT generate_series(1, $1) AS g": lambda n: (n % 4,),
    'SELECT id AS "ID", lower(name) AS name FROM points /* $9 */ WHERE id = $1': lambda n: (n,),
}
ALONE = {
    "SELECT id FROM points WHERE id > $1 ORDER BY id LIMIT 2": lambda n: (n,),
    "SELECT id FROM points WHERE id = ANY ($1)": lambda n: ([n, n + 1],),
    "SELECT name FROM plain WHERE id = $1": lambda n: (n,),
    "SELECT id FROM points WHERE id = $1 FOR UPDATE": lambda n: (n,),
    "WITH a AS (SELECT $1::int AS x) SELECT x FROM a": lambda n: (n,),
    "SELECT id FROM points WHERE id = $1 UNION SELECT $1": lambda n: (n,),
    "SELECT count($1::int) AS n": lambda n: (n,),
    "SELECT owner FROM secret WHERE id = $1": lambda n: (n,),
}


@pytest.fixture
def adapter() -> Adapter:
    return Adapter("bundled", psqlpy_adapter)


@pytest.fixture
async def session(session, monkeypatch):
    # On a busy machine any statement may be slow, and slow ones are not grouped.
    monkeypatch.setattr("psqlpy_adapter.grouping.SLOW_SECONDS", 60)
    await session.execute_script(SCHEMA)
    return session


async def is_grouped(session, statement: str) -> bool:
    grouping = session.describer.known(statement).batch
    return grouping is not None and grouping.is_checked(session) and grouping.usable(session)


@pytest.mark.parametrize("statement", [*GROUPED, *ALONE])
async def test_gathered_runs_have_the_rows_of_single_runs(session, statement):
    values = GROUPED.get(statement) or ALONE[statement]
    numbers = range(1, 41)
    one_by_one = [await session.select(statement, *values(number)) for number in numbers]
    gathered = await asyncio.gather(*(session.select(statement, *values(n)) for n in numbers))
    again = await asyncio.gather(*(session.select(statement, *values(n)) for n in numbers))
    assert [sorted(map(repr, rows)) for rows in gathered] == [
        sorted(map(repr, rows)) for rows in one_by_one
    ]
    assert again == gathered
    assert await is_grouped(session, statement) is (statement in GROUPED)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT nextval('numbers') AS number WHERE $1::int > 0",
        "SELECT next_number($1) AS number",
        "SELECT number FROM numbered WHERE id = $1",
    ],
)
async def test_a_function_with_side_effects_is_called_once_a_run(session, statement):
    await session.select(statement, 1)
    rows = await asyncio.gather(*(session.select_one(statement, n) for n in range(1, 41)))
    assert [row["number"] for row in rows] == list(range(2, 42))


async def test_groups_are_not_made_inside_a_transaction(session):
    statement = "SELECT 10 / $1::int AS ratio"
    await session.select(statement, 1)
    await asyncio.gather(*(session.select(statement, 1) for _ in range(10)))
    assert await is_grouped(session, statement)
    await session.execute("BEGIN")
    answers = await asyncio.gather(
        *(session.select_value(statement, number) for number in (1, 2, 0, 5)),
        return_exceptions=True,
    )
    await session.execute("ROLLBACK")
    assert answers[:2] == [10, 5]
    assert all(isinstance(answer, SQLSpecError) for answer in answers[2:])


async def test_a_table_that_is_altered_while_its_reads_are_grouped_is_read_as_it_is(session):
    statement = "SELECT * FROM points WHERE id = $1"
    await session.select(statement, 1)
    await asyncio.gather(*(session.select(statement, n) for n in range(1, 20)))
    assert await is_grouped(session, statement)
    await session.execute("ALTER TABLE points ADD extra int DEFAULT 3")
    for _ in range(2):
        rows = await asyncio.gather(*(session.select_one(statement, n) for n in range(1, 20)))
        assert [(row["id"], row["extra"]) for row in rows] == [(n, 3) for n in range(1, 20)]


async def test_a_transaction_begins_where_it_was_awaited(session):
    insert = "INSERT INTO points (id) VALUES ($1)"
    await asyncio.gather(
        session.execute(insert, 1_000), session.begin(), session.execute(insert, 1_001)
    )
    await session.rollback()
    assert await session.select_value("SELECT max(id) FROM points") == 1_000


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


async def test_a_new_view_in_the_search_path_ends_the_grouping(session):
    statement = "SELECT id FROM points WHERE id = $1"
    await session.select(statement, 1)
    await asyncio.gather(*(session.select(statement, n) for n in range(1, 20)))
    assert await is_grouped(session, statement)
    await session.execute_script("""
        CREATE SCHEMA other;
        CREATE VIEW other.points AS SELECT nextval('numbers')::int AS id;
        SET search_path TO other, public;
    """)
    await asyncio.gather(*(session.select(statement, n) for n in range(1, 20)))
    assert not await is_grouped(session, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1",
        "SELECT $1; SELECT $2",
        "SELECT a INTO b FROM c WHERE d = $1",
        "INSERT INTO t SELECT $1",
        'SELECT U&"a" FROM t WHERE id = $1',
        "SELECT txid_current() WHERE $1",
        "TABLE t",
        "",
    ],
)
def test_a_text_that_may_mean_more_is_never_grouped(statement):
    assert read_group(statement) is None


class Course:
    """Tasks that take turns in a lane, and the order in which they had them."""

    def __init__(self) -> None:
        self.lane = Lane()
        self.events: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}

    async def run(self, name: str, *, alone: bool = False) -> None:
        gate = self.gates.setdefault(name, asyncio.Event())
        async with self.lane.alone() if alone else self.lane.shared():
            self.events.append(f"+{name}")
            await gate.wait()
            self.events.append(f"-{name}")


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_shared_turns_overlap_and_a_lone_turn_does_not():
    course = Course()
    async with asyncio.TaskGroup() as group:
        for name in "ab":
            group.create_task(course.run(name))
        group.create_task(course.run("C", alone=True))
        for name in "de":
            group.create_task(course.run(name))
        await settle()
        assert course.events == ["+a", "+b"]
        for name in "baCde":
            course.gates[name].set() if name in course.gates else None
            await settle()
    assert course.events[:6] == ["+a", "+b", "-b", "-a", "+C", "-C"]
    assert course.events[6:8] == ["+d", "+e"]
    assert course.lane.idle


async def test_a_cancelled_place_in_the_queue_is_given_up():
    course = Course()
    first = asyncio.ensure_future(course.run("a"))
    await settle()
    lone = asyncio.ensure_future(course.run("B", alone=True))
    behind = asyncio.ensure_future(course.run("c"))
    await settle()
    assert course.events == ["+a"]
    lone.cancel()
    await settle()
    assert course.events == ["+a", "+c"]
    course.gates["a"].set()
    course.gates["c"].set()
    await asyncio.gather(first, behind)
    assert course.lane.idle


async def test_a_turn_that_is_given_and_cancelled_at_once_is_passed_on():
    course = Course()
    async with course.lane.alone():
        second = asyncio.ensure_future(course.run("B", alone=True))
        third = asyncio.ensure_future(course.run("c"))
        await settle()
    second.cancel()  # it has the turn now, and has not run since
    course.gates["c"].set()
    await asyncio.gather(second, third, return_exceptions=True)
    assert course.events == ["+c", "-c"]
    assert course.lane.idle


async def test_what_is_left_to_an_heir_is_done_though_all_tasks_are_cancelled():
    lane = Lane()
    done: list[str] = []

    async def undo() -> None:
        done.append("undone")

    async def commit() -> None:
        async with lane.alone(heir=undo):
            done.append("committed")

    async with lane.alone():
        waiting = asyncio.ensure_future(commit())
        await settle()
        waiting.cancel()
        await settle()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await settle()
    assert done == ["undone"]
    assert lane.idle


async def test_a_task_that_has_the_lane_alone_may_take_turns_inside():
    lane = Lane()
    async with lane.alone(), lane.alone(), lane.shared():
        assert lane.under_way == 2
    assert lane.idle


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
