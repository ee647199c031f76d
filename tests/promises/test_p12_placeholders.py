"""P12: placeholders of every style work, with any spacing."""

import pytest
from faults import AS_ROW, NO_DOCUMENT
from harness import Breaks, promise
from sqlspec import SQL
from sqlspec.exceptions import DataError, NotFoundError, SQLParsingError, SQLSpecError

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
async def test_the_question_mark_is_an_operator_beside_numeric_placeholders(adapter, session):
    for _ in (1, 2):
        statement = "SELECT '{\"a\": 1}'::jsonb ? $1 AS has, $2::int AS n"
        assert await session.select_one(statement, "a", 5) == {"has": True, "n": 5}


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


DOCUMENTS = [{"k": 7}, {"2024": 5}, {"2024": 5, "total": 9}, {"7": 1}, {"param_1": 5}, {}]
FORMS = ["$1", "?", "%s"]


async def first(stream):
    async with stream:
        return await anext(row["v"] async for row in stream)


@pytest.mark.parametrize("form", FORMS)
@promise("P12", stock=NO_DOCUMENT)
async def test_a_dict_alone_is_the_document_whatever_its_keys(adapter, session, form):
    await session.execute_script("CREATE TEMP TABLE docs (doc jsonb)")
    text = f"SELECT {form}::jsonb AS v"
    for document in DOCUMENTS:
        assert await session.select_value(text, document) == document
        assert await session.select_value(text, (document,)) == document
        assert await session.select_value(text, [document]) == document
        assert await first(session.select_stream(text, document)) == document
    await session.execute_many(f"INSERT INTO docs VALUES ({form})", DOCUMENTS)
    await session.execute_many(f"INSERT INTO docs VALUES ({form})", [(d,) for d in DOCUMENTS])
    stored = await session.select("SELECT doc FROM docs")
    assert [row["doc"] for row in stored] == DOCUMENTS * 2


@pytest.mark.parametrize("form", FORMS)
@promise("P12", stock=Breaks(SQLSpecError, "insufficient data left in message"))
async def test_a_list_alone_is_the_array_whatever_its_items(adapter, session, form):
    text = f"SELECT {form}::text[] AS v"
    for items in (["a"], ["a", "b"], [], ["{a}"], ["{a}", "b"], ["{}"], [None, "a"]):
        assert await session.select_value(text, items) == items
        assert await session.select_value(text, (items,)) == items
        assert await first(session.select_stream(text, items)) == items


@pytest.mark.parametrize("form", FORMS)
@promise("P12", stock=Breaks(SQLSpecError, "vector must have at least 1 dimension"))
async def test_a_list_alone_is_the_vector(adapter, session, form):
    for items in ([1], [1, 2, 3]):
        for given in (items, (items,), [items]):
            value = await session.select_value(f"SELECT {form}::vector AS v", given)
            assert value.tolist() == items


@promise("P12", stock=None)
async def test_a_list_in_a_list_is_the_row_as_in_sqlspec(adapter, session):
    text = "SELECT id FROM users WHERE id = ANY($1) ORDER BY id"
    for _ in (1, 2):
        assert await session.select(text, [[1, 2]]) == [{"id": 1}, {"id": 2}]


@pytest.mark.parametrize(("kind", "value"), [
    ("jsonb", [{"a": 1}, {"b": 2}]), ("jsonb", []), ("jsonb", ("a", "b")),
    ("int[]", [[1], [2]]), ("vector[]", [[1, 2], [3, 4]]), ("vector[]", [[1, 2]]),
    ("int", {"a": 1, "b": 2}),
])  # fmt: skip
@pytest.mark.parametrize("form", FORMS)
@promise(
    "P12",
    stock=(
        # It takes the value apart, and each kind fails in a way of its own, or not at all.
        Breaks(SQLSpecError),
        Breaks(pytest.fail.Exception, "DID NOT RAISE"),
    ),
)
async def test_what_may_mean_two_things_is_refused(adapter, session, form, kind, value):
    text = f"SELECT {form}::{kind} AS v"
    for _ in (1, 2):
        with pytest.raises(DataError, match=r"write \(value,\)"):
            await session.select_value(text, value)
        with pytest.raises(DataError, match=r"write \(value,\)"):
            await first(session.select_stream(text, value))


@promise("P12", stock=Breaks(AssertionError))
async def test_null_in_a_list_is_refused_for_an_array(adapter, session):
    assert await session.select_value("SELECT $1::int[] IS NULL", (None,)) is True
    refused = False
    try:
        await session.select_value("SELECT $1::int[] IS NULL", [None])
    except DataError:
        refused = True
    assert refused


JSONB = "'{\"a\": 1}'::jsonb"


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
