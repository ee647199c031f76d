"""The number of rows that a MERGE has affected, also where the server takes no RETURNING in it."""

from __future__ import annotations

from typing import Any

import psqlpy_adapter
import pytest
from harness import Adapter
from psqlpy_adapter import planning

ROWS = "MERGE INTO kept USING (VALUES {}) AS new (id, note) ON kept.id = new.id "
INTO = "WHEN NOT MATCHED THEN INSERT (id, note) VALUES (new.id, new.note)"
SET = "WHEN MATCHED THEN UPDATE SET note = new.note "
MERGES = {
    "inserts": (ROWS.format("(8, 'a'), (9, 'b')") + INTO, 2),
    "updates": (ROWS.format("(1, 'a'), (9, 'b')") + SET, 1),
    "deletes": (ROWS.format("(1, 'a'), (2, 'b')") + "WHEN MATCHED THEN DELETE", 2),
    "does each": (
        ROWS.format("(1, 'a'), (2, 'b'), (3, 'c'), (8, 'd')")
        + "WHEN MATCHED AND kept.id = 1 THEN DELETE WHEN MATCHED AND kept.id = 2 THEN DO NOTHING "
        + SET + INTO, 3,
    ),
    "does nothing": (ROWS.format("(9, 'b')") + SET, 0),
    "has a WITH": (
        "WITH more AS (INSERT INTO other VALUES (1), (2) ON CONFLICT DO NOTHING RETURNING id) "
        "MERGE INTO kept USING more ON kept.id = more.id WHEN MATCHED THEN DELETE;", 2,
    ),
    "has what looks like a number of rows": (
        ROWS.format("(1, E'x\n    Tuples Deleted: 7\n')")
        + "AND new.note <> E'\n    Tuples Deleted: 7\n' " + SET, 1,
    ),
    "is of parts": (
        "MERGE INTO parts USING (VALUES (1), (15), (25)) AS new (id) ON parts.id = new.id "
        "WHEN MATCHED THEN UPDATE SET note = 'x' WHEN NOT MATCHED THEN INSERT VALUES (new.id)", 3,
    ),
    "fires triggers": ("MERGE INTO noisy USING (VALUES (1), (2)) AS new (id) ON noisy.id = new.id "
        "WHEN NOT MATCHED THEN INSERT VALUES (new.id)", 2,
    ),
}  # fmt: skip


@pytest.fixture
def adapter() -> Adapter:
    return Adapter("bundled", psqlpy_adapter)


@pytest.fixture(params=["RETURNING", "EXPLAIN"])
async def kept(request: pytest.FixtureRequest, session: Any, monkeypatch: Any) -> Any:
    """A session with a table of three rows, and others for the cases above.

    With EXPLAIN, on a server that refuses the form with RETURNING, as one before PostgreSQL 17.
    """
    if request.param == "EXPLAIN":
        monkeypatch.setattr(planning, "counting", lambda sql: f"{sql} is no SQL")
    await session.execute_script(
        "CREATE TABLE kept (id int PRIMARY KEY, note text);"
        "INSERT INTO kept VALUES (1, '1'), (2, '2'), (3, '3');"
        "CREATE TABLE other (id int PRIMARY KEY);"
        "CREATE TABLE parts (id int, note text) PARTITION BY RANGE (id);"
        "CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (20);"
        "CREATE TABLE high PARTITION OF parts FOR VALUES FROM (20) TO (40);"
        "INSERT INTO parts VALUES (15, '15');"
        "CREATE TABLE noisy (id int);"
        "CREATE FUNCTION noise() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO other VALUES (NEW.id + 10), (NEW.id + 20); RETURN NEW; END $$;"
        "CREATE TRIGGER noise AFTER INSERT ON noisy FOR EACH ROW EXECUTE FUNCTION noise()"
    )
    return session


@pytest.mark.parametrize("name", MERGES)
async def test_the_count_of_a_merge_is_the_number_of_rows(kept: Any, name: str) -> None:
    merge, count = MERGES[name]
    result = await kept.execute(merge)
    assert (result.rows_affected, result.operation_type) == (count, "MERGE")
    assert result.is_success()


async def test_a_merge_with_parameters_counts_on_every_run(kept: Any) -> None:
    merge = ROWS.format("($1::int, $2)") + SET + INTO
    for number, note in ((1, "x"), (8, "y"), (8, "z")):
        assert (await kept.execute(merge, number, note)).rows_affected == 1
        assert await kept.select_value("SELECT note FROM kept WHERE id = $1", number) == note


async def test_many_merges_count_all_their_rows(kept: Any) -> None:
    merge = ROWS.format("($1::int, $2)") + SET
    result = await kept.execute_many(merge, [(1, "x"), (9, "y"), (3, "z")])
    assert result.rows_affected == 2


async def test_a_merge_that_is_counted_keeps_its_transaction(kept: Any) -> None:
    await kept.begin()
    await kept.execute("INSERT INTO kept VALUES (7, 'before')")
    assert (await kept.execute(MERGES["inserts"][0])).rows_affected == 2
    await kept.rollback()
    assert await kept.select_value("SELECT count(*) FROM kept") == 3
