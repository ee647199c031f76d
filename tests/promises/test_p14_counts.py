"""P14: vector operators act on the right rows in every statement, and the count is true."""

import numpy as np
import pytest
from faults import OTHER_FORMAT, PANICS, UNKNOWN
from harness import Breaks, promise
from sqlspec.exceptions import SQLSpecError

QUERY = [1.0, 0.0, 0.0]
NOT_DISTINCT = Breaks(SQLSpecError, "expression is of type boolean")
"""`<=>` was written anew as IS NOT DISTINCT FROM."""
SETUP = """
CREATE TABLE near (id int PRIMARY KEY, e vector(3), note text, d float8);
INSERT INTO near SELECT g, ARRAY[cos(g / 10.0), sin(g / 10.0), 0]::vector
FROM generate_series(1, 9) g;
"""


async def left(session):
    return [row["id"] for row in await session.select("SELECT id FROM near ORDER BY id")]


@pytest.mark.parametrize("operator", ["<=>", "<->", "<#>", "<+>"])
@promise("P14", stock=UNKNOWN)
async def test_delete_acts_on_the_nearest_rows_and_counts_them(adapter, session, operator):
    await session.execute_script(SETUP)
    statement = (
        f"DELETE FROM near WHERE id IN (SELECT id FROM near ORDER BY e {operator} $1, id LIMIT $2)"
    )
    for rows in ([4, 5, 6, 7, 8, 9], [7, 8, 9]):
        result = await session.execute(statement, np.array(QUERY), 3)
        assert result.rows_affected == 3
        assert await left(session) == rows


@promise("P14", stock=NOT_DISTINCT)
async def test_update_sets_a_distance(adapter, session):
    await session.execute_script(SETUP)
    for _ in (1, 2):
        result = await session.execute("UPDATE near SET d = e <=> $1 WHERE id < $2", QUERY, 6)
        assert result.rows_affected == 5
    assert await session.select_value("SELECT count(*) FROM near WHERE d < 0.2 AND d >= 0") == 5


@promise("P14", stock=PANICS)
async def test_insert_selects_the_nearest_rows(adapter, session):
    await session.execute_script(SETUP)
    for add, query in ((100, QUERY), (200, QUERY)):
        result = await session.execute(
            "INSERT INTO near SELECT id + $1, e FROM near WHERE id < 100 ORDER BY e <=> $2 LIMIT 2",
            add, query,
        )  # fmt: skip
        assert result.rows_affected == 2
    assert (await left(session))[-4:] == [101, 102, 201, 202]


@promise("P14", stock=PANICS)
async def test_a_distance_in_where_is_a_distance(adapter, session):
    await session.execute_script(SETUP)
    result = await session.execute("DELETE FROM near WHERE (e <=> $1) < $2", QUERY, 0.01)
    assert result.rows_affected == 1
    assert await left(session) == [2, 3, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize(("statement", "count"), [
    ("INSERT INTO near (id) VALUES (50), (51)", 2),
    ("INSERT INTO near (id) VALUES (1), (52) ON CONFLICT DO NOTHING", 1),
    ("UPDATE near SET note = 'RETURNING' WHERE id > 5 /* RETURNING */", 4),
    ("DELETE FROM near WHERE false -- RETURNING", 0),
    ("WITH few AS (SELECT id FROM near WHERE id < 3) DELETE FROM near USING few "
     "WHERE near.id = few.id;", 2),
    ("WITH gone AS (DELETE FROM near WHERE id = 1 RETURNING id) "
     "UPDATE near SET note = 'x' WHERE id = (SELECT id + 1 FROM gone)", 1),
])  # fmt: skip
@promise("P14", stock=None)
async def test_a_count_is_the_number_of_rows(adapter, session, statement, count):
    await session.execute_script(SETUP)
    assert (await session.execute(statement)).rows_affected == count


@pytest.mark.parametrize(("statement", "count"), [
    ("MERGE INTO near USING (VALUES (1, 'a'), (60, 'b')) AS new (id, note) ON near.id = new.id "
     "WHEN MATCHED THEN UPDATE SET note = new.note "
     "WHEN NOT MATCHED THEN INSERT (id, note) VALUES (new.id, new.note)", 2),
    ("WITH RECURSIVE n AS (SELECT 70 AS id UNION ALL SELECT id + 1 FROM n WHERE id < 72) "
     "INSERT INTO near (id) SELECT id FROM n", 3),
])  # fmt: skip
@promise("P14", stock=Breaks(AssertionError))
async def test_a_count_is_true_in_the_statements_that_stock_does_not_count(
    adapter, session, statement, count
):
    await session.execute_script(SETUP)
    result = await session.execute(statement)
    assert result.rows_affected == count
    assert result.is_success()


@promise("P14", stock=Breaks(SQLSpecError, "rules are not supported"))
async def test_a_table_with_a_rule_takes_the_insert_and_the_count_is_unknown(adapter, session):
    await session.execute_script(
        f"{SETUP} CREATE TABLE log (id int);"
        "CREATE RULE also AS ON INSERT TO near DO ALSO INSERT INTO log VALUES (NEW.id)"
    )
    for number in (80, 81):
        result = await session.execute("INSERT INTO near (id) VALUES ($1)", number)
        assert result.rows_affected == -1
        assert result.is_success()
    assert await session.select_value("SELECT count(*) FROM log") == 2


@promise("P14", stock=Breaks(SQLSpecError, "rules are not supported"))
async def test_the_search_for_a_count_leaves_the_transaction_alone(adapter, session):
    await session.execute_script(
        f"{SETUP} CREATE TABLE log (id int);"
        "CREATE RULE also AS ON INSERT TO near DO ALSO INSERT INTO log VALUES (NEW.id)"
    )
    for begin in (session.begin, lambda: session.execute("BEGIN")):
        await begin()
        await session.execute("DELETE FROM near WHERE id = 1")
        await session.execute("INSERT INTO near (id) VALUES ($1)", 90)
        await session.execute("ROLLBACK") if begin != session.begin else await session.rollback()
    assert await left(session) == [1, 2, 3, 4, 5, 6, 7, 8, 9]


@promise("P14", stock=None)
async def test_a_select_orders_by_distance(adapter, session):
    await session.execute_script(SETUP)
    rows = await session.select("SELECT id FROM near ORDER BY e <=> '[1,0,0]' LIMIT 2")
    assert [row["id"] for row in rows] == [1, 2]


@pytest.mark.parametrize("form", ["$1", "?", "%s", ":q"])
@pytest.mark.parametrize("operator", ["<=>", "<->", "<#>", "<+>"])
@promise("P14", stock=(PANICS, NOT_DISTINCT))
async def test_every_operator_writes_and_reads_in_every_style(adapter, session, operator, form):
    await session.execute_script(SETUP)
    query = {"q": QUERY} if form == ":q" else (QUERY,)
    distance = f"e{operator}{form}"
    nearest = f"FROM near WHERE id < 100 ORDER BY {distance} LIMIT 2"
    for inserted in (2, 0):
        done = await session.execute(f"UPDATE near SET d = {distance} WHERE id < 6", query)
        assert done.rows_affected == 5
        rows = await session.select(f"SELECT id {nearest}", query)
        assert [row["id"] for row in rows] == [1, 2]
        done = await session.execute(
            f"INSERT INTO near SELECT id + 100, e {nearest} ON CONFLICT DO NOTHING", query
        )
        assert done.rows_affected == inserted
    done = await session.execute(
        f"MERGE INTO near USING (SELECT id FROM near ORDER BY {distance}, id LIMIT 3) AS n "
        "ON near.id = n.id WHEN MATCHED THEN DELETE",
        query,
    )
    assert done.rows_affected == 3


BITS = """
CREATE TABLE near (id int PRIMARY KEY, b bit(4), d float8);
INSERT INTO near VALUES (1, B'1111'), (2, B'1110'), (3, B'1100'), (4, B'1000'), (5, B'0000');
"""


@pytest.mark.parametrize("operator", ["<~>", "<%>"])
@promise("P14", stock=OTHER_FORMAT)
async def test_the_distances_of_bits_work_in_every_statement(adapter, session, operator):
    await session.execute_script(BITS)
    nearest = f"SELECT id FROM near ORDER BY b {operator} $1, id LIMIT $2"
    for _ in (1, 2):
        rows = await session.select(nearest, "1111", 2)
        assert [row["id"] for row in rows] == [1, 2]
        update = f"UPDATE near SET d = b {operator} $1 WHERE id < $2"
        assert (await session.execute(update, "1111", 4)).rows_affected == 3
        assert await session.select_value("SELECT d FROM near WHERE id = 1") == 0
        assert await session.select_value("SELECT d FROM near WHERE id = 3") > 0
    for rows in ([2, 3, 4, 5], [3, 4, 5]):
        done = await session.execute(f"DELETE FROM near WHERE id IN ({nearest})", "1111", 1)
        assert done.rows_affected == 1
        assert await left(session) == rows
    insert = f"INSERT INTO near SELECT id + $1, b, b {operator} $2 FROM near WHERE id < 100"
    assert (await session.execute(insert, 100, "1111")).rows_affected == 3
