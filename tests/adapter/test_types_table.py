"""Every built-in type of the PostgreSQL manual's chapter 8: what goes in, what comes back.

Each value is stored twice (the first and the second execution of one text), read back by another
text twice, and compared with what the server says it is as text.
"""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from psqlpy_adapter import PsqlpyConfig
from sqlspec.exceptions import DataError
from types_cases import SETUP, alike
from types_composed_cases import COMPOSED
from types_scalar_cases import SCALARS

CASES = [*SCALARS, *COMPOSED]


@pytest.fixture(scope="module")
def types_dsn(servers):
    database = servers.create_database()
    yield database.url
    servers.drop_database(database)


@pytest.fixture
async def session(types_dsn):
    config = PsqlpyConfig(
        connection_config={
            "dsn": types_dsn,
            "max_db_pool_size": 2,
            "options": "-c timezone=EST5EDT",
        }
    )
    async with config.provide_session() as session:
        if not await session.select("SELECT 1 AS one FROM pg_type WHERE typname = 'mood'"):
            await session.execute_script(SETUP)
        yield session
    await config.close_pool()


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_value_comes_back_as_documented_and_is_right_on_the_server(session, case):
    await session.execute(f"CREATE TEMP TABLE kept (id int, value {case.type})")
    for number in (1, 2):
        result = await session.execute("INSERT INTO kept VALUES ($1, $2)", number, case.given)
        assert result.rows_affected == 1
    for _ in (1, 2):
        rows = await session.select("SELECT value, value::text AS text FROM kept ORDER BY id")
        assert len(rows) == 2
        for row in rows:
            assert alike(row["value"], case.read), row["value"]
            assert row["text"] == case.text


@pytest.mark.parametrize("case", [c for c in CASES if c.given is c.read], ids=str)
async def test_a_value_that_was_read_can_be_written_again(session, case):
    await session.execute(f"CREATE TEMP TABLE kept (value {case.type})")
    await session.execute("INSERT INTO kept VALUES ($1)", (case.read,))
    (row,) = await session.select("SELECT value FROM kept")
    await session.execute("INSERT INTO kept VALUES ($1)", (row["value"],))
    texts = await session.select("SELECT value::text AS text FROM kept")
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    "number",
    [
        Decimal("9" * 5_000),
        Decimal("-" + "12345" * 1_000 + "." + "67890" * 1_000),
        Decimal("0." + "0" * 6_000 + "1"),
        Decimal("1" + "0" * 6_000),
    ],
    ids=["whole", "both", "small", "round"],
)
async def test_a_numeric_of_thousands_of_digits_is_read_with_all_of_them(session, number):
    assert await session.select_value("SELECT $1::numeric", number) == number
    assert await session.select_value("SELECT $1::numeric::text", number) == f"{number:f}"


async def test_money_does_not_depend_on_the_programs_decimal_context(session):
    amount = Decimal("92233720368547758.07")
    with localcontext(prec=5):
        assert str(await session.select_value("SELECT $1::money", amount)) == str(amount)


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("money", Decimal("1e30")),
        ("money", Decimal("92233720368547758.08")),
        ("money", Decimal("1e-30")),
        ("int4", 10**5_000),
        ("hstore", {"a": "\ud800"}),
        ("jsonb", "\ud800"),
        ("varbit", [[True], [True, False]]),
    ],
    ids=["money", "money", "money", "int4", "hstore", "jsonb", "varbit"],
)
async def test_a_value_that_is_out_of_range_is_a_data_error(session, type_, value):
    with pytest.raises(DataError, match=f"cannot be a PostgreSQL {type_}: "):
        await session.select_value(f"SELECT $1::{type_}", (value,))
