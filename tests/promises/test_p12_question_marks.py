"""P12: a question mark that is an operator is not taken for a placeholder."""

import pytest
from harness import Breaks, promise
from sqlspec import SQL
from sqlspec.exceptions import SQLParsingError, SQLSpecError

SYNTAX = Breaks(SQLParsingError, "syntax error at or near")
"""The placeholders go to the server as they are."""
JSONB = "'{\"a\": 1}'::jsonb"


@promise("P12", stock=None)
async def test_the_question_mark_is_an_operator_beside_numeric_placeholders(adapter, session):
    for _ in (1, 2):
        statement = "SELECT '{\"a\": 1}'::jsonb ? $1 AS has, $2::int AS n"
        assert await session.select_one(statement, "a", 5) == {"has": True, "n": 5}


@pytest.mark.parametrize("condition", [
    f"{JSONB} @? '$.a'", "point '(1,0)' ?- point '(0,0)'",
    "lseg '((-1,0),(1,0))' ?# box '((-2,-2),(2,2))'",
])  # fmt: skip
@promise("P12", stock=SYNTAX)
async def test_an_operator_with_a_question_mark_needs_no_parameters(adapter, session, condition):
    for _ in (1, 2):
        assert await session.select_value(f"SELECT {condition} AS v") is True


@pytest.mark.parametrize("condition", ["? 'a'", "?| '{a}'", "?& '{a}'"])
@promise("P12", stock=None)
async def test_jsonb_operators_with_a_question_mark_need_no_parameters(adapter, session, condition):
    for _ in (1, 2):
        assert await session.select_value(f"SELECT {JSONB} {condition} AS v") is True


@promise("P12", stock=None)
async def test_a_question_mark_may_be_an_operator_and_a_parameter(adapter, session):
    for _ in (1, 2):
        text = f"SELECT id FROM users WHERE {JSONB} ? 'a' AND id = ?"
        assert await session.select(text, (1,)) == [{"id": 1}]
        assert await session.select(text, 1) == [{"id": 1}]


WAYS = {
    "stream": lambda session, sql: _streamed(session, sql),
    "SQL object": lambda session, sql: session.select_value(SQL(sql)),
    "arrow": lambda session, sql: _from_arrow(session, sql),
}


async def _streamed(session, sql):
    (row,) = [row async for row in session.select_stream(sql)]
    return row["v"]


async def _from_arrow(session, sql):
    return (await session.select_to_arrow(sql)).data.to_pylist()[0]["v"]


@pytest.mark.parametrize("way", WAYS)
@promise("P12", stock=SYNTAX)
async def test_an_operator_with_a_question_mark_is_one_in_every_call(adapter, session, way):
    for _ in (1, 2):
        assert await WAYS[way](session, f"SELECT {JSONB} @? '$.a' AS v") is True


SCRIPT = "CREATE TABLE found AS SELECT {} AS v; SELECT 1"


@promise("P12", stock=Breaks(SQLSpecError, "Missing value"))
async def test_an_operator_with_a_question_mark_is_one_in_a_script(adapter, session):
    await session.execute_script(SCRIPT.format(f"{JSONB} @? '$.a'"))
    assert await session.select_value("SELECT v FROM found") is True


@promise("P12", stock=None)
async def test_a_question_mark_in_a_script_is_jsonb_s_operator(adapter, session):
    await session.execute_script(SCRIPT.format(f"{JSONB} ? 'a'"))
    assert await session.select_value("SELECT v FROM found") is True


@pytest.mark.parametrize(("condition", "values"), [
    ("?? 'a'", ()), ("?? $1", ("a",)), ("?? :key", ({"key": "a"},)), ("?? ?", ("a",)),
])  # fmt: skip
@promise("P12", stock=None)
async def test_two_question_marks_stand_for_the_operator(adapter, session, condition, values):
    for _ in (1, 2):
        assert await session.select_value(f"SELECT {JSONB} {condition} AS v", *values) is True
