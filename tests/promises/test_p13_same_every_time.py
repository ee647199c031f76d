"""P13: a query that works once works always, with the same result on every run."""

import datetime as dt
import uuid
from decimal import Decimal

import numpy as np
import pytest
from faults import NO_DATETIME, NO_DECODER, NO_DOCUMENT, OTHER_FORMAT, PANICS, UNKNOWN
from harness import Breaks, promise
from sqlspec.exceptions import SQLSpecError

UTC = dt.UTC
AS_TEXT = Breaks(AssertionError, "== UUID(")
"""From the second run on, a UUID comes back as text."""
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
@promise(
    "P13",
    stock=(
        *OTHER_FORMAT,
        PANICS,
        NO_DATETIME,
        UNKNOWN,
        NO_DOCUMENT,
        Breaks(SQLSpecError, "Parameter passed to IpAddr is incorrect"),
        Breaks(TypeError, "'str' object"),
    ),
)
async def test_every_run_gives_what_the_cast_says(adapter, session, sql, given, expected):
    assert [await session.select_value(sql, (given,)) for _ in range(RUNS)] == [expected] * RUNS


@pytest.mark.parametrize(("sql", "given", "expected"), ALWAYS)
@promise("P13", stock=None)
async def test_every_run_gives_what_the_type_says(adapter, session, sql, given, expected):
    assert [await session.select_value(sql, (given,)) for _ in range(RUNS)] == [expected] * RUNS


@promise("P13", stock=OTHER_FORMAT)
async def test_floats_go_into_float_columns_on_every_run(adapter, session):
    await session.execute_script("CREATE TEMP TABLE f (a float8, b float4, c float8[])")
    for value in (1.5, float("inf"), 1e30, -0.0):
        await session.execute("INSERT INTO f VALUES ($1, $2, $3)", value, value, [value, None])
    rows = await session.select("SELECT a FROM f ORDER BY a")
    assert [row["a"] for row in rows] == [-0.0, 1.5, 1e30, float("inf")]


@promise("P13", stock=AS_TEXT)
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


@promise("P13", stock=AS_TEXT)
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


@promise("P13", stock=AS_TEXT)
async def test_a_none_does_not_change_the_next_run(adapter, session):
    for value in (None, KEY, None, str(KEY)):
        found = await session.select_value_or_none("SELECT $1::uuid AS v", (value,))
        assert found == (None if value is None else KEY)


@promise("P13", stock=OTHER_FORMAT)
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


REMADE = {
    "enum": ("CREATE TYPE made AS ENUM ('a')", "SELECT $1::made AS v", "a"),
    "array of enums": ("CREATE TYPE made AS ENUM ('a')", "SELECT $1::made[] AS v", ["a"]),
    "composite": ("CREATE TYPE made AS (x int)", "SELECT $1::made AS v", {"x": 1}),
    "domain": ("CREATE DOMAIN made AS int", "SELECT $1::made AS v", 1),
}


@pytest.mark.parametrize("kind", REMADE)
@promise("P13", stock=(*OTHER_FORMAT, NO_DECODER, Breaks(SQLSpecError, "cache lookup failed")))
async def test_a_type_that_another_session_makes_anew_is_known_anew(adapter, config, kind):
    create, text, value = REMADE[kind]
    async with config.provide_session() as one, config.provide_session() as other:
        await other.execute_script(create)
        for _ in (1, 2):
            assert await one.select_value(text, (value,)) == value
        await other.execute_script(f"DROP TYPE made; {create}")
        for _ in (1, 2):
            assert await one.select_value(text, (value,)) == value


@promise("P13", stock=OTHER_FORMAT)
async def test_a_type_that_the_session_itself_alters_is_known_anew(adapter, session):
    await session.execute("CREATE TYPE thing AS (x int)")
    await session.execute("CREATE TYPE mood AS ENUM ('a')")
    for _ in (1, 2):
        assert await session.select_value("SELECT $1::thing AS v", {"x": 1}) == {"x": 1}
        assert await session.select_value("SELECT $1::mood AS v", "a") == "a"
    await session.execute("ALTER TYPE thing ADD ATTRIBUTE y text")
    await session.execute("ALTER TYPE mood RENAME VALUE 'a' TO 'b'")
    for _ in (1, 2):
        text = "SELECT $1::thing AS v"
        assert await session.select_value(text, {"x": 1, "y": "z"}) == {"x": 1, "y": "z"}
        assert await session.select_value("SELECT $1::mood AS v", "b") == "b"
    await session.execute("DROP TYPE thing")
    await session.execute("CREATE TYPE thing AS (z text, x numeric)")
    for _ in (1, 2):
        found = await session.select_value("SELECT $1::thing AS v", {"z": "a", "x": 1})
        assert found == {"z": "a", "x": Decimal(1)}


@promise("P13", stock=Breaks(TypeError, "'str' object cannot be interpreted as an integer"))
async def test_a_parameter_s_type_follows_the_altered_column(adapter, session):
    await session.execute("CREATE TABLE changing (v int)")
    for n in (1, 2):
        await session.execute("INSERT INTO changing VALUES ($1)", n)
        assert len(await session.select("SELECT * FROM changing WHERE v = $1", n)) == 1
    await session.execute("ALTER TABLE changing ALTER v TYPE text")
    for n in ("3", "4"):
        await session.execute("INSERT INTO changing VALUES ($1)", n)
        assert await session.select("SELECT * FROM changing WHERE v = $1", n) == [{"v": n}]


async def from_execute(session, text, given):
    return (await session.execute(text, *given)).get_data()


async def from_stream(session, text, given):
    async with session.select_stream(text, *given) as stream:
        return [row async for row in stream]


async def from_arrow(session, text, given):
    return (await session.select_to_arrow(text, *given)).data.to_pylist()


TEXTS = "SELECT $1::uuid::text AS k, $2::float8 AS f, ($3::vector)::text AS v"
GIVEN = (str(KEY), 1.5, np.array([1.0, 2.0]))
FOUND = {"k": str(KEY), "f": 1.5, "v": "[1,2]"}


@pytest.mark.parametrize("way", [from_execute, from_arrow])
@promise("P13", stock=UNKNOWN)
async def test_every_way_of_reading_gives_the_same_on_every_run(adapter, session, way):
    assert [await way(session, TEXTS, GIVEN) for _ in range(RUNS)] == [[FOUND]] * RUNS


@promise("P13", stock=None)
async def test_a_stream_gives_the_same_on_every_run(adapter, session):
    assert [await from_stream(session, TEXTS, GIVEN) for _ in range(RUNS)] == [[FOUND]] * RUNS


@promise("P13", stock=UNKNOWN)
async def test_execute_many_stores_the_same_on_every_run(adapter, session):
    await session.execute_script("CREATE TEMP TABLE kept (k uuid, f float8, v vector)")
    for _ in range(RUNS):
        await session.execute_many("INSERT INTO kept VALUES ($1, $2, $3)", [GIVEN] * 3)
    rows = await session.select("SELECT k::text, f, v::text FROM kept")
    assert rows == [FOUND] * 3 * RUNS
