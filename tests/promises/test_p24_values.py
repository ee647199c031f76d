"""P24, the values: what does not fit is a DataError that says so, before anything is sent."""

import datetime as dt
from decimal import Decimal

import pytest
from faults import PANICS
from harness import Breaks, promise
from sqlspec.exceptions import DataError, SQLSpecError

# Each value fails in a way of its own, seldom with a message that names the fault.
EACH_ITS_OWN = (
    *(Breaks(kind) for kind in (TypeError, OverflowError, UnicodeEncodeError, SQLSpecError)),
    PANICS,
    Breaks(AssertionError, "parameter $2"),
    Breaks(pytest.fail.Exception, "DID NOT RAISE"),
)
WRONG = [
    ("int2", 40_000, "int", "int2", "outside -32768 .. 32767"),
    ("int4", 2**31, "int", "int4", "outside"),
    ("int8", 2**63, "int", "int8", "outside"),
    ("int4", 1.5, "float", "int4", "expected an int"),
    ("int4", b"1", "bytes", "int4", "expected an int"),
    ("text", 5, "int", "text", "expected a str"),
    ("text", ["a"], "list", "text", "expected a str"),
    ("varchar(5)", b"a", "bytes", "varchar", "expected a str"),
    ("text", "a\0b", "str", "text", "code zero"),
    ("text", "\ud800", "str", "text", "surrogates"),
    ("bool", 1, "int", "bool", "expected a bool"),
    ("float8", b"1", "bytes", "float8", "expected a float"),
    ("float4", 1e300, "float", "float4", "out of range"),
    ("numeric", b"1", "bytes", "numeric", "expected a Decimal"),
    ("date", 5, "int", "date", "expected a datetime.date"),
    ("timestamptz", 5, "int", "timestamptz", "expected a datetime.datetime"),
    ("interval", 5, "int", "interval", "expected a datetime.timedelta"),
    ("uuid", "no uuid", "str", "uuid", "not the text of a UUID"),
    ("uuid", 5, "int", "uuid", "expected a uuid.UUID"),
    ("bytea", 5, "int", "bytea", "expected bytes"),
    ("inet", 5, "int", "inet", "expected an ipaddress"),
    ("int4[]", [1, "x", 2], "list", "int4[]", "it mixes values with text"),
    ("int4[]", [1, 2.5], "list", "int4[]", "item 1: expected an int"),
    ("int4[]", [[1], [2, 3]], "list", "int4[]", "differ in length"),
    ("int4[]", 5, "int", "int4[]", "expected a list"),
    ("int4range", (1, 5), "tuple", "int4range", "expected a Range"),
    ("vector", [1.0, float("nan")], "list", "vector", "component 1 is nan"),
    ("vector", 5, "int", "vector", "expected a one-dimensional"),
    ("point", (1,), "tuple", "point", "expected a point"),
    ("money", 1999, "int", "money", "an int could mean cents"),
    ("money", Decimal("1.001"), "decimal.Decimal", "money", "2 decimals"),
    ("jsonb", {"a": float("nan")}, "dict", "jsonb", "not JSON compliant"),
    ("uuid", object(), "object", "uuid", "expected"),
]


@pytest.mark.parametrize(("pg_type", "value", "python", "named", "reason"), WRONG)
@promise("P24", stock=EACH_ITS_OWN)
async def test_a_wrong_value_is_a_data_error_that_names_both_types(
    adapter, session, pg_type, value, python, named, reason
):
    await session.execute_script(f"CREATE TEMP TABLE kept (id int, value {pg_type})")
    await session.begin()
    for _ in (1, 2):
        with pytest.raises(DataError) as caught:
            await session.execute("INSERT INTO kept VALUES ($1, $2)", 1, value)
        message = str(caught.value)
        assert f"parameter $2: a Python {python} cannot be a PostgreSQL {named}: " in message
        assert reason.lower() in message.lower()
    await session.execute("INSERT INTO kept VALUES ($1, $2)", 2, None)  # nothing was sent
    await session.commit()
    assert await session.select("SELECT id FROM kept") == [{"id": 2}]


@pytest.mark.parametrize("value", ["x", dt.date(2024, 1, 1), {1, 2}, object(), 1 + 2j])
@promise("P24", stock=Breaks(TypeError, "cannot be interpreted as an integer"))
async def test_whatever_is_given_for_an_int_is_a_sqlspec_error(adapter, session, value):
    for _ in (1, 2):
        with pytest.raises(SQLSpecError):
            await session.execute("SELECT $1::int + $2::int AS sum", 1, value)
    assert await session.select_value("SELECT 1 AS one") == 1


@pytest.mark.parametrize("count", [0, 1, 3])
@promise("P24", stock=None)
async def test_a_wrong_number_of_values_is_a_sqlspec_error(adapter, session, count):
    for _ in (1, 2):
        with pytest.raises(SQLSpecError):
            await session.execute("SELECT $1::int + $2::int AS sum", *range(count))


@promise("P24", stock=Breaks(OverflowError, "too large"))
async def test_a_wrong_value_of_a_load_names_the_column_and_both_types(adapter, session):
    with pytest.raises(DataError) as caught:
        await session.load_from_records("users", [{"name": "x", "age": 2**40}])
    for part in ('"age"', "int64", "integer"):
        assert part in str(caught.value)
