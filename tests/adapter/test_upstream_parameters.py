"""Every way of SQLSpec to write and pass parameters goes on working on both adapters."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from uuid import UUID

import pytest
from psqlpy.extra_types import (
    JSONB,
    BigInt,
    Float32,
    Float64,
    Float64Array,
    Int32Array,
    Integer,
    MacAddr6,
    Money,
    PgVector,
    Point,
    SmallInt,
    Text,
    TextArray,
    VarChar,
)
from sqlspec import SQL
from sqlspec.exceptions import SQLSpecError

STYLES = {
    "qmark": ("SELECT id FROM users WHERE age >= ? ORDER BY id", (36,)),
    "qmark with a list": ("SELECT id FROM users WHERE age >= ? ORDER BY id", [36]),
    "numeric": ("SELECT id FROM users WHERE age >= $1 ORDER BY id", (36,)),
    "numeric colon": ("SELECT id FROM users WHERE age >= :1 ORDER BY id", (36,)),
    "format": ("SELECT id FROM users WHERE age >= %s ORDER BY id", (36,)),
    "named colon": ("SELECT id FROM users WHERE age >= :least ORDER BY id", {"least": 36}),
    "named at": ("SELECT id FROM users WHERE age >= @least ORDER BY id", {"least": 36}),
    "named dollar": ("SELECT id FROM users WHERE age >= $least ORDER BY id", {"least": 36}),
    "pyformat": ("SELECT id FROM users WHERE age >= %(least)s ORDER BY id", {"least": 36}),
}


@pytest.mark.parametrize("style", STYLES)
async def test_a_placeholder_of_this_style_is_filled_in_every_time(session, style):
    statement, parameters = STYLES[style]
    results = [await session.select(statement, parameters) for _ in range(3)]
    assert results == [[{"id": 1}, {"id": 2}]] * 3


async def test_positional_values_may_be_given_one_by_one(session):
    rows = await session.select("SELECT id FROM users WHERE age > ? AND status = ?", 40, "active")
    assert rows == [{"id": 2}]


async def test_named_values_may_be_given_as_keywords(session):
    assert await session.select("SELECT id FROM users WHERE name = :name", name="Ada") == [
        {"id": 1}
    ]


async def test_a_single_scalar_may_be_given_bare(session):
    assert await session.select_value("SELECT name FROM users WHERE id = ?", 2) == "Grace"


async def test_a_name_may_stand_in_the_statement_twice(session):
    await session.execute("UPDATE users SET status = 'Ada' WHERE id = 2")
    rows = await session.select(
        "SELECT id FROM users WHERE name = :who OR status = :who ORDER BY id", {"who": "Ada"}
    )
    assert rows == [{"id": 1}, {"id": 2}]


async def test_a_number_may_stand_in_the_statement_twice(session):
    rows = await session.select("SELECT id FROM users WHERE id = $1 OR id = $1 + $2", (1, 1))
    assert [row["id"] for row in rows] == [1, 2]


async def test_two_named_styles_may_be_mixed(session):
    rows = await session.select(
        "SELECT id FROM users WHERE age >= @least AND name <> $other",
        {"least": 36, "other": "Grace"},
    )
    assert rows == [{"id": 1}]


async def test_none_is_stored_as_null(session):
    await session.execute(
        "INSERT INTO users (name, email, age) VALUES (:name, :email, :age)",
        {"name": "Nemo", "email": None, "age": None},
    )
    row = await session.select_one("SELECT email, age FROM users WHERE name = 'Nemo'")
    assert row == {"email": None, "age": None}


async def test_what_looks_like_an_injection_is_a_value(session):
    rows = await session.select("SELECT id FROM users WHERE name = ?", ("'; DROP TABLE users; --",))
    assert rows == []
    assert await session.select_value("SELECT count(*) FROM users") == 3


async def test_like_takes_its_pattern_as_a_parameter(session):
    rows = await session.select("SELECT id FROM users WHERE email LIKE ? ORDER BY id", ("%ada%",))
    assert rows == [{"id": 1}]


async def test_a_percent_sign_in_a_pattern_is_kept(session):
    assert await session.select("SELECT id FROM users WHERE email LIKE 'grace%'") == [{"id": 2}]


async def test_any_takes_a_list(session):
    rows = await session.select("SELECT id FROM users WHERE id = ANY($1) ORDER BY id", ([1, 3],))
    assert rows == [{"id": 1}, {"id": 3}]


async def test_limit_and_offset_take_parameters(session):
    rows = await session.select("SELECT id FROM users ORDER BY id LIMIT $1 OFFSET $2", (1, 1))
    assert rows == [{"id": 2}]


async def test_a_cast_gives_a_lone_parameter_its_type(session):
    row = await session.select_one(
        "SELECT ?::text AS word, ?::int AS number, ?::float8 AS real, "
        "?::bool AS flag, ?::json AS doc",
        ("word", 42, math.pi, True, {"key": "value"}),
    )
    assert row == {
        "word": "word",
        "number": 42,
        "real": math.pi,
        "flag": True,
        "doc": {"key": "value"},
    }


async def test_a_uuid_given_as_text_is_cast_the_first_time(session):
    text = "550e8400-e29b-41d4-a716-446655440000"
    assert str(await session.select_value("SELECT $1::uuid", (text,))) == text


async def test_a_time_given_as_text_is_cast_the_first_time(session):
    value = await session.select_value("SELECT ?::timestamptz", ("2024-01-01T12:00:00+00:00",))
    assert value == datetime.datetime(2024, 1, 1, 12, tzinfo=datetime.UTC)


VALUES = {
    "bigint": 2**62,
    "boolean": True,
    "bytea": b"\x00\xff",
    "date": datetime.date(2024, 2, 29),
    "integer": -1,
    "integer[]": [1, 2, 3],
    "jsonb": {"a": [1, None, "x"]},
    "numeric": Decimal("12345.678900"),
    "smallint": 7,
    "text": "straße 🐘",
    "text[]": ["a", "b"],
    "time": datetime.time(12, 30, 15, 250),
    "timestamp": datetime.datetime(2024, 2, 29, 12, 30),
    "timestamptz": datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.UTC),
    "interval": datetime.timedelta(days=2, seconds=3),
}


@pytest.mark.parametrize("type_name", VALUES)
async def test_a_value_of_this_type_comes_back_from_a_select(session, type_name):
    value = VALUES[type_name]
    statement = f"SELECT $1::{type_name} AS value"
    assert [await session.select_value(statement, (value,)) for _ in range(2)] == [value, value]


async def test_a_float_comes_back_from_a_select(session):
    assert await session.select_value("SELECT $1::float8", (0.1,)) == 0.1


@pytest.mark.parametrize("type_name", VALUES)
async def test_a_value_of_this_type_comes_back_from_a_table(session, type_name):
    value = VALUES[type_name]
    await session.execute(f"CREATE TABLE kept (value {type_name})")
    for _ in range(2):
        await session.execute("INSERT INTO kept VALUES ($1)", (value,))
    rows = await session.select("SELECT value FROM kept")
    assert [row["value"] for row in rows] == [value, value]


async def test_a_uuid_is_stored_and_found(session):
    identifier = UUID("550e8400-e29b-41d4-a716-446655440000")
    await session.execute(
        "INSERT INTO accounts (id, owner, balance) VALUES ($1, $2, $3)",
        (identifier, "Ada", Decimal("10.50")),
    )
    row = await session.select_one("SELECT id, balance FROM accounts WHERE id = $1", (identifier,))
    assert UUID(str(row["id"])) == identifier
    assert row["balance"] == Decimal("10.50")


async def test_jsonb_documents_lists_and_nulls_go_in_and_come_out(session):
    await session.execute("CREATE TABLE docs (name text, a jsonb, b jsonb, c jsonb)")
    stored = await session.execute(
        "INSERT INTO docs VALUES (?, ?, ?, ?) RETURNING a, b, c",
        ("x", {"user": {"id": 1}}, None, {"tags": ["one", None]}),
    )
    assert stored.get_data() == [
        {"a": {"user": {"id": 1}}, "b": None, "c": {"tags": ["one", None]}}
    ]
    updated = await session.execute(
        "UPDATE docs SET a = ?, b = ? WHERE name = ? RETURNING a, b", (None, {"new": True}, "x")
    )
    assert updated.get_data() == [{"a": None, "b": {"new": True}}]


WRAPPED = {
    "SmallInt": ("int2", SmallInt(1), 1),
    "Integer": ("int4", Integer(2), 2),
    "BigInt": ("int8", BigInt(3), 3),
    "Float32": ("float4", Float32(0.5), 0.5),
    "Float64": ("float8", Float64(0.1), 0.1),
    "Text": ("text", Text("a"), "a"),
    "VarChar": ("varchar", VarChar("a"), "a"),
    "JSONB": ("jsonb", JSONB({"a": [1]}), {"a": [1]}),
    "Money": ("money::numeric::text", Money(1999), "19.99"),
    "Point": ("point::text", Point((1.0, 2.0)), "(1,2)"),
    "MacAddr6": ("macaddr::text", MacAddr6("08:00:2b:01:02:03"), "08:00:2b:01:02:03"),
    "Int32Array": ("int4[]", Int32Array([1, 2]), [1, 2]),
    "Float64Array": ("float8[]", Float64Array([0.5]), [0.5]),
    "TextArray": ("text[]", TextArray(["a", "b"]), ["a", "b"]),
    "PgVector": ("vector::text", PgVector([1.0, 2.0]), "[1,2]"),
    "a list of PgVector": (
        "vector[]::text",
        [PgVector([1.0, 2.0]), PgVector([3.0, 4.0])],
        '{"[1,2]","[3,4]"}',
    ),
}


@pytest.mark.parametrize("name", WRAPPED)
async def test_a_value_in_this_type_of_psqlpy_is_taken_every_time(session, name):
    cast, value, expected = WRAPPED[name]
    statement = f"SELECT $1::{cast}"
    assert [await session.select_value(statement, (value,)) for _ in range(3)] == [expected] * 3


@pytest.mark.parametrize("name", ["Integer", "Float64", "JSONB", "PgVector", "a list of PgVector"])
async def test_a_value_in_this_type_of_psqlpy_is_stored(session, name):
    cast, value, expected = WRAPPED[name]
    await session.execute(f"CREATE TABLE kept (value {cast.removesuffix('::text')})")
    await session.execute("INSERT INTO kept VALUES ($1)", (value,))
    await session.execute_many("INSERT INTO kept VALUES ($1)", [(value,), (value,)])
    suffix = "::text" if cast.endswith("::text") else ""
    rows = await session.select(f"SELECT value{suffix} AS value FROM kept")
    assert [row["value"] for row in rows] == [expected] * 3


async def test_a_field_of_a_document_is_asked_for(session):
    row = await session.select_one(
        "SELECT name FROM products WHERE metadata->>'color' = $1", ("oak",)
    )
    assert row == {"name": "Desk"}


@pytest.mark.parametrize("parameters", [(), (1,), (1, 2, 3)])
async def test_a_wrong_number_of_parameters_is_an_sqlspec_error(session, parameters):
    with pytest.raises(SQLSpecError):
        await session.execute("SELECT $1::int, $2::int", parameters)
    assert await session.select_value("SELECT 1") == 1


async def test_a_missing_name_is_an_sqlspec_error(session):
    with pytest.raises(SQLSpecError):
        await session.execute("SELECT :a::int, :b::int", {"a": 1})


async def test_an_sql_object_takes_positional_parameters(session):
    statement = SQL("SELECT name FROM users WHERE id IN ($1, $2) ORDER BY id", 1, 2)
    assert await session.select(statement) == [{"name": "Ada"}, {"name": "Grace"}]
