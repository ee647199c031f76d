"""P12, any spacing: in every call, around every placeholder."""

import pytest
from harness import Breaks, promise
from sqlspec.exceptions import NotFoundError, SQLParsingError


async def insert_many(session, text, named, count):
    await session.execute_script("CREATE TEMP TABLE spaced (a int, b text)")
    for start in (0, count):
        sets = [(start + n, f"x{n}") for n in range(count)]
        given = [{"a": a, "b": b} for a, b in sets] if named else sets
        await session.execute_many(f"INSERT INTO spaced (a,b) VALUES{text}", given)
    assert await session.select_value("SELECT count(*) FROM spaced") == 2 * count


@pytest.mark.parametrize("count", [3, 30])
@pytest.mark.parametrize("text", ["($1,$2)", "($1 ,\n\t$2)", "( $1,$2 )"])
@promise("P12", stock=None)
async def test_execute_many_takes_any_spacing(adapter, session, text, count):
    await insert_many(session, text, False, count)


@pytest.mark.parametrize("count", [3, 30])
@pytest.mark.parametrize(("text", "named"), [
    ("(?,?)", False), ("(%s,%s)", False), ("(:a,:b)", True), ("(%(a)s,%(b)s)", True),
])  # fmt: skip
@promise("P12", stock=Breaks(SQLParsingError, "syntax error at or near"))
async def test_execute_many_takes_any_spacing_in_the_other_styles(
    adapter, session, text, named, count
):
    await insert_many(session, text, named, count)


async def two_rows(session, condition):
    """Every way of reading finds the users 1 and 2."""
    text = f"SELECT id FROM users WHERE id {condition}"
    for _ in (1, 2):
        assert len(await session.select(text, 1, 2)) == 2
        async with session.select_stream(text, 1, 2) as stream:
            assert len([row async for row in stream]) == 2
        assert (await session.select_to_arrow(text, 1, 2)).data.num_rows == 2


@pytest.mark.parametrize("condition", ["IN ($1,\t$2)", "IN\n(\n$1\n,\n$2\n)"])
@promise("P12", stock=None)
async def test_white_space_between_numeric_placeholders_may_be_any(adapter, session, condition):
    await two_rows(session, condition)


@pytest.mark.parametrize("condition", [
    "IN($1,$2)", "IN($1,$2)--x", "= ANY(ARRAY[$1::int,$2])", "IN($1/**/,/**/$2)",
])  # fmt: skip
@promise("P12", stock=Breaks(AssertionError, "assert 0 == 2"))
async def test_no_white_space_is_needed_in_any_way_of_reading(adapter, session, condition):
    await two_rows(session, condition)


@promise("P12", stock=Breaks(NotFoundError, "No rows found"))
async def test_ten_and_more_placeholders_need_no_spaces(adapter, session):
    names = ",".join(f"${n}::int" for n in range(1, 13))
    for _ in (1, 2):
        text = f"SELECT (ARRAY[{names}])[11] AS v"
        assert await session.select_value(text, *range(1, 13)) == 11
