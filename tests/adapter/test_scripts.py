"""Scripts are cut where their statements end."""

from __future__ import annotations

import pytest
from harness import Adapter
from psqlpy_adapter.scripts import split_script

ATOMIC = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT {}; END"
WHOLE = [
    "SELECT ';'",
    "SELECT E'it\\'s; ok'",
    "SELECT $a$ ; $b$ ; $a$",
    'SELECT 1 AS ";"',
    "SELECT 1 -- one; two",
    "SELECT /* a /* b; */ c; */ 1",
    "DO $$ BEGIN PERFORM 1; END $$",
    ATOMIC.format(2),
    ATOMIC.format("CASE WHEN true THEN 2 END"),
    "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)",
    "BEGIN",
    "SELECT CASE WHEN true THEN 1 END",
]


@pytest.mark.parametrize("statement", WHOLE)
def test_a_statement_is_not_cut_in_two(statement):
    assert split_script(f"{statement}\n; SELECT 3;") == [statement, "SELECT 3"]


@pytest.mark.parametrize("script", ["", ";;", " -- nothing;\n", "/* a; */ ;"])
def test_what_holds_no_code_is_no_statement(script):
    assert split_script(script) == []


def test_a_comment_stays_with_the_statement_that_follows():
    assert split_script("SELECT 1; -- two\nSELECT 2") == ["SELECT 1", "-- two\nSELECT 2"]


@pytest.fixture
def adapter() -> Adapter:
    import psqlpy_adapter

    return Adapter("bundled", psqlpy_adapter)


@pytest.mark.parametrize(
    "statement",
    [
        ATOMIC.format(2),
        "CREATE TABLE made AS SELECT (ARRAY[1,2,3])[:2] AS x, @ -1 AS y",
        "/* a /* b; */ c; */ CREATE TABLE made (t text DEFAULT E'it\\'s; ok')",
    ],
)
async def test_the_server_gets_the_statements_of_a_script(session, statement):
    result = await session.execute_script(f"{statement}; CREATE TABLE after_it ();")
    assert result.total_statements == 2
    assert await session.select_value("SELECT to_regclass('after_it') IS NOT NULL") is True
