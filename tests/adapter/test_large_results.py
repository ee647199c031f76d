"""Rows of large results that the server packed: the same as those that psqlpy reads."""

from __future__ import annotations

import asyncio
from typing import Any

import psqlpy_adapter
import pytest
from harness import Adapter
from packed_tools import VALUES, latin1, make_table
from psqlpy_adapter.large_results import LargeResultsMixin
from sqlspec.exceptions import QueryTimeoutError, SQLSpecError

ROWS = 12
FIVE = "SELECT n FROM generate_series(1, 5) AS n"


@pytest.fixture
def adapter() -> Adapter:
    return Adapter("bundled", psqlpy_adapter)


@pytest.fixture
def packed(monkeypatch) -> list[bool]:
    """Whether each answer that was to be packed was; more than two rows are many."""
    done: list[bool] = []
    real = LargeResultsMixin.fetch_packed

    async def spy(self: Any, plan: Any, values: Any) -> Any:
        rows = await real(self, plan, values)
        done.append(rows is not None)
        return rows

    monkeypatch.setattr(LargeResultsMixin, "fetch_packed", spy)
    for module in ("execution", "large_results"):
        monkeypatch.setattr(f"psqlpy_adapter.{module}.MANY", 2)
    return done


@pytest.fixture
async def table(session):
    await make_table(session, "various", ROWS, VALUES)


async def thrice(session, *query):
    """The rows of psqlpy, then twice those that were packed."""
    return [await session.select(*query) for _ in range(3)]


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("column", "abc")
@pytest.mark.parametrize(("number", "kind"), list(enumerate(VALUES)), ids=str)
async def test_a_type_gives_the_same_values(session, packed, number, kind, column):
    query = f"SELECT {column}{number} AS v, id FROM various ORDER BY id"
    plain, first, second = await thrice(session, query)
    assert packed == [True, True]
    assert repr(plain) == repr(first) == repr(second)  # NaN is not itself
    assert [type(row["v"]) for row in plain] == [type(row["v"]) for row in first]


@pytest.mark.usefixtures("table")
async def test_all_columns_at_once_are_the_same(session, packed):
    names = [f"{column}{n}" for column in "ab" for n in range(len(VALUES))]
    query = f"SELECT {', '.join(names)} FROM various ORDER BY id DESC"
    plain, first, second = await thrice(session, query)
    assert repr(plain) == repr(first) == repr(second)
    assert packed == [True, True]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id, name FROM users ORDER BY id DESC;",
        "SELECT id, name FROM users WHERE id > $1 ORDER BY id -- the end",
        "SELECT 1 AS x, id AS x FROM users ORDER BY 2",
        """SELECT id AS "it's ""A\nb", id + 1 AS "e", id + 2 FROM users ORDER BY 1""",
        "SELECT DISTINCT age FROM users UNION ALL SELECT id FROM users ORDER BY 1",
        "SELECT u.id, count(*) FROM users u JOIN users o ON o.id >= u.id GROUP BY u.id ORDER BY 1",
    ],
)
async def test_a_query_of_any_shape_gives_the_same_rows(session, packed, query):
    values = (0,) if "$1" in query else ()
    plain, first, second = await thrice(session, query, *values)
    assert len(plain) > 2
    assert plain == first == second
    assert packed == [True, True]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT nextval('numbers') AS n, id FROM users",
        "SELECT id FROM users FOR UPDATE",
        "SELECT id FROM seen",
        "SELECT id, '{}'::jsonb AS j FROM users",
        "SELECT id, ARRAY[id] AS a FROM users",
        "SELECT id, 'x'::char(3) AS c FROM users",
        'SELECT id AS "é" FROM users',
        "SELECT id, id::numeric AS n FROM users",
        "WITH u AS (SELECT id FROM users) SELECT id FROM u",
        "UPDATE users SET age = age + 1 RETURNING id",
        f"SELECT {', '.join(f'id AS c{n}' for n in range(64))} FROM users",
    ],
)
async def test_what_leaves_a_trace_or_has_other_types_is_run_as_it_is(session, packed, query):
    await session.execute_script("CREATE SEQUENCE numbers; CREATE VIEW seen AS SELECT * FROM users")
    age = await session.select_value("SELECT max(age) FROM users")
    answers = await thrice(session, query)
    assert True not in packed
    assert len(packed) <= 1  # it is not tried again
    if "nextval" in query:
        assert [row["n"] for rows in answers for row in rows] == list(range(1, 10))
    if "UPDATE users" in query:
        assert await session.select_value("SELECT max(age) FROM users") == age + 3


@pytest.mark.parametrize(
    "value", ["chr(31)", "'infinity'::date", "'-infinity'::timestamp", "'10000-01-01'::timestamptz"]
)
async def test_a_value_that_packing_cannot_tell_is_as_it_is_without(session, packed, value):
    query = f"SELECT CASE WHEN n = 4 AND $1 THEN {value} END AS v FROM generate_series(1, 5) AS n"
    await session.select(query, False)
    outcomes = []
    for _ in range(2):
        try:
            outcomes.append(await session.select(query, True))
        except SQLSpecError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]
    assert packed == [False]


async def test_a_result_of_few_rows_is_not_packed(session, packed):
    query = "SELECT n FROM generate_series(1, $1::int) AS n"
    for rows in (2, 5, 5, 1, 1, 5, 5):
        assert len(await session.select(query, rows)) == rows
    assert packed == [True, True, True]  # what comes after many rows


async def test_a_single_row_may_have_a_null(session, packed):
    query = "SELECT CASE WHEN n > 1 THEN 'x' END AS t, n FROM generate_series(1, $1::int) AS n"
    assert [len(await session.select(query, rows)) for rows in (5, 5, 1)] == [5, 5, 1]
    assert await session.select(query, 5) == [
        {"t": "x" if n > 1 else None, "n": n} for n in range(1, 6)
    ]
    await session.select(query, 5)
    assert await session.select(query, 1) == [{"t": None, "n": 1}]
    assert packed == [True] * 4


async def test_no_rows_are_packed_as_none(session, packed):
    query = "SELECT n, n::text AS t FROM generate_series(1, $1::int) AS n"
    assert [len(await session.select(query, rows)) for rows in (5, 0)] == [5, 0]
    assert packed == [True]


async def test_each_call_that_returns_rows_gives_the_same(session, packed):
    await session.select(FIVE)
    result = await session.execute(FIVE)
    assert result.get_data() == await session.select(FIVE)
    assert (result.column_names, result.get_count()) == (["n"], 5)
    with pytest.raises(ValueError, match="ultiple"):
        await session.select_one(FIVE)
    assert packed == [True, True, True]


async def test_rows_are_not_packed_in_a_transaction(session, packed):
    await session.select(FIVE)
    await session.begin()
    await session.select(FIVE)
    await session.rollback()
    await session.execute("BEGIN")
    await session.select(FIVE)
    await session.execute("ROLLBACK")
    assert packed == [False, False]
    assert len(await session.select(FIVE)) == 5
    assert packed[2:] == [True]


async def test_texts_that_the_server_should_not_hold_are_not_packed(session, packed, monkeypatch):
    monkeypatch.setattr("psqlpy_adapter.large_results.MOST_BYTES", 5_000)
    await thrice(session, "SELECT repeat('x', 2000) AS t FROM generate_series(1, 5)")
    assert packed == []


async def test_rows_that_grow_are_packed_no_more(session, packed, monkeypatch):
    monkeypatch.setattr("psqlpy_adapter.large_results.MOST_BYTES", 5_000)
    query = "SELECT repeat('x', $1::int) AS t FROM generate_series(1, 5)"
    for width in (10, 10, 2000, 2000, 10, 10):
        assert await session.select(query, width) == [{"t": "x" * width}] * 5
    assert packed == [True, True, True]


async def test_more_rows_than_the_server_should_hold_are_not_packed(session, packed, monkeypatch):
    monkeypatch.setattr("psqlpy_adapter.packing.MOST_ROWS", 4)
    assert len((await thrice(session, FIVE))[1]) == 5
    assert packed == [False]


async def test_an_error_of_the_query_is_its_own(session, packed):
    query = "SELECT 10 / (n - $1::int) AS q FROM generate_series(1, 5) AS n"
    await session.select(query, 9)
    with pytest.raises(SQLSpecError, match="division by zero") as failure:
        await session.select(query, 3)
    assert failure.value.sqlstate == "22012"
    assert packed == [False]
    assert len(await session.select(query, 9)) == 5


async def test_a_wrong_value_is_refused_by_its_name(session, packed):
    query = "SELECT n FROM generate_series(1, $1::int) AS n"
    await session.select(query, 5)
    with pytest.raises(SQLSpecError, match=r"parameter \$1"):
        await session.select(query, 2**40)


async def test_a_query_that_takes_too_long_is_not_begun_again(session, packed, monkeypatch):
    query = "SELECT a FROM generate_series(1, $1::int) AS a, generate_series(1, $1::int) AS b"
    await session.select(query, 3)
    monkeypatch.setattr(type(session), "fetch_rows", None)
    await session.execute_script("SET statement_timeout = '300ms'")
    with pytest.raises(QueryTimeoutError):
        await session.select(query, 100_000)


async def test_a_table_that_is_altered_is_read_as_it_is(session, packed):
    await session.execute_script(
        "CREATE TABLE changing AS SELECT n AS v FROM generate_series(1, 5) AS n"
    )
    query = "SELECT v FROM changing"
    await thrice(session, query)
    await session.execute("ALTER TABLE changing ALTER v TYPE text")
    assert [row["v"] for row in await session.select(query)] == ["1", "2", "3", "4", "5"]
    assert [row["v"] for row in await session.select(query)] == ["1", "2", "3", "4", "5"]
    await session.execute("ALTER TABLE changing ALTER v TYPE timestamptz USING now()")
    assert all(row["v"].tzinfo for row in await session.select(query))
    assert packed == [True] * 3


async def test_a_view_that_takes_the_place_of_a_table_is_run_as_it_is(session, packed):
    query = "SELECT id FROM users"
    await thrice(session, query)
    await session.execute_script("""
        CREATE SEQUENCE numbers; CREATE SCHEMA other;
        CREATE VIEW other.users AS
            SELECT nextval('public.numbers')::int AS id FROM generate_series(1, 5);
        SET search_path TO other, public;
    """)
    answers = await thrice(session, query)
    assert [row["id"] for rows in answers for row in rows] == list(range(1, 16))


async def test_statements_gathered_with_it_keep_their_order(session, packed):
    await thrice(session, "SELECT id FROM users ORDER BY id")
    count = await session.select_value("SELECT count(*) FROM users")
    insert = "INSERT INTO users (name, email) VALUES ($1, $2)"
    answers = await asyncio.gather(
        *(
            session.execute(insert, (f"n{number}", f"{number}@example.com"))
            if number % 2
            else session.select("SELECT id FROM users ORDER BY id")
            for number in range(20)
        )
    )
    assert [len(rows) for rows in answers[::2]] == list(range(count, count + 10))


async def test_where_packing_is_given_up_the_order_is_kept(session, packed):
    await session.execute_script("CREATE TABLE texts AS SELECT 'x' AS t FROM generate_series(1, 5)")
    query, insert = "SELECT t FROM texts", "INSERT INTO texts VALUES ($1)"
    await session.execute(insert, ("y",))
    await session.select(query)
    for expected in (6, 7):
        rows, _, table, _ = await asyncio.gather(
            session.select(query),
            session.execute(insert, (chr(31),)),
            session.select_to_arrow("SELECT t FROM texts LIMIT 100"),
            session.execute("DELETE FROM texts WHERE t = $1", ("x",)),
        )
        assert len(rows) == expected
        assert table.get_data().num_rows == expected + 1
        await session.execute("DELETE FROM texts WHERE t = $1", ("y",))
        await session.execute_script("INSERT INTO texts SELECT 'x' FROM generate_series(1, 6)")
    assert packed[:2] == [True, False]


async def test_a_database_in_another_encoding_gives_the_same(dsn, packed):
    async with latin1(dsn) as session:
        query = "SELECT chr(228) || n AS v FROM generate_series(1, 3) AS n"
        plain, first, _ = await thrice(session, query)
        assert [row["v"] for row in plain] == ["ä1", "ä2", "ä3"]
        assert (plain, packed) == (first, [True, True])
