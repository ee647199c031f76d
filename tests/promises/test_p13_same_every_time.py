"""P13: a query that works once works always, with the same result on every run."""

import datetime as dt
import uuid
from decimal import Decimal

import numpy as np
import pytest
from harness import Breaks, promise
from sqlspec.exceptions import SQLSpecError

UTC = dt.UTC
KEY = uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
RUNS = 4
ONCE = [  # text, value, result: right on the stock adapter on the first run at most
    ("SELECT $1::uuid AS v", str(KEY), KEY),
    ("SELECT $1::timestamptz AS v", "2024-01-02T03:04:05+00:00",
     dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ("SELECT count(*) AS v FROM products WHERE price::float8 > $1", 1e9, 0),
    ("SELECT $1::float8 > 1 AS v", 1.5, True),
    ("SELECT $1::numeric AS v", 1.5, Decimal("1.5")),
    ("SELECT $1::numeric AS v", 5, Decimal(5)),
    ("SELECT ($1::vector)::text AS v", np.array([1.0, 2.0]), "[1,2]"),
    ("SELECT ($1::vector)::text AS v", [1, 2], "[1,2]"),
    ("SELECT ($1::public.vector)::text AS v", [1, 2], "[1,2]"),
    ("SELECT $1::jsonb AS v", '{"a": 1}', {"a": 1}),
    ("SELECT $1::date AS v", "2024-01-02", dt.date(2024, 1, 2)),
    ("SELECT $1::int AS v", "5", 5),
    ("SELECT $1::inet::text AS v", "10.0.0.1/8", "10.0.0.1/8"),
]  # fmt: skip
ALWAYS = [
    ("SELECT $1::int AS v", 5, 5),
    ("SELECT $1 AS v", "text", "text"),
    ("SELECT $1::timestamptz AS v", dt.datetime(2024, 1, 2, tzinfo=UTC),
     dt.datetime(2024, 1, 2, tzinfo=UTC)),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "given", "expected"), ONCE)
@promise("P13", stock=Breaks(BaseException))
async def test_every_run_gives_what_the_cast_says(adapter, session, sql, given, expected):
    assert [await session.select_value(sql, (given,)) for _ in range(RUNS)] == [expected] * RUNS


@pytest.mark.parametrize(("sql", "given", "expected"), ALWAYS)
@promise("P13", stock=None)
async def test_every_run_gives_what_the_type_says(adapter, session, sql, given, expected):
    assert [await session.select_value(sql, (given,)) for _ in range(RUNS)] == [expected] * RUNS


@promise("P13", stock=Breaks(BaseException))
async def test_floats_go_into_float_columns_on_every_run(adapter, session):
    await session.execute_script("CREATE TEMP TABLE f (a float8, b float4, c float8[])")
    for value in (1.5, float("inf"), 1e30, -0.0):
        await session.execute("INSERT INTO f VALUES ($1, $2, $3)", value, value, [value, None])
    rows = await session.select("SELECT a FROM f ORDER BY a")
    assert [row["a"] for row in rows] == [-0.0, 1.5, 1e30, float("inf")]


@promise("P13", stock=Breaks(BaseException))
async def test_another_session_of_the_configuration_gets_the_same(adapter, config):
    for _ in range(RUNS):
        async with config.provide_session() as session:
            assert await session.select_value("SELECT $1::uuid AS v", (str(KEY),)) == KEY


@promise("P13", stock=Breaks(SQLSpecError, "cached plan"))
async def test_a_query_goes_on_working_after_a_column_was_added(adapter, config):
    async with config.provide_session() as one, config.provide_session() as other:
        await one.execute_script("CREATE TABLE changing (id int); INSERT INTO changing VALUES (1)")
        assert await one.select("SELECT * FROM changing") == [{"id": 1}]
        await other.execute_script("ALTER TABLE changing ADD COLUMN at uuid")
        for _ in (1, 2):
            assert await one.select("SELECT * FROM changing") == [{"id": 1, "at": None}]


@promise("P13", stock=Breaks(SQLSpecError, "cached plan"))
async def test_a_query_goes_on_working_after_a_column_changed_its_type(adapter, config):
    async with config.provide_session() as one, config.provide_session() as other:
        await one.execute_script("CREATE TABLE changing (v int); INSERT INTO changing VALUES (1)")
        assert await one.select_value("SELECT v FROM changing") == 1
        await other.execute_script("ALTER TABLE changing ALTER v TYPE numeric(5, 2)")
        assert await one.select_value("SELECT v FROM changing") == Decimal("1.00")
        await one.execute("UPDATE changing SET v = $1", Decimal("2.50"))
        assert await other.select_value("SELECT v FROM changing") == Decimal("2.50")


@promise("P13", stock=Breaks(BaseException))
async def test_schemas_with_other_types_do_not_mix(adapter, config):
    async with config.provide_session() as session:
        await session.execute_script(
            "CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.t (v uuid); CREATE TABLE b.t (v text)"
        )
    async with config.provide_session() as one, config.provide_session() as other:
        await one.execute_script("SET search_path TO a")
        await other.execute_script("SET search_path TO b")
        for _ in (1, 2):
            await one.execute("INSERT INTO t VALUES ($1)", KEY)
            await other.execute("INSERT INTO t VALUES ($1)", str(KEY))
        assert await one.select_value("SELECT v FROM t LIMIT 1") == KEY
        assert await other.select_value("SELECT v FROM t LIMIT 1") == str(KEY)


@promise("P13", stock=Breaks(BaseException))
async def test_a_none_does_not_change_the_next_run(adapter, session):
    for value in (None, KEY, None, str(KEY)):
        found = await session.select_value_or_none("SELECT $1::uuid AS v", (value,))
        assert found == (None if value is None else KEY)


@promise("P13", stock=Breaks(BaseException))
async def test_a_type_may_be_altered_and_made_anew(adapter, config):
    select = "SELECT $1::thing AS it"
    async with config.provide_session() as one, config.provide_session() as other:
        await other.execute_script("CREATE TYPE thing AS (x int)")
        assert await one.select_value(select, {"x": 1}) == {"x": 1}
        await other.execute_script("ALTER TYPE thing ADD ATTRIBUTE y text")
        assert await one.select_value(select, {"x": 1}) == {"x": 1, "y": None}
        await other.execute_script("DROP TYPE thing; CREATE TYPE thing AS ENUM ('a')")
        for _ in (1, 2):
            assert await one.select_value(select, "a") == "a"
