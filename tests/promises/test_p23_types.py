"""P23: types come back as Python's own, and every built-in type goes both ways or says why not.

The whole table is in tests/adapter/test_types_table.py; here are the forms of the guidance, and
what the stock adapter does with them.
"""

import datetime as dt
import ipaddress
import math
import uuid
from decimal import Decimal

import pytest
from harness import Breaks, promise
from psqlpy_adapter.types import Interval, Range
from sqlspec.exceptions import DataError

UTC = dt.UTC
KEY = uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
ODD = Breaks(BaseException)


async def through(session, pg_type, value):
    """Store and read a value twice; return the value of the second time."""
    await session.execute_script(f"CREATE TEMP TABLE kept (value {pg_type})")
    for _ in (1, 2):
        await session.execute("INSERT INTO kept VALUES ($1)", (value,))
        rows = await session.select("SELECT value FROM kept")
    return rows[-1]["value"]


@pytest.mark.parametrize(("pg_type", "value"), [
    ("timestamptz", dt.datetime(2024, 1, 2, 3, 4, 5, 678, tzinfo=UTC)),
    ("timestamp", dt.datetime(2024, 1, 2, 3, 4, 5)),
    ("date", dt.date(2024, 1, 2)),
    ("time", dt.time(1, 2, 3)),
    ("numeric", Decimal("99.99")),
    ("jsonb", {"tags": ["new"], "rating": 4.5}),
    ("int8", 2**60),
    ("bool", False),
    ("bytea", b"\0\xff"),
    ("text[]", ["a", "b"]),
    ("varchar(20)", "text"),
])  # fmt: skip
@promise("P23", stock=None)
async def test_the_types_that_stock_knows_come_back_as_they_went_in(
    adapter, session, pg_type, value
):
    assert await through(session, pg_type, value) == value


@pytest.mark.parametrize(("pg_type", "value"), [
    ("uuid", KEY),
    ("float8", 1.5),
    ("float4", 0.25),
    ("float8[]", [1.5, 2.5]),
    ("numeric", Decimal("123456789012345678901234567890.123456789012345678901234567890")),
    ("numeric", Decimal("Infinity")),
    ("int4[]", [1, None]),
    ("uuid[]", [KEY]),
    ("char(3)", "a  "),
    ("interval", Interval(1, 2, 3)),
    ("date", math.inf),
    ("timetz", dt.time(1, 2, tzinfo=UTC)),
    ("inet", ipaddress.ip_interface("10.0.0.1/8")),
    ("cidr", ipaddress.ip_network("10.0.0.0/8")),
    ("money", Decimal("12.10")),
    ("varbit", "101"),
    ("int4range", Range(1, 5)),
    ("int4multirange", [Range(1, 5)]),
    ("polygon", ((0.0, 0.0), (1.0, 1.0))),
    ("tsvector", "'a':1 'b':2"),
    ("pg_lsn", "0/FF"),
    ("regclass", 1259),
    ("xid8", 7),
    ("jsonb", 5),
])  # fmt: skip
@promise("P23", stock=ODD)
async def test_the_other_types_come_back_as_they_went_in(adapter, session, pg_type, value):
    found = await through(session, pg_type, value)
    assert found == value
    assert type(found) is type(value)


@promise("P23", stock=ODD)
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


@promise("P23", stock=ODD)
async def test_a_uuid_for_text_is_stored_as_its_text(adapter, session):
    assert await through(session, "text", KEY) == str(KEY)


@promise("P23", stock=ODD)
async def test_text_for_any_type_is_read_as_the_server_reads_it(adapter, session):
    for _ in (1, 2):
        row = await session.select_one(
            "SELECT $1::date::text AS a, $2::interval::text AS b, $3::int4range::text AS c",
            "0044-03-15 BC", "1 month 2 days", "[1,5)",
        )  # fmt: skip
        assert row == {"a": "0044-03-15 BC", "b": "1 mon 2 days", "c": "[1,5)"}


@pytest.mark.parametrize(
    "value",
    [
        "date '0044-03-15 BC'",
        "timestamp '20000-01-01'",
        "time '24:00'",
    ],
)
@promise("P23", stock=ODD)
async def test_what_python_cannot_hold_says_so_and_can_be_had_as_text(adapter, session, value):
    for _ in (1, 2):
        with pytest.raises(DataError, match="cast the column to text"):
            await session.select_value(f"SELECT {value} AS v")
        assert await session.select_value(f"SELECT ({value})::text AS v")


@promise("P23", stock=ODD)
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


@promise("P23", stock=ODD)
async def test_the_arrow_schema_of_an_empty_result_has_its_types(adapter, session):
    statement = "SELECT 1::int2 AS a, now() AS b, gen_random_uuid() AS c, 1.5 AS d WHERE false"
    schema = (await session.select_to_arrow(statement)).data.schema
    assert [(field.name, str(field.type)) for field in schema] == [
        ("a", "int16"), ("b", "timestamp[us, tz=UTC]"), ("c", "string"), ("d", "decimal128(38, 9)"),
    ]  # fmt: skip


@promise("P23", stock=ODD)
async def test_a_stream_reads_what_a_select_reads(adapter, session):
    statement = "SELECT $1::uuid AS a, $2::int4range AS b, n FROM generate_series(1, 5) n"
    for _ in (1, 2):
        stream = session.select_stream(statement, str(KEY), Range(1, 5), chunk_size=2)
        rows = [row async for row in stream]
        assert rows == [{"a": KEY, "b": Range(1, 5), "n": n} for n in range(1, 6)]


@promise("P23", stock=None)
async def test_a_stream_leaves_a_transaction_begun_as_text_alone(adapter, session):
    await session.execute_script("CREATE TEMP TABLE kept (id int)")
    await session.execute("BEGIN")
    await session.execute("INSERT INTO kept VALUES (1)")
    assert [row async for row in session.select_stream("SELECT id FROM kept")] == [{"id": 1}]
    await session.execute("ROLLBACK")
    assert await session.select_value("SELECT count(*) FROM kept") == 0


@promise("P23", stock=ODD)
async def test_what_is_written_while_a_stream_is_read_is_committed_by_itself(adapter, config):
    async with config.provide_session() as session, config.provide_session() as other:
        await session.execute_script("CREATE TABLE kept (id int)")
        rows = session.select_stream("SELECT n FROM generate_series(1, 100) n", chunk_size=10)

        async def fail_at_15():
            async with rows:
                async for row in rows:
                    await session.execute("INSERT INTO kept VALUES ($1)", row["n"])
                    if row["n"] == 15:
                        raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail_at_15()
        assert await other.select_value("SELECT count(*) FROM kept") == 15
