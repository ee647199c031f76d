"""P23: types come back as Python's own, and every built-in type goes both ways or says why not.

Here are the values of the guidance; the manual's table of types is in test_p23_table.py.
"""

import datetime as dt
import math
import uuid
from decimal import Decimal

import pytest
from faults import (
    NO_DATETIME,
    NO_DECIMAL,
    NO_DECODER,
    NO_DOCUMENT,
    OTHER_CLASS,
    OTHER_FORMAT,
    UNKNOWN,
)
from harness import Breaks, promise
from psqlpy_adapter.types import Range
from roundtrips import assert_unchanged, through

UTC = dt.UTC
KEY = uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")


@pytest.mark.parametrize(("pg_type", "value"), [
    ("numeric", Decimal("99.99")),
    ("jsonb", {"tags": ["new"], "rating": 4.5}),
    ("text[]", ["a", "b"]),
])  # fmt: skip
@promise("P23", stock=None)
async def test_the_types_that_stock_knows_come_back_as_they_went_in(
    adapter, session, pg_type, value
):
    await assert_unchanged(session, pg_type, value)


@pytest.mark.parametrize(("pg_type", "value"), [
    ("float8[]", [1.5, 2.5]),
    ("uuid[]", [KEY]),
    ("numeric", Decimal("Infinity")),
    ("date", math.inf),
    ("int4range", Range(1, 5)),
    ("int4multirange", [Range(1, 5)]),
    ("regclass", 1259),
    ("xid8", 7),
    ("jsonb", 5),
])  # fmt: skip
@promise(
    "P23",
    stock=(
        *OTHER_FORMAT,
        NO_DECIMAL,
        UNKNOWN,
        NO_DECODER,
        NO_DOCUMENT,
        Breaks(AssertionError, "UUID("),
    ),
)
async def test_the_other_types_come_back_as_they_went_in(adapter, session, pg_type, value):
    await assert_unchanged(session, pg_type, value)


@promise("P23", stock=OTHER_FORMAT)
async def test_enums_their_arrays_domains_and_composites_come_back(adapter, session):
    await session.execute_script(
        "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN positive AS int CHECK (VALUE > 0);"
        "CREATE TYPE item AS (name text, price numeric);"
        "CREATE TEMP TABLE own (m mood, l mood[], p positive, i item)"
    )
    row = {"m": "ok", "l": ["sad", None], "p": 5, "i": {"name": "x", "price": Decimal("1.50")}}
    for _ in (1, 2):
        await session.execute("INSERT INTO own VALUES ($1, $2, $3, $4)", *row.values())
    assert await session.select("SELECT * FROM own") == [row, row]


@promise("P23", stock=OTHER_FORMAT)
async def test_a_uuid_for_text_is_stored_as_its_text(adapter, session):
    assert await through(session, "text", KEY) == str(KEY)


@promise("P23", stock=OTHER_CLASS)
async def test_text_for_any_type_is_read_as_the_server_reads_it(adapter, session):
    for _ in (1, 2):
        row = await session.select_one(
            "SELECT $1::date::text AS a, $2::interval::text AS b, $3::int4range::text AS c",
            "0044-03-15 BC", "1 month 2 days", "[1,5)",
        )  # fmt: skip
        assert row == {"a": "0044-03-15 BC", "b": "1 mon 2 days", "c": "[1,5)"}


@promise("P23", stock=Breaks(AssertionError, "datetime.datetime(2024, 1, 1, 0, 0, "))
async def test_a_naive_time_means_the_time_zone_of_the_session(adapter, session):
    await session.execute_script("SET timezone TO 'America/New_York'")
    for _ in (1, 2):
        found = await session.select_value("SELECT $1::timestamptz AS v", dt.datetime(2024, 1, 1))
        assert found == dt.datetime(2024, 1, 1, 5, tzinfo=UTC)


@promise("P23", stock=None)
async def test_columns_of_one_name_and_two_types_do_not_mix(adapter, session):
    for _ in (1, 2):
        row = await session.select_one(f"SELECT '{KEY}'::uuid AS id, 5.5 AS \"ID\", 'x' AS id")
        assert row == {"id": "x", "ID": Decimal("5.5")}


@promise("P23", stock=Breaks(AssertionError, "assert [] =="))
async def test_the_arrow_schema_of_an_empty_result_has_its_types(adapter, session):
    statement = "SELECT 1::int2 AS a, now() AS b, gen_random_uuid() AS c, 1.5 AS d WHERE false"
    schema = (await session.select_to_arrow(statement)).data.schema
    assert [(field.name, str(field.type)) for field in schema] == [
        ("a", "int16"), ("b", "timestamp[us, tz=UTC]"), ("c", "string"), ("d", "decimal128(38, 9)"),
    ]  # fmt: skip


@promise("P23", stock=NO_DATETIME)
async def test_a_text_or_a_date_is_taken_for_a_timestamp(adapter, session):
    for _ in (1, 2):
        for value in ("2026-01-02", dt.date(2026, 1, 2)):
            text = "SELECT $1::timestamp AS v"
            assert await session.select_value(text, value) == dt.datetime(2026, 1, 2)


@promise("P23", stock=OTHER_FORMAT)
async def test_small_numbers_keep_their_digits(adapter, session):
    for value in (1e-9, 4.2, 1e300, 5e-324):
        for _ in (1, 2):
            row = await session.select_one("SELECT $1::float8 AS f, $2::numeric AS n", value, value)
            assert row == {"f": value, "n": Decimal(repr(value))}


@promise("P23", stock=NO_DECODER)
async def test_arrow_takes_the_values_that_it_has_no_type_for_as_text(adapter, session):
    table = (
        await session.select_to_arrow(
            "SELECT 'NaN'::numeric AS n, '[1,2)'::int4range AS r, inet '10.0.0.1/8' AS a"
        )
    ).data
    assert [str(field.type) for field in table.schema] == ["string"] * 3
    assert table.to_pylist() == [{"n": "NaN", "r": "[1,2)", "a": "10.0.0.1/8"}]


@promise("P23", stock=Breaks(AssertionError, "duration[us]"))
async def test_arrow_has_the_narrowest_type_of_the_values(adapter, session):
    table = (
        await session.select_to_arrow(
            "SELECT 1.5 AS d, interval '1 mon 2 days' AS m, interval '2 days' AS i, "
            "'[1]'::jsonb AS j"
        )
    ).data
    assert [str(field.type) for field in table.schema] == [
        "decimal128(2, 1)", "month_day_nano_interval", "duration[us]", "list<item: int64>",
    ]  # fmt: skip


@promise("P23", stock=Breaks(AssertionError, "assert [] =="))
async def test_an_empty_result_has_its_columns(adapter, session):
    for _ in (1, 2):
        result = await session.execute("SELECT id, name FROM users WHERE id = $1", 99)
        assert result.column_names == ["id", "name"]
        assert result.get_data() == []


@promise("P23", stock=Breaks(AssertionError, "assert [] =="))
async def test_an_empty_result_of_returning_has_its_columns(adapter, session):
    for _ in (1, 2):
        result = await session.execute(
            "UPDATE users SET age = 1 WHERE id = $1 RETURNING id, age AS years", 99
        )
        assert result.column_names == ["id", "years"]
