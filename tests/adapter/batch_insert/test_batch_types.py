"""Values of every type are stored by one statement as by single ones."""

from __future__ import annotations

import datetime
import decimal
import uuid

import numpy as np
import pytest

UTC = datetime.UTC
EVERYTHING = {
    "bool": [True, False, None],
    "int2": [1, -(2**15), None],
    "int8": [2**62, None, 0],
    "float4": [0.5, float("inf"), None],
    "numeric(12, 2)": [decimal.Decimal("1.25"), 7, None],
    "varchar(5)": ["abc", "", None],
    "char(3)": ["abc", "xyz", None],
    "bytea": [b"\0x", b"", None],
    "uuid": [uuid.UUID(int=5), None, uuid.UUID(int=6)],
    "date": [datetime.date(2024, 2, 29), None, datetime.date.min],
    "timestamptz": [datetime.datetime(2024, 1, 1, tzinfo=UTC), None, None],
    "interval": [datetime.timedelta(days=1, seconds=2), None, None],
    "jsonb": [{"a": [1, None]}, [], None],
    "inet": ["10.0.0.1/8", None, "::1"],
    "int4range": [None, None, None],
    "mood": ["ok", "sad", None],
}


@pytest.mark.parametrize("name", EVERYTHING)
async def test_every_type_is_stored_as_by_single_statements(session, way, seen, name):
    await session.execute_script(f"""
        CREATE TYPE mood AS ENUM ('ok', 'sad');
        CREATE TABLE one (n int, v {name}); CREATE TABLE many (n int, v {name});
    """)
    values = EVERYTHING[name] * 20
    for number, value in enumerate(values):
        await session.execute("INSERT INTO one (n, v) VALUES ($1, $2)", number, value)
    result = await session.execute_many(
        "INSERT INTO many (n, v) VALUES ($1, $2)", list(enumerate(values))
    )
    assert result.rows_affected == 60
    assert seen == [True]
    if name not in ("inet", "int4range"):  # given as text, or all NULL
        assert way.was_taken()
    same = "SELECT count(*) FROM one JOIN many USING (n) WHERE one.v IS NOT DISTINCT FROM many.v"
    assert await session.select_value(same) == 60


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("int[]", [[1, None], [], None]),
        ("vector(2)", [np.array([1.0, 2.0]), [3, 4], None]),
        ("pair", [(1, "a"), None, (None, None)]),
        ("positive", [1, 2, None]),
    ],
)
async def test_other_types_are_stored_too(session, way, name, values):
    await session.execute_script(f"""
        CREATE TYPE pair AS (a int, b text);
        CREATE DOMAIN positive AS int CHECK (value > 0);
        CREATE TABLE many (n int, v {name});
    """)
    sets = list(enumerate(values * 10))
    result = await session.execute_many("INSERT INTO many (n, v) VALUES ($1, $2)", sets)
    assert result.rows_affected == 30
    assert await session.select_value("SELECT count(v) FROM many") == sum(
        value is not None for _, value in sets
    )
    assert way.was_taken()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("date", ["2024-02-29", None, "1999-01-01"]),
        ("inet", ["10.0.0.1/8", None, "::1"]),
        ("int4range", ["[1,3)", None, "empty"]),
        ("timestamptz", ["2024-02-29 12:00+02", None, datetime.datetime(2024, 1, 1, tzinfo=UTC)]),
    ],
)
async def test_text_that_only_the_server_can_read_is_stored(session, way, name, values):
    await session.execute(f"CREATE TABLE many (n int, v {name})")
    sets = list(enumerate(values * 20))
    await session.execute_many("INSERT INTO many (n, v) VALUES ($1, $2)", sets)
    assert await session.select_value("SELECT count(v) FROM many") == 40
    first = await session.select_value(f"SELECT v = '{values[0]}' FROM many WHERE n = 30")
    assert first is True


@pytest.mark.parametrize("row", ["row($2::int, $3)", "($2::int, $3)"])
async def test_a_row_becomes_the_composite_type_of_its_column(session, row):
    await session.execute_script("""
        CREATE TYPE pair AS (a int, b text); CREATE TABLE t (n int, p pair);
    """)
    sets = [(n, n, "x") for n in range(20)]
    await session.execute_many(f"INSERT INTO t (n, p) VALUES ($1, {row})", sets)
    assert await session.select_value("SELECT count(*) FROM t WHERE p = (n, 'x')::pair") == 20


@pytest.mark.parametrize("ending", ["", " ON CONFLICT DO NOTHING", " RETURNING v"])
async def test_a_batch_in_a_transaction_survives_that_a_type_is_made_anew(
    session, way, seen, ending
):
    for _ in range(3):
        await session.execute_script("""
            DROP TYPE IF EXISTS mood CASCADE; DROP TABLE IF EXISTS t;
            CREATE TYPE mood AS ENUM ('ok', 'sad'); CREATE TABLE t (v mood);
        """)
        await session.begin()
        sets = [("ok",)] * 20
        result = await session.execute_many(f"INSERT INTO t (v) VALUES ($1){ending}", sets)
        await session.commit()
        assert result.rows_affected == 20
    assert seen == [True] * 3
