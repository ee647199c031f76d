"""P23: every type of table 8.1 of the PostgreSQL manual, alone and in an array; ends; refusals."""

import datetime as dt
import ipaddress
import math
import uuid
from decimal import Decimal

import pytest
from faults import (
    NO_ARRAY,
    NO_DATETIME,
    NO_DECIMAL,
    NO_DECODER,
    OTHER_CLASS,
    OTHER_FORMAT,
    PANICS,
    UNKNOWN,
)
from harness import Breaks, promise
from psqlpy_adapter.types import Interval, Range
from roundtrips import assert_unchanged
from sqlspec.exceptions import DataError, SQLSpecError

UTC = dt.UTC
FAULTS = (*OTHER_FORMAT, PANICS, NO_DECODER, UNKNOWN, NO_ARRAY, NO_DECIMAL, OTHER_CLASS)
KEY = uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
STOCK_TOO = {
    "bigint", "bigserial", "boolean", "bytea", "character varying(9)", "date", "integer", "json",
    "jsonb", "numeric(12, 3)", "smallint", "smallserial", "serial", "text",
    "time without time zone", "timestamp without time zone", "timestamp with time zone",
    "interval day to second",
}  # fmt: skip
TABLE = {
    "bigint": 2**62,
    "bigserial": 2**62,
    "bit(3)": "101",
    "bit varying(9)": "10101",
    "boolean": True,
    "box": ((3.0, 4.0), (1.0, 2.0)),
    "bytea": b"\x00\xff",
    "character(5)": "ab   ",
    "character varying(9)": "née",
    "cidr": ipaddress.ip_network("10.0.0.0/8"),
    "circle": ((1.0, 2.0), 3.0),
    "date": dt.date(2024, 2, 29),
    "double precision": 1e-9,
    "inet": ipaddress.ip_interface("10.1.2.3/8"),
    "integer": -(2**31),
    "interval": Interval(14, -2, 3),
    "interval day to second": dt.timedelta(3, 4, 5),
    "json": {"a": [1, None, "é"]},
    "jsonb": {"a": [1, None, "é"]},
    "line": (1.0, 2.0, 3.0),
    "lseg": [(1.0, 2.0), (3.0, 4.0)],
    "macaddr": "08:00:2b:01:02:03",
    "macaddr8": "08:00:2b:ff:fe:01:02:03",
    "money": Decimal("-12.10"),
    "numeric(12, 3)": Decimal("123456789.012"),
    "numeric": Decimal("1234567890123456789012345678901234567890.000000000000000000000000000001"),
    "path": [(1.0, 2.0), (3.0, 4.0)],
    "pg_lsn": "16/B374D848",
    "pg_snapshot": "10:20:10,14,15",
    "point": (1.5, -2.0),
    "polygon": ((0.0, 0.0), (1.0, 1.0), (1.0, 0.0)),
    "real": 0.25,
    "smallint": -(2**15),
    "smallserial": 1,
    "serial": 1,
    "text": "x' \\ \" \n ü 🐘",
    "time without time zone": dt.time(23, 59, 59, 999999),
    "time with time zone": dt.time(1, 2, tzinfo=dt.timezone(dt.timedelta(hours=-3))),
    "timestamp without time zone": dt.datetime(2024, 1, 2, 3, 4, 5, 6),
    "timestamp with time zone": dt.datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
    "tsquery": "'a' & !'b'",
    "tsvector": "'a':1 'b':2",
    "txid_snapshot": "10:20:10,14,15",
    "uuid": KEY,
}


@pytest.mark.parametrize("pg_type", [name for name in TABLE if name in STOCK_TOO])
@promise("P23", stock=None)
async def test_a_type_of_the_manual_that_stock_knows_round_trips(adapter, session, pg_type):
    await assert_unchanged(session, pg_type, TABLE[pg_type])


@pytest.mark.parametrize("pg_type", [name for name in TABLE if name not in STOCK_TOO])
@promise("P23", stock=(*FAULTS, Breaks(AssertionError, "IPv4"), Breaks(AssertionError, "UUID(")))
async def test_a_type_of_the_manual_round_trips(adapter, session, pg_type):
    await assert_unchanged(session, pg_type, TABLE[pg_type])


@pytest.mark.parametrize("pg_type", [name for name in TABLE if "serial" not in name])
@promise("P23", stock=FAULTS)
async def test_its_array_with_a_null_round_trips(adapter, session, pg_type):
    await assert_unchanged(session, f"{pg_type}[]", [TABLE[pg_type], None, TABLE[pg_type]])


@promise("P23", stock=None)
async def test_xml_round_trips_or_says_that_the_server_has_none(adapter, session):
    for _ in (1, 2):
        answer = await xml_or_reason(session)
        assert answer == "<a>1</a>" or "unsupported XML feature" in answer


async def xml_or_reason(session):
    try:
        return await session.select_value("SELECT $1::xml AS v", "<a>1</a>")
    except SQLSpecError as error:
        return str(error)


ENDS = [
    ("timestamp", math.inf), ("timestamp", -math.inf), ("timestamptz", math.inf),
    ("timestamptz", -math.inf), ("date", -math.inf), ("interval", math.inf),
    ("interval", -math.inf), ("float4", -math.inf), ("float8", math.inf),
    ("numeric", Decimal("-Infinity")),
    ("int4range", Range(isempty=True)), ("int4range", Range(None, 5, "()")),
    ("numrange", Range(Decimal("1.5"), None, "[)")),
    ("tstzrange", Range(dt.datetime(2020, 1, 1, tzinfo=UTC), math.inf, "(]")),
    ("daterange", Range(dt.date(2020, 1, 1), dt.date(2020, 2, 1))),
    ("int8range", Range(1, 2**40)), ("tsrange", Range(dt.datetime(2020, 1, 1), None)),
    ("nummultirange", [Range(Decimal(1), Decimal(2), "[]"), Range(Decimal(5), None)]),
    ("datemultirange", [Range(dt.date(2020, 1, 1), dt.date(2020, 2, 1))]),
    ("int4range[]", [Range(1, 5), None]),
]  # fmt: skip


@pytest.mark.parametrize(("pg_type", "value"), ENDS, ids=str)
@promise("P23", stock=(NO_DECIMAL, UNKNOWN))
async def test_infinity_and_ranges_come_back(adapter, session, pg_type, value):
    await assert_unchanged(session, pg_type, value)


@pytest.mark.parametrize("pg_type", ["float4", "float8", "numeric"])
@promise("P23", stock=NO_DECIMAL)
async def test_not_a_number_comes_back(adapter, session, pg_type):
    value = Decimal("NaN") if pg_type == "numeric" else math.nan
    await session.execute_script(f"CREATE TEMP TABLE kept (value {pg_type})")
    for _ in (1, 2):
        await session.execute("INSERT INTO kept VALUES ($1)", value)
    for row in await session.select("SELECT value, value::text AS text FROM kept"):
        assert math.isnan(row["value"])
        assert type(row["value"]) is type(value)
        assert row["text"] == "NaN"


@pytest.mark.parametrize(("pg_type", "text"), [
    ("date", "0044-03-15 BC"), ("timestamp", "0044-03-15 00:00:00 BC"),
    ("timestamptz", "0044-03-15 00:00:00+00 BC"), ("timestamp", "20000-01-01 00:00:00"),
    ("time", "24:00:00"), ("timetz", "24:00:00+00"),
])  # fmt: skip
@promise("P23", stock=(*OTHER_FORMAT, NO_DATETIME, OTHER_CLASS))
async def test_what_python_cannot_hold_goes_in_as_text_and_says_so_when_it_is_read(
    adapter, session, pg_type, text
):
    await session.execute_script(f"SET timezone TO 'UTC'; CREATE TEMP TABLE kept (value {pg_type})")
    for _ in (1, 2):
        await session.execute("INSERT INTO kept VALUES ($1)", text)
        rows = await session.select("SELECT value::text AS v FROM kept")
        assert {row["v"] for row in rows} == {text}
        with pytest.raises(DataError, match="cast the column to text"):
            await session.select("SELECT value FROM kept")


@pytest.mark.parametrize(("pg_type", "value"), [
    ("interval", 5), ("polygon", 5), ("tsquery", 5), ("pg_snapshot", 5), ("macaddr", 5),
    ("bit(3)", 5), ("circle", 5), ("uuid[]", ["no uuid"]), ("int4range", 5), ("box", "no box"),
    ("cidr", ipaddress.ip_interface("10.0.0.1/8")),
], ids=str)  # fmt: skip
@promise("P23", stock=(*OTHER_FORMAT, OTHER_CLASS, Breaks(pytest.fail.Exception, "DID NOT RAISE")))
async def test_a_wrong_value_is_a_clear_error_before_anything_is_stored(
    adapter, session, pg_type, value
):
    await session.execute_script(f"CREATE TEMP TABLE kept (value {pg_type})")
    for _ in (1, 2):
        with pytest.raises(DataError):
            await session.execute("INSERT INTO kept VALUES ($1)", (value,))
    assert await session.select_value("SELECT count(*) FROM kept") == 0
