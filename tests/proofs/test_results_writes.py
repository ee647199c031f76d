"""Proofs of references/results.md: what a write gives back, and how many rows it changed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyDriver
from sqlspec.exceptions import SQLSpecError
from traffic_tools import overheard
from version_tools import server_has, versions_needed

MERGE = (
    "MERGE INTO kept USING (VALUES (1), (2)) AS new (id) ON kept.id = new.id "
    "WHEN MATCHED THEN UPDATE SET note = 'merged'"
)
RECURSIVE = (
    "WITH RECURSIVE t (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 2) "
    "UPDATE kept SET note = 'seen' FROM t WHERE id = n"
)


@pytest.fixture
async def kept(session: PsqlpyDriver) -> PsqlpyDriver:
    """A session with a temporary table of three rows."""
    await session.execute_script(
        "CREATE TEMP TABLE kept (id serial PRIMARY KEY, note text);"
        "INSERT INTO kept (note) VALUES ('a'), ('b'), ('c')"
    )
    return session


@proves(
    "Add `RETURNING`, and read the rows like those of a SELECT.",
    "With `RETURNING`, `operation_type` is `'{operation}'`, so `was_updated()` is {updated}.",
    "`rows_affected` is the number of rows returned.",
)
async def test_returning(kept: PsqlpyDriver, operation: str, updated: bool) -> None:
    for sql, rows in (
        ("UPDATE kept SET note = note || '!' WHERE id < 3 RETURNING id", [1, 2]),
        ("UPDATE kept SET note = note WHERE id > 9 RETURNING id", []),
        ("INSERT INTO kept (note) VALUES ('d') RETURNING id", [4]),
        (f"{RECURSIVE} RETURNING id", [1, 2]),
        ("DELETE FROM kept WHERE id = 4 RETURNING id", [4]),
    ):
        result = await kept.execute(sql)
        assert result.all() == [{"id": id_} for id_ in rows]
        assert result.rows_affected == len(result) == len(rows)
        assert result.operation_type == operation
        assert result.was_updated() == updated
    insert = "INSERT INTO kept (note) VALUES ('e') RETURNING note"
    assert await kept.select_value(insert) == "e"
    plain = await kept.execute("UPDATE kept SET note = note")
    assert plain.was_updated()
    assert plain.operation_type != operation


@proves(
    "`{method}` drops what `RETURNING` gives.",
    "Send the rows as arrays in one statement instead.",
    adapter="stock",
)
async def test_execute_many_drops_the_rows(kept: PsqlpyDriver, method: str) -> None:
    insert = "INSERT INTO kept (note) {} RETURNING note"
    many = getattr(kept, method)
    assert (await many(insert.format("VALUES ($1)"), [("d",), ("e",)])).all() == []
    assert await kept.select_value("SELECT count(*) FROM kept WHERE note IN ('d', 'e')") == 2
    one = insert.format("SELECT * FROM unnest($1::text[])")
    assert await kept.select(one, (["f", "g"],)) == [{"note": "f"}, {"note": "g"}]


@proves(
    "For a plain INSERT, UPDATE or DELETE through `execute`, `rows_affected` is what the server "
    "changed."
)
async def test_the_count_of_a_plain_write(kept: PsqlpyDriver) -> None:
    for sql, count in (
        ("INSERT INTO kept (id, note) VALUES (3, 'x'), (50, 'y') ON CONFLICT DO NOTHING", 1),
        ("INSERT INTO kept (note) SELECT 'n' FROM generate_series(11, 20)", 10),
        ("UPDATE kept SET note = 'z' WHERE id <= $1", 3),
        ("DELETE FROM kept WHERE id = $1", 1),
        ("DELETE FROM kept WHERE id > $1 + 1000", 0),
    ):
        values = [3] if "$1" in sql else []
        assert (await kept.execute(sql, *values)).rows_affected == count


@proves(
    "It is wrong for `execute_many`, MERGE, WITH RECURSIVE before a write, and scripts:",
    adapter="stock",
)
async def test_where_the_count_is_wrong(kept: PsqlpyDriver) -> None:
    update = "UPDATE kept SET note = 'u' WHERE id = $1"
    assert (await kept.execute_many(update, [(98,), (99,), (1,)])).rows_affected == 3
    changed = "SELECT count(*) FROM kept WHERE note = $1"
    assert await kept.select_value(changed, "u") == 1
    for note, call in (
        ("merged", kept.execute(MERGE)),
        ("seen", kept.execute(RECURSIVE)),
        ("s", kept.execute_script("UPDATE kept SET note = 's' WHERE id < 3")),
    ):
        assert (await call).rows_affected == 0
        assert await kept.select_value(changed, note) == 2


@proves("Add `{clause}` (to MERGE from {server} {version} on) and count the rows:")
async def test_rows_that_can_be_counted(
    kept: PsqlpyDriver, clause: str, server: str, version: str
) -> None:
    assert version in versions_needed(server)
    assert len(await kept.execute(f"{RECURSIVE} {clause} id")) == 2
    merging = f"{MERGE} {clause} kept.id"
    if await server_has(kept, version):
        assert (await kept.execute(merging)).all() == [{"id": 1}, {"id": 2}]
    else:
        with pytest.raises(SQLSpecError, match="syntax error"):
            await kept.execute(merging)


@proves(
    "To count, SQLSpec wraps the statement in a CTE.",
    "A table with a `DO ALSO` rule refuses that; `{cure}` avoids the wrapper.",
    "The wrapper also changes `{operator}` in a write: see pgvector.",
    adapter="stock",
)
async def test_the_wrapper_that_counts(dsn: str, cure: str, operator: str) -> None:
    async with overheard(dsn) as (session, wire):
        await session.execute("DELETE FROM embeddings WHERE false")
        (wrapped,) = wire.texts()
        assert wrapped.startswith("WITH")
        assert "(DELETE FROM embeddings WHERE FALSE RETURNING 1)" in wrapped
        wire.forget()
        await session.execute(f"DELETE FROM embeddings WHERE false {cure} id")
        assert wire.texts() == [f"DELETE FROM embeddings WHERE false {cure} id"]

        wire.forget()
        near = f"id < 0 ORDER BY vector {operator} '[1,0,0]' LIMIT 1"
        delete = f"DELETE FROM embeddings WHERE id IN (SELECT id FROM embeddings WHERE {near})"
        await session.execute(delete)
        assert "vector IS NOT DISTINCT FROM '[1,0,0]'" in wire.texts()[0]
        wire.forget()
        await session.execute(f"{delete} {cure} id")
        assert operator in wire.texts()[0]

        await session.execute_script(
            "CREATE TEMP TABLE ruled (id int); CREATE RULE also AS ON INSERT TO ruled "
            "DO ALSO DELETE FROM embeddings WHERE id < 0"
        )
        with pytest.raises(SQLSpecError, match="DO ALSO rules are not supported"):
            await session.execute("INSERT INTO ruled VALUES (1)")
        assert len(await session.execute(f"INSERT INTO ruled VALUES (1) {cure} id")) == 1


@proves("The drop-in returns richer values, true counts and every row.")
async def test_what_the_dropin_returns(dropin: Any) -> None:
    await dropin.execute_script(
        "CREATE TEMP TABLE kept (id int, note text); INSERT INTO kept VALUES (1), (2)"
    )
    row = await dropin.select_one("SELECT gen_random_uuid() AS a, '10.0.0.1/8'::inet AS b")
    assert isinstance(row["a"], UUID)
    assert str(row["b"]) == "10.0.0.1/8"
    update = "UPDATE kept SET note = 'u' WHERE id = $1 RETURNING id"
    many = await dropin.execute_many(update, [(1,), (99,)])
    assert (many.rows_affected, many.all()) == (1, [{"id": 1}])
    for sql in (MERGE, RECURSIVE):
        assert (await dropin.execute(sql)).rows_affected == 2
    assert len(await dropin.select("SELECT id FROM kept WHERE id IN ($1,$2)", 1, 2)) == 2
    assert await dropin.select("SELECT @ -5 AS n") == [{"n": 5}]
