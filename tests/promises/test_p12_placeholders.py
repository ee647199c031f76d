"""P12: placeholders of every style work, with any spacing."""

import pytest
from faults import AS_ROW
from harness import Breaks, promise
from sqlspec import SQL
from sqlspec.exceptions import NotFoundError, SQLParsingError, SQLSpecError

SYNTAX = Breaks(SQLParsingError, "syntax error at or near")
"""The placeholders go to the server as they are."""
IN = "SELECT id FROM users WHERE id IN ({}) ORDER BY id"


@promise("P12", stock=Breaks(AssertionError))
async def test_numeric_placeholders_need_no_space_between_them(adapter, session):
    rows = await session.select("SELECT id FROM users WHERE id IN ($1,$2) ORDER BY id", 1, 2)
    assert [row["id"] for row in rows] == [1, 2]


@promise("P12", stock=None)
async def test_numeric_placeholders_with_a_space_work(adapter, session):
    for _ in (1, 2):
        assert len(await session.select(IN.format("$1, $2"), 1, 2)) == 2


@pytest.mark.parametrize(("text", "values"), [
    (":a,:b", {"a": 1, "b": 2}),
    ("%(a)s,%(b)s", {"a": 1, "b": 2}),
    ("?,?", (1, 2)),
    ("%s,%s", (1, 2)),
])  # fmt: skip
@promise("P12", stock=SYNTAX)
async def test_the_other_styles_need_no_space_either(adapter, session, text, values):
    for _ in (1, 2):
        rows = await session.select(IN.format(text), values)
        assert [row["id"] for row in rows] == [1, 2]


@promise("P12", stock=Breaks(AssertionError))
async def test_rows_of_returning_are_not_lost_without_a_space(adapter, session):
    for name in ("a", "b"):
        result = await session.execute(
            "INSERT INTO users (name,email) VALUES ($1,$2) RETURNING name", name, f"{name}@x"
        )
        assert result.get_data() == [{"name": name}]


@promise("P12", stock=Breaks(NotFoundError))
async def test_operators_need_no_space_around_placeholders(adapter, session):
    for _ in (1, 2):
        statement = "SELECT $1::text||$2::text||$3::text AS t"
        assert await session.select_value(statement, "a", "b", "c") == "abc"


@promise("P12", stock=Breaks(AssertionError))
async def test_an_sql_object_needs_no_space_either(adapter, session):
    assert len(await session.select(SQL(IN.format("$1,$2"), 1, 2))) == 2


@promise("P12", stock=Breaks(NotFoundError))
async def test_a_statement_that_sqlglot_cannot_read_returns_its_rows(adapter, session):
    await session.execute_script(
        "CREATE OPERATOR <~~~> (LEFTARG = int, RIGHTARG = int, FUNCTION = int4pl)"
    )
    for _ in (1, 2):
        assert await session.select_value("SELECT $1::int <~~~> $2::int AS sum", 1, 2) == 3


@promise("P12", stock=None)
async def test_what_looks_like_a_placeholder_in_a_string_or_a_comment_is_none(adapter, session):
    for _ in (1, 2):
        row = await session.select_one(
            "SELECT '$1 :a ?' AS a, $$ $2 $$ AS b, $1::int AS c -- $3 :b ?\n/* $4 */", 5
        )
        assert row == {"a": "$1 :a ?", "b": " $2 ", "c": 5}


@promise("P12", stock=None)
async def test_a_name_may_have_two_meanings(adapter, session):
    for _ in (1, 2):
        row = await session.select_one("SELECT :x::int AS n, :x::int+1 AS m", x=1)
        assert row == {"n": 1, "m": 2}


@promise("P12", stock=AS_ROW)
async def test_a_list_alone_can_be_an_array(adapter, session):
    for ids in ([1, 2], (1, 2), [2]):
        for _ in (1, 2):
            rows = await session.select("SELECT id FROM users WHERE id = ANY($1) ORDER BY id", ids)
            assert [row["id"] for row in rows] == list(ids)


@promise("P12", stock=None)
async def test_a_list_can_still_be_the_row_of_parameters(adapter, session):
    assert len(await session.select(IN.format("$1, $2"), [1, 2])) == 2
    assert len(await session.select("SELECT id FROM users WHERE id = ANY($1)", ([1, 2],))) == 2


TWICE = {  # text, and the id that it answers for 2
    "filter": ("SELECT id FROM users WHERE (id = {0} OR {0} IS NULL)", 2),
    "GROUP BY": ("SELECT id % {0} AS id FROM users WHERE id = 2 GROUP BY id % {0}", 0),
    "CASE": ("SELECT CASE WHEN {0} > 1 THEN {0} END AS id", 2),
    "DISTINCT ON": (
        "SELECT DISTINCT ON (id % {0}) id FROM users WHERE id IN (1, 2, 3) ORDER BY id % {0}, id",
        2,
    ),
}


@pytest.mark.parametrize("form", [":x", "%(x)s"])
@pytest.mark.parametrize("case", TWICE)
@promise("P12", stock=None)
async def test_a_name_that_occurs_twice_is_one_parameter(adapter, session, case, form):
    text, answer = TWICE[case]
    for _ in (1, 2):
        rows = await session.select(text.format(form), {"x": 2})
        assert rows[0] == {"id": answer}


@pytest.mark.parametrize("is_open", [False, True])
@promise("P12", stock=Breaks(SQLSpecError, "inconsistent types"))
async def test_a_name_may_go_into_columns_of_two_types(adapter, session, is_open):
    await session.execute_script("CREATE TEMP TABLE two (n int, m numeric)")
    if is_open:
        await session.begin()
    text = "INSERT INTO two (n, m) VALUES (:x, :x)"
    for _ in (1, 2):
        await session.execute(text, x=1)
    await session.execute_many(text, [{"x": 2}, {"x": 3}])
    if is_open:
        await session.commit()
    assert await session.select_value("SELECT sum(n) + sum(m) FROM two") == 14
