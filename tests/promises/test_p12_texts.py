"""P12, texts that sqlglot misreads: no rows are lost, and a script is cut where it ends."""

import pytest
from harness import Breaks, promise
from sqlspec.exceptions import SQLSpecError

ONE_ROW = [
    ("SELECT 1_000 AS n", 1000),
    ("SELECT id FROM users ORDER BY age USING > LIMIT 1", 2),
    ("SELECT @ -5 AS n", 5),
    ("SELECT count(*) FROM (SELECT now() AT LOCAL) x", 1),
    ("SELECT 1 AS n, pg_sleep(0)", 1),
]


@pytest.mark.parametrize(("text", "value"), ONE_ROW)
@promise("P12", stock=Breaks(AssertionError, "assert 0 == 1"))
async def test_no_select_loses_its_rows(adapter, session, text, value):
    for _ in (1, 2):
        rows = await session.select(text)
        assert len(rows) == 1
        assert next(iter(rows[0].values())) == value
        assert (await session.execute(text)).operation_type == "SELECT"


SCRIPTS = [
    "INSERT INTO parts VALUES (1) ON CONFLICT DO NOTHING; INSERT INTO parts VALUES (2)",
    "INSERT INTO parts VALUES (1) ON CONFLICT (id) DO UPDATE SET id = parts.id;\n"
    "INSERT INTO parts VALUES (2);",
    "DO $$ BEGIN INSERT INTO parts VALUES (1); END $$; INSERT INTO parts VALUES (2);",
]


@pytest.mark.parametrize("script", SCRIPTS)
@promise("P12", stock=Breaks(SQLSpecError, "cannot insert multiple commands"))
async def test_a_script_is_cut_after_a_word_do(adapter, session, script):
    await session.execute_script("CREATE TABLE parts (id int PRIMARY KEY)")
    await session.execute_script(script)
    rows = await session.select("SELECT id FROM parts ORDER BY id")
    assert [row["id"] for row in rows] == [1, 2]


@promise("P12", stock=None)
async def test_a_script_is_not_cut_in_strings_comments_and_bodies(adapter, session):
    await session.execute_script(
        "CREATE TABLE parts (t text); INSERT INTO parts VALUES ('a;b'); -- c; d\n"
        "/* e; f */ INSERT INTO parts VALUES ($x$g;h$x$); INSERT INTO parts VALUES ('i'';j')"
    )
    rows = await session.select("SELECT t FROM parts ORDER BY t")
    assert [row["t"] for row in rows] == ["a;b", "g;h", "i';j"]
