"""Proofs of references/pgvector.md: which searches an index serves, and how many dimensions."""

from __future__ import annotations

import pytest
from proveskill import proves
from psqlpy.extra_types import Float64, PgVector
from sqlspec.adapters.psqlpy import PsqlpyDriver
from sqlspec.exceptions import SQLSpecError
from version_tools import server_has, versions_needed

ITEMS = """
    CREATE TEMP TABLE items AS
    SELECT i AS id, repeat('text ', 380) AS body, ARRAY[cos(i), sin(i), i]::vector(3) AS vector
    FROM generate_series(1, 1000) AS i;
    CREATE INDEX items_cosine ON items USING hnsw (vector vector_cosine_ops);
    ANALYZE items;
"""
QUERY = PgVector([1, 0, 1])
SIMILARITY = "ORDER BY 1 - (vector <=> $1) DESC LIMIT 5"


@pytest.fixture
async def items(session: PsqlpyDriver) -> None:
    await session.execute_script(ITEMS)


async def plan(session: PsqlpyDriver, rest: str, *values: object, select: str = "id") -> str:
    """The lines of the plan of a search in the items."""
    values = values or (QUERY,)
    rows = await session.select(f"EXPLAIN (COSTS OFF) SELECT {select} FROM items {rest}", *values)
    return "\n".join(row["QUERY PLAN"] for row in rows)


@proves(
    "The index serves `ORDER BY column OPERATOR value LIMIT n`, with the operator of its operator"
    " class, ascending.",
    "An alias of the distance is fine.",
    "Ask EXPLAIN:",
    "Each of these reads the whole table:",
    "Keep a threshold, but beside ORDER BY and LIMIT:",
    "Order by the distance, not by the similarity: only the distance can use an index.",
)
async def test_what_the_index_serves(session: PsqlpyDriver, items: None) -> None:
    nearest = "ORDER BY vector <=> $1 LIMIT 5"
    alias = await plan(session, "ORDER BY d LIMIT 5", select="id, vector <=> $1 AS d")
    beside = await plan(session, f"WHERE (vector <=> $1) < $2 {nearest}", QUERY, Float64(0.1))
    for served in (await plan(session, nearest), alias, beside):
        assert "Index Scan using items_cosine" in served
    alone = await plan(session, "WHERE (vector <=> $1) < $2", QUERY, Float64(0.1))
    for whole in (
        alone,
        await plan(session, SIMILARITY),
        await plan(session, "ORDER BY vector <=> $1 DESC LIMIT 5"),
        await plan(session, "ORDER BY vector <-> $1 LIMIT 5"),
        await plan(session, "ORDER BY cosine_distance(vector, $1) LIMIT 5"),
        await plan(session, "ORDER BY vector <=> $1"),
        await plan(session, "ORDER BY vector::halfvec <=> $1::vector::halfvec LIMIT 5"),
    ):
        assert "Seq Scan on items" in whole
    await session.execute("SET enable_seqscan = off")
    cannot = await plan(session, SIMILARITY)
    await session.execute("RESET enable_seqscan")
    assert "items_cosine" not in cannot


@proves("So is a second sort key, from {server} {version} on.")
async def test_a_second_sort_key(
    session: PsqlpyDriver, items: None, server: str, version: str
) -> None:
    assert version in versions_needed(server)
    served = "Index Scan using items_cosine" in await plan(
        session, "ORDER BY vector <=> $1, id LIMIT 5"
    )
    assert served == await server_has(session, version)


@proves(
    "An IVFFlat index searches {lists} of its lists by default, so it misses rows; raise"
    " `{setting}`:"
)
async def test_an_ivfflat_index_searches_one_list(
    session: PsqlpyDriver, lists: int, setting: str
) -> None:
    await session.execute_script(
        "CREATE TEMP TABLE listed AS SELECT ARRAY[i / 100, 1]::vector(2) AS v"
        " FROM generate_series(0, 999) AS i;"
        "CREATE INDEX ON listed USING ivfflat (v vector_l2_ops) WITH (lists = 10);"
        "SET enable_seqscan = off"
    )
    search = "SELECT count(*) FROM (SELECT FROM listed ORDER BY v <-> '[0,1]' LIMIT 1000) AS found"
    default = await session.select_value(search)
    assert default < 1000
    assert await session.select_value(f"SHOW {setting}") == str(lists)
    await session.execute(f"SET {setting} = 10")
    assert await session.select_value(search) == 1000
    await session.execute(f"SET {setting} = {lists}")
    assert await session.select_value(search) == default
    await session.execute_script(f"RESET enable_seqscan; RESET {setting}")


@proves("HNSW and IVFFlat take at most {full} dimensions of `vector` and {half} of `halfvec`.")
async def test_dimensions_of_an_index(session: PsqlpyDriver, full: int, half: int) -> None:
    for kind, most in (("vector", full), ("halfvec", half)):
        await session.execute(f"CREATE TEMP TABLE wide (v {kind}({most}), w {kind}({most + 1}))")
        for method in ("hnsw", "ivfflat"):
            index = f"CREATE INDEX ON wide USING {method} ({{}} {kind}_cosine_ops)"
            await session.execute(index.format("v"))
            with pytest.raises(SQLSpecError, match=f"more than {most} dimensions"):
                await session.execute(index.format("w"))
        await session.execute("DROP TABLE wide")


@proves(
    "Index the column as `{kind}`, and repeat the same expression, dimension included, in the"
    " query."
)
async def test_an_index_of_an_expression(session: PsqlpyDriver, kind: str) -> None:
    await session.execute_script(
        "CREATE TEMP TABLE docs (id int, embedding vector(3072));"
        "INSERT INTO docs SELECT i, array_fill(i, ARRAY[1536]) || array_fill(1, ARRAY[1536])"
        " FROM generate_series(1, 9) AS i;"
        f"CREATE INDEX halved ON docs USING hnsw ((embedding::{kind}(3072)) {kind}_cosine_ops);"
        "SET enable_seqscan = off"
    )
    query = PgVector([7] * 1536 + [1] * 1536)
    search = "SELECT id FROM docs ORDER BY {} <=> {} LIMIT 1"
    same = search.format(f"embedding::{kind}(3072)", f"$1::vector::{kind}")
    assert await session.select_value(same, query) == 7
    for sql, uses in (
        (same, True),
        (search.format("embedding", "$1"), False),
        (search.format(f"embedding::{kind}", f"$1::vector::{kind}"), False),
    ):
        lines = await session.select(f"EXPLAIN {sql}", query)
        assert any("halved" in row["QUERY PLAN"] for row in lines) == uses
    await session.execute_script("RESET enable_seqscan; DROP TABLE docs")
