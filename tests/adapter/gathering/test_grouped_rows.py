"""Gathered runs of a statement share a message where its rows are those of single runs."""

from __future__ import annotations

import asyncio
import datetime
import decimal
import uuid

import pytest
from gathering_tools import gather, is_grouped
from psqlpy_adapter.read_group import read_group

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


@pytest.mark.parametrize("statement", [*GROUPED, *ALONE])
async def test_gathered_runs_have_the_rows_of_single_runs(session, statement):
    values = GROUPED.get(statement) or ALONE[statement]
    numbers = range(1, 41)
    one_by_one = [await session.select(statement, *values(number)) for number in numbers]
    gathered = await gather(session, *(session.select(statement, *values(n)) for n in numbers))
    again = await gather(session, *(session.select(statement, *values(n)) for n in numbers))
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
