"""Proofs of references/pgvector.md: the distance operators, and statements that write by them."""

from __future__ import annotations

import math
from typing import Any

import psqlpy.extra_types
import pytest
from proveskill import proves
from psqlpy.extra_types import PgVector
from sqlspec.adapters.psqlpy import PsqlpyDriver
from sqlspec.exceptions import SQLSpecError

A, B = [3.0, 4.0, 0.0], [1.0, 2.0, 2.0]
PRODUCT = 11.0
TWO = f"'{A}'::vector {{}} '{B}'::vector"
EXPECTED = {
    "Euclidean (L2)": math.dist(A, B),
    "cosine": 1 - PRODUCT / (5 * 3),
    "inner product times -1": -PRODUCT,
    "taxicab (L1)": 2 + 2 + 2,
}
OPERATORS = ("<->", "<=>", "<#>", "<+>")
ORDERED_BY = """
    SELECT c.opcname AS class, string_agg(m.amname, ' ' ORDER BY m.amname) AS methods
    FROM pg_opclass AS c JOIN pg_am AS m ON m.oid = c.opcmethod
    JOIN pg_amop AS o ON o.amopfamily = c.opcfamily AND o.amoppurpose = 'o'
    WHERE o.amopopr = $1::text::regoperator AND m.amname IN ('hnsw', 'ivfflat')
    GROUP BY c.opcname
"""


@proves(
    "`{operator}` | {distance} | {classes}",
    table="operator | distance | HNSW and IVFFlat operator class",
)
async def test_an_operator_measures_a_distance_and_has_a_class(
    session: PsqlpyDriver, operator: str, distance: str, classes: str
) -> None:
    measured = await session.select_value(f"SELECT {TWO.format(operator)}")
    assert measured == pytest.approx(EXPECTED[distance])
    row = await session.select_one(ORDERED_BY, f"{operator}(vector,vector)")
    only = {"hnsw": " (HNSW only)", "hnsw ivfflat": ""}[row["methods"]]
    assert row["class"] + only == classes.replace("`", "")


@proves(
    "{first} ignores length, {second} does not, so they rank differently:",
    "`{ip}` is negated so that the best match sorts first:",
)
async def test_length_counts_or_does_not(
    session: PsqlpyDriver, first: str, second: str, ip: str
) -> None:
    operators = {"Cosine": "<=>", "Euclidean": "<->"}
    one, other = operators[first], operators[second]
    sql = f"SELECT vector {one} $1 AS a, vector {other} $1 AS b FROM embeddings WHERE id IN (1, 5)"
    x, far_x = await session.select(f"{sql} ORDER BY id", PgVector([8, 0, 0]))
    assert x["a"] == far_x["a"]
    assert x["b"] != far_x["b"]
    sql = "SELECT label FROM embeddings ORDER BY vector {} $1, id LIMIT 1"
    ranked = [await session.select_value(sql.format(o), PgVector([3, 1, 0])) for o in (one, other)]
    assert ranked == ["x", "xy"]
    assert await session.select_value(f"SELECT {TWO.format(ip)}") == -PRODUCT
    products = "SELECT id FROM embeddings ORDER BY vector {} $1 LIMIT 1"
    assert await session.select_value(products.format(ip), PgVector([1, 0, 0])) == 5


@proves("Bind a threshold as `{name}`: a plain `{plain}` works once in a SELECT.", adapter="stock")
async def test_a_threshold_needs_its_type(session: PsqlpyDriver, name: str, plain: str) -> None:
    sql = "SELECT count(*) FROM embeddings WHERE (vector <=> $1) < $2"
    query, wrap = PgVector([8, 0, 0]), getattr(psqlpy.extra_types, name)
    for _ in range(3):
        assert await session.select_value(sql, query, wrap(0.1)) == 2
    sql, value = sql.replace("count(*)", "count(id)"), 0.1
    assert type(value).__name__ == plain
    assert await session.select_value(sql, query, value) == 2
    for _ in range(2):
        with pytest.raises(SQLSpecError, match="incorrect binary data format"):
            await session.select_value(sql, query, value)


@proves(
    "Put the distance in parentheses: `-` binds stronger than `<=>`, so `{expression}` is an error."
)
async def test_minus_binds_stronger_than_a_distance(session: PsqlpyDriver, expression: str) -> None:
    sql = "SELECT {} FROM embeddings WHERE id = 1"
    with pytest.raises(SQLSpecError, match="operator does not exist: integer - vector"):
        await session.select_value(sql.format(expression), PgVector([1, 0, 0]))
    in_parentheses = expression.replace("vector <=> $1", "(vector <=> $1)")
    assert await session.select_value(sql.format(in_parentheses), PgVector([1, 0, 0])) == 1.0


@proves("The cosine distance to a zero vector is {value}:")
async def test_a_zero_vector_has_no_direction(session: PsqlpyDriver, value: float) -> None:
    found = await session.select_value("SELECT '[0,0,0]'::vector <=> $1", PgVector(A))
    assert math.isnan(found)
    assert math.isnan(value)


@pytest.fixture
async def sent(session: PsqlpyDriver) -> None:
    """Tables for what the server is asked."""
    await session.execute_script(
        "CREATE TEMP TABLE one (vector vector(2)); INSERT INTO one VALUES ('[1,0]');"
        "CREATE TEMP TABLE sent (id int, query text, near bool); INSERT INTO sent VALUES (1);"
        "CREATE TEMP TABLE points (id int, v vector(2));"
    )
    points = [(number, PgVector([number, 1])) for number in range(1, 7)]
    await session.execute_many("INSERT INTO points (id, v) VALUES ($1, $2)", points)


WRITE = "WHERE id = (SELECT id FROM points ORDER BY {} LIMIT 1)"
UPDATE = f"UPDATE points SET id = id + 100 {WRITE}"
FAR = PgVector([6, 1])
"""The point 6."""


async def changed(session: PsqlpyDriver, distance: str, tail: str = "") -> tuple[list[int], int]:
    """Update the nearest point; return which ones were updated, and how many are reported."""
    await session.begin()
    result = await session.execute(UPDATE.format(distance) + tail, FAR)
    ids = [row["id"] - 100 for row in await session.select("SELECT id FROM points WHERE id > 100")]
    await session.rollback()
    return ids, result.rows_affected


@proves(
    "Add `RETURNING` to every INSERT, UPDATE and DELETE that holds `<=>`.",
    "SQLSpec rewrites DML without `RETURNING` to count its rows.",
    "The rewrite parses the statement as plain PostgreSQL, where `<=>` becomes `{becomes}`.",
    "With `{clause}` nothing is rewritten:",
    adapter="stock",
)
async def test_writes_are_rewritten_without_returning(
    session: PsqlpyDriver, sent: None, clause: str, becomes: str
) -> None:
    query = PgVector([1, 0])
    sql = "INSERT INTO sent SELECT 7, current_query(), (vector <=> $1) IS NULL FROM one"
    await session.execute(sql, query)
    rewritten = await session.select_value("SELECT query FROM sent WHERE id = 7")
    assert f"vector {becomes} $1" in rewritten
    assert "RETURNING 1) SELECT COUNT(*)" in rewritten
    sql = "UPDATE sent SET query = current_query() WHERE ('[1,0]'::vector <=> $1) >= 0 "
    sql += f"{clause} id"
    result = await session.execute(sql, query)
    assert len(result.all()) == 2
    assert await session.select("SELECT DISTINCT query FROM sent") == [{"query": sql}]
    assert (await changed(session, "v <=> $1", f" {clause} id"))[0] == [6]
    delete = f"DELETE FROM points {WRITE} {clause} id".format("v <=> $1")
    assert (await session.execute(delete, FAR)).all() == [{"id": 6}]
    copy = "INSERT INTO points SELECT id + 200, v FROM points ORDER BY v <=> $1 LIMIT 1"
    assert (await session.execute(f"{copy} {clause} id", FAR)).all() == [{"id": 205}]


@proves("The statement then acts on the wrong rows, or raises a type error.", adapter="stock")
async def test_a_rewritten_distance_is_wrong(session: PsqlpyDriver, sent: None) -> None:
    wrong, reported = await changed(session, "v <=> $1")
    assert wrong != [6]
    assert reported == len(wrong) == 1
    copy = "INSERT INTO points SELECT id + 100, v FROM points ORDER BY v <=> $1 LIMIT 1"
    await session.execute(copy, FAR)
    assert await session.select_value("SELECT count(*) FROM points WHERE id = 106") == 0
    for typed in (
        "DELETE FROM points WHERE (v <=> $1) < 0.1",
        "UPDATE points SET id = round(v <=> $1)",
    ):
        with pytest.raises(SQLSpecError, match=r"does not exist|of type"):
            await session.execute(typed, FAR)


@proves(
    "`{function}(a, b)` is a plain function and needs no `RETURNING`.",
    "`{l2}` survives the rewrite.",
    "`{ip}` and `{l1}` act on the right row, but report no row:",
    adapter="stock",
)
async def test_other_distances_in_a_write(
    session: PsqlpyDriver, sent: None, function: str, l2: str, ip: str, l1: str
) -> None:
    assert await changed(session, f"{function}(v, $1)") == ([6], 1)
    named = await session.select_value(f"SELECT {function}('{A}', '{B}'::vector)")
    assert named == pytest.approx(EXPECTED["cosine"])
    assert await changed(session, f"v {l2} $1") == ([6], 1)
    silent = [o for o in OPERATORS if await changed(session, f"v {o} $1") == ([6], 0)]
    assert silent == [ip, l1]


@proves("With `dropin`, a session of the drop-in, any operator works in any statement:")
async def test_the_dropin_writes_by_any_distance(dropin: Any) -> None:
    for operator in OPERATORS:
        await dropin.begin()
        where = f"(SELECT id FROM embeddings WHERE id < 5 ORDER BY vector {operator} $1 LIMIT 1)"
        for write, find in (
            ("INSERT INTO embeddings SELECT 90, 'it', vector FROM embeddings WHERE id = {}",
             "SELECT 1 FROM embeddings WHERE id = 90 AND vector = '[0,0,1]'"),
            ("UPDATE embeddings SET label = 'it' WHERE id = {}",
             "SELECT 1 FROM embeddings WHERE id = 3 AND label = 'it'"),
            ("DELETE FROM embeddings WHERE id = {}",
             "SELECT 1 WHERE NOT EXISTS (SELECT FROM embeddings WHERE id = 3)"),
        ):  # fmt: skip
            if write.startswith("DELETE"):
                await dropin.execute("DELETE FROM embeddings WHERE id = 90")
            result = await dropin.execute(write.format(where), [0, 0, 1])
            assert result.rows_affected == 1
            assert await dropin.select_value(find) == 1
        await dropin.rollback()
