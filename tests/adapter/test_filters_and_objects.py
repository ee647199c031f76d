"""Values beside filters and in SQL objects mean what they mean in plain text."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Adapter
from sqlspec.core import SQL
from sqlspec.core.filters import LimitOffsetFilter

SCHEMA = """
CREATE TABLE points (id int PRIMARY KEY, doc jsonb, place vector(2));
INSERT INTO points SELECT n, jsonb_build_object('k', n), array[n, 1]::real[]::vector
FROM generate_series(1, 25) AS n;
"""
CONTAINS = "SELECT id FROM points WHERE doc @> {}"
ANY = "SELECT id FROM points WHERE id = ANY ($1) ORDER BY id"


@pytest.fixture
def adapter() -> Adapter:
    import psqlpy_adapter

    return Adapter("bundled", psqlpy_adapter)


@pytest.fixture
async def points(session):
    await session.execute_script(SCHEMA)


@pytest.mark.parametrize("mark", ["$1", "?", "%s"])
async def test_a_lone_dict_beside_a_filter_is_the_document(session, points, mark):
    for _ in (1, 2):
        rows = await session.select(CONTAINS.format(mark), {"k": 3}, LimitOffsetFilter(5, 0))
        assert rows == [{"id": 3}]


async def test_a_lone_list_beside_a_filter_is_the_array(session, points):
    for _ in (1, 2):
        rows = await session.select(ANY, [1, 2, 3], LimitOffsetFilter(5, 1))
        assert rows == [{"id": 2}, {"id": 3}]


async def test_a_lone_array_beside_a_filter_is_the_vector(session, points):
    nearest = "SELECT id FROM points ORDER BY place <-> $1"
    for _ in (1, 2):
        rows = await session.select(nearest, np.array([3.0, 1.0]), LimitOffsetFilter(1, 0))
        assert rows == [{"id": 3}]


@pytest.mark.parametrize("own", [True, False], ids=["in the object", "with the call"])
async def test_a_lone_dict_of_an_sql_object_is_the_document(session, points, own):
    text = CONTAINS.format("$1")
    for _ in (1, 2):
        rows = await (
            session.select(SQL(text, {"k": 3})) if own else session.select(SQL(text), {"k": 3})
        )
        assert rows == [{"id": 3}]


async def test_the_dicts_of_a_batch_of_an_sql_object_are_documents(session, points):
    insert = SQL("INSERT INTO points (id, doc) SELECT 100 + count(*), $1::jsonb FROM points")
    await session.execute_many(insert, [{"k": 3}])
    assert await session.select_value("SELECT doc FROM points WHERE id > 100") == {"k": 3}


@pytest.mark.parametrize("marks", ["?,?", "$1,$2", ":a,:b"])
async def test_an_sql_object_needs_no_space_between_its_placeholders(session, points, marks):
    values = {"a": 1, "b": 2} if ":" in marks else [1, 2]
    text = SQL(f"SELECT id FROM points WHERE id IN ({marks}) ORDER BY id")
    for _ in (1, 2):
        assert await session.select(text, values) == [{"id": 1}, {"id": 2}]


@pytest.mark.parametrize("marks", ["?,?", "$1,$2", ":a,:b"])
async def test_a_batch_of_an_sql_object_needs_no_space_either(session, points, marks):
    one = {"a": 100, "b": None} if ":" in marks else (100, None)
    await session.execute_many(SQL(f"INSERT INTO points (id, doc) VALUES ({marks})"), [one])
    assert await session.select_value("SELECT count(*) FROM points WHERE id = 100") == 1


@pytest.mark.parametrize(("text", "values", "first", "total"), [
    ("SELECT id FROM points ORDER BY id LIMIT $1", (2,), 1, 25),
    ("SELECT id FROM points ORDER BY id LIMIT ?", (2,), 1, 25),
    ("SELECT id + $1 AS id FROM points WHERE id > $2 ORDER BY id", (100, 20), 121, 5),
    ("SELECT id FROM points ORDER BY place <-> $1 LIMIT 2", ([3.0, 1.0],), 3, 25),
    ("SELECT id FROM points WHERE id > $1 ORDER BY id LIMIT $2 OFFSET $3", (3, 2, 1), 5, 22),
    ("SELECT id FROM points WHERE id > :low ORDER BY id LIMIT :n", ({"low": 3, "n": 2},), 4, 22),
    ("SELECT id FROM points WHERE doc ? 'k' AND id > $1 ORDER BY id", (3, ), 4, 22),
])  # fmt: skip
async def test_the_total_needs_only_the_parameters_that_are_left(
    session, points, text, values, first, total
):
    for _ in (1, 2):
        rows, counted = await session.select_with_total(text, *values)
        assert (rows[0]["id"], counted) == (first, total)


async def test_the_total_of_a_filtered_statement_ignores_the_page(session, points):
    text = "SELECT id FROM points WHERE id = ANY ($1)"
    rows, total = await session.select_with_total(text, [1, 2, 3], LimitOffsetFilter(1, 1))
    assert (rows, total) == ([{"id": 2}], 3)
