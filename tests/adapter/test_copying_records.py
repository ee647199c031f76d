"""`load_from_records` stores what `execute` stores of the same values, and refuses the same."""

from __future__ import annotations

import datetime as dt
import enum
import ipaddress
import json
import math
import random
import uuid
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import psqlpy_adapter
import pytest
from harness import Adapter
from pgvector import Bit, SparseVector, Vector
from psqlpy_adapter.copying import source as slicing
from psqlpy_adapter.types import Interval, Json, Range
from sqlspec.exceptions import DataError, ImproperConfigurationError

TYPES = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN moments AS timestamptz;
SET TIME ZONE 'America/New_York';
"""
NAIVE = dt.datetime(2024, 1, 2, 17, 30)
AWARE = dt.datetime(2024, 7, 1, 12, tzinfo=dt.UTC)
IN_ZONE = AWARE.astimezone(ZoneInfo("Asia/Tokyo"))
LEFT_OUT = dt.datetime(2024, 3, 10, 2, 30)  # an hour that New York's clocks leave out
DAY = dt.date(2024, 1, 1)
ID = uuid.UUID(int=5)


class Mood(enum.Enum):
    SAD = "sad"
    OK = "ok"


class Level(enum.Enum):
    ok = 1


@pytest.fixture
def adapter() -> Adapter:
    return Adapter("bundled", psqlpy_adapter)


async def stored(session: Any) -> list[str | None]:
    rows = await session.select("SELECT value::text AS value FROM loaded ORDER BY id")
    await session.execute("TRUNCATE loaded RESTART IDENTITY")
    return [row["value"] for row in rows]


async def both(session: Any, values: list[Any]) -> tuple[list[str | None], list[str | None]]:
    """What a load stores, and what INSERTs of the values one by one store."""
    await session.load_from_records("loaded", [{"value": value} for value in values])
    loaded = await stored(session)
    for value in values:
        await session.execute("INSERT INTO loaded (value) VALUES ($1)", (value,))
    return loaded, await stored(session)


@pytest.mark.parametrize(
    ("pg_type", "values"),
    [
        ("int4", [1, None, -5]),
        ("int4", ["5", 6]),
        ("int4", [True, np.int64(3)]),
        ("int8", [2**63 - 1, -(2**63)]),
        ("float8", [1, 2.5, None]),
        ("float8", [2**53 + 1, 2**70, 0.5]),
        ("float8", [Decimal("43451.44963869245"), 2.5]),
        ("float4", [0.1, 2**60 + 1, math.inf, math.nan]),
        ("numeric", [1, 1.5, Decimal("1.10"), Decimal("NaN"), "2.50", None, 10**40]),
        ("numeric(8,2)", [Decimal("1.005"), 7]),
        ("money", [Decimal("1.25")]),
        ("bool", [True, None, np.bool_(False)]),
        ("text", ["a", None, Mood.SAD, ID]),
        ("varchar(3)", ["abc", "ab   "]),
        ("mood", [Mood.OK, "sad", Level.ok]),
        ("mood[]", [[Mood.OK, None]]),
        ("bytea", [b"a", bytearray(b"b"), memoryview(b"c"), "\\x64"]),
        ("uuid", [ID, str(ID), ID.hex, None]),
        ("uuid[]", [[ID, None], [str(ID)]]),
        ("date", [DAY, NAIVE, math.inf, "2024-02-29"]),
        ("date", [NAIVE, DAY]),
        ("time", [dt.time(1, 2, 3, 4), dt.time(1, tzinfo=dt.UTC), "24:00"]),
        ("timetz", [dt.time(1, tzinfo=dt.UTC), dt.time(3)]),
        ("timestamp", [DAY, NAIVE]),
        ("timestamp", [NAIVE, DAY, math.inf]),
        ("timestamp", [NAIVE]),
        ("timestamp", [AWARE, IN_ZONE]),
        ("timestamp", [NAIVE, AWARE]),
        ("timestamp", ["2024-01-01", NAIVE]),
        ("timestamptz", [NAIVE, None]),
        ("timestamptz", [LEFT_OUT]),
        ("timestamptz", [AWARE, IN_ZONE]),
        ("timestamptz", [AWARE, NAIVE]),
        ("timestamptz", [NAIVE, AWARE, DAY, "2024-01-01 00:00+09", -math.inf, None]),
        ("moments", [AWARE, NAIVE]),
        ("timestamptz[]", [[AWARE, None], [NAIVE], []]),
        ("timestamptz[]", [[AWARE], [NAIVE, DAY]]),
        ("interval", [dt.timedelta(1, 5), Interval(1, 2, 3), "1 mon", None]),
        ("interval", [dt.timedelta.max, math.inf]),
        ("jsonb", [{"a": 1}, [1], None, 1, "x", True, 1.5]),
        ("jsonb", [Json(None), Json("x"), Json("[1]"), "12", '{"a": 1}', '{"a"', ""]),
        ("json", [{"price": Decimal("1234567890.123456789012"), "at": NAIVE, "id": ID}]),
        ("jsonb[]", [[{"a": 1}, {"b": 2}], [None, "x", Json("[1]")], [[1]]]),
        ("int4[]", [[1, None], [], None, [[1, 2], [3, 4]], (5,), np.array([6]), ["7"], "{8}"]),
        ("numeric[]", [[Decimal("1.10"), 1.5, None], [Decimal("2.2")], [Decimal("NaN")]]),
        ("float8[]", [[Decimal("1.5"), 2], [0.5]]),
        ("text[]", [["a", None, '"\\,{}'], [Mood.SAD], [ID]]),
        ("inet", [ipaddress.ip_address("::1"), "10.0.0.1/8"]),
        ("inet[]", [[ipaddress.ip_address("::1")], ["10.0.0.1/8"]]),
        ("int4range", [Range(1, 5), Range(isempty=True), "[1,2)"]),
        ("int4range[]", [[Range(1, 5)]]),
        ("int4multirange", [[Range(1, 5)], []]),
        ("pair", [(1, "x"), {"a": None, "b": "y"}, None]),
        ("pair[]", [[(1, "x"), None]]),
        ("vector(2)", [[1, 2], np.array([1.0, 2.0]), (3, 4), Vector([5, 6]), "[7,8]", None]),
        ("sparsevec(3)", [np.array([1.0, 0, 2]), (1, 0, 0), [0, 1, 0], SparseVector([0, 0, 3])]),
        ("sparsevec(3)", ["{1:1}/3", [1, 2, 3]]),
        ("vector(2)", [[0.1, 2**24 + 1], None, [-0.0, 3.4e38]]),
        ("halfvec(2)", [[0.1, 1], [65_504, 1e-8]]),
        ("sparsevec(3)", [[0.0, 0.1, 0], [1, 0, 2]]),
        ("bit(3)", ["101", [True, False, True], Bit("110")]),
        ("point", [(1, 2), "(3,4)"]),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value[0]).__name__,
)
async def test_records_are_stored_as_execute_stores_them(session, pg_type, values):
    await session.execute_script(
        f"{TYPES} CREATE TABLE loaded (id int GENERATED ALWAYS AS IDENTITY, value {pg_type})"
    )
    loaded, executed = await both(session, values)
    assert loaded == executed
    # Each alone, so that a column of one Python type is compared too.
    for value, text in zip(values, executed, strict=True):
        assert await both(session, [value]) == ([text], [text])


REFUSED: list[tuple[str, Any, str]] = [
    ("text", {"a": 1}, "a Python dict cannot be a PostgreSQL text"),
    ("text", (1,), "a Python tuple cannot be a PostgreSQL text"),
    ("text", object(), "a Python object cannot be a PostgreSQL text"),
    ("text", 5, "a Python int cannot be a PostgreSQL text"),
    ("text", "\ud800", "not Unicode text"),
    ("inet", "\ud800", "not Unicode text"),
    ("jsonb", "\ud800", "not Unicode text"),
    ("jsonb", '["\ud800"]', "not Unicode text"),
    ("bytea", 5, "a Python int cannot be a PostgreSQL bytea"),
    ("int4", 1.5, "a Python float cannot be a PostgreSQL int4"),
    ("int8", 2**63, "a Python int cannot be a PostgreSQL int8"),
    ("int8", 10**5000, "a Python int cannot be a PostgreSQL int8"),
    ("float8", 10**400, "a Python int cannot be a PostgreSQL float8"),
    ("money", Decimal("1e30"), "out of the range of money"),
    ("varbit", [[True], [True, False]], "a Python list cannot be a PostgreSQL varbit"),
    ("vector(2)", [1, 2, 3], "3 dimensions instead of 2"),
    ("sparsevec(2)", [1, 2, 3], "3 dimensions instead of 2"),
    ("vector(2)", np.ones(3), "3 dimensions instead of 2"),
    ("vector(2)", [1, None], "vector"),
    ("vector(2)", [1, math.nan], "vector"),
    ("vector", [], "vector"),
    ("int4[]", {1, 2}, "a Python set cannot be a PostgreSQL int4[]"),
    ("jsonb", math.nan, "a Python float cannot be a PostgreSQL jsonb"),
]


@pytest.mark.parametrize(
    ("pg_type", "value", "reason"),
    REFUSED,
    ids=[f"{pg_type}-{type(value).__name__}" for pg_type, value, _ in REFUSED],
)
async def test_a_record_that_execute_refuses_is_refused_with_its_row(
    session, pg_type, value, reason
):
    await session.execute_script(f"CREATE TABLE loaded (value {pg_type})")
    with pytest.raises(DataError) as failure:
        await session.load_from_records("loaded", [{"value": None}, {"value": value}])
    assert str(failure.value).startswith('column "value", row 1: ')
    assert reason in str(failure.value)
    with pytest.raises(DataError):
        await session.execute("INSERT INTO loaded VALUES ($1)", (value,))


async def test_a_text_beside_values_that_the_server_cannot_read_is_refused_with_its_row(session):
    await session.execute_script("CREATE TABLE loaded (value timestamptz)")
    with pytest.raises(DataError, match=r"row 1: a value cannot be loaded .* read 'nonsense'"):
        await session.load_from_records("loaded", [{"value": AWARE}, {"value": "nonsense"}])


async def test_encoded_and_mixed_columns_are_loaded_in_slices(session, monkeypatch):
    monkeypatch.setattr(slicing, "SLICE_ROWS", 7)
    await session.execute_script(
        f"{TYPES} CREATE TABLE loaded"
        " (id int GENERATED ALWAYS AS IDENTITY, value timestamptz, n numeric)"
    )
    moments = [None, AWARE, NAIVE, DAY, "2024-01-01 00:00+09"] * 10
    numbers = [None, Decimal("1.10"), 5, 0.5, Decimal("1E+3")] * 10
    await session.load_from_records(
        "loaded", list(zip(moments, numbers, strict=True)), columns=["value", "n"]
    )
    found = await session.select("SELECT value::text, n::text FROM loaded ORDER BY id")
    assert [row["n"] for row in found] == [None, "1.10", "5", "0.5", "1000"] * 10
    assert [row["value"] for row in found] == [
        None,
        "2024-07-01 08:00:00-04",
        "2024-01-02 17:30:00-05",
        "2024-01-01 00:00:00-05",
        "2023-12-31 10:00:00-05",
    ] * 10


async def test_mixed_columns_are_merged_by_key(session):
    await session.execute_script(TYPES + "CREATE TABLE loaded (at timestamptz PRIMARY KEY, n int)")
    records = [
        {"at": AWARE, "n": 1},
        {"at": AWARE.astimezone(ZoneInfo("America/New_York")).replace(tzinfo=None), "n": 2},
        {"at": NAIVE, "n": 3},
    ]
    for _ in range(2):
        await session.load_from_records("loaded", records, on_conflict="update")
    assert await session.select("SELECT n FROM loaded ORDER BY at") == [{"n": 3}, {"n": 2}]


async def test_the_json_serializer_writes_every_document_of_records(make_config):
    config = make_config(driver_features={"json_serializer": lambda v: json.dumps({"v": v})})
    async with config.provide_session() as session:
        await session.execute_script(
            "CREATE TABLE loaded (id int GENERATED ALWAYS AS IDENTITY, value jsonb)"
        )
        loaded, executed = await both(session, [{"a": 1}, "x", 5, Json(None)])
        assert loaded == executed == ['{"v": {"a": 1}}', '{"v": "x"}', '{"v": 5}', '{"v": null}']


async def test_a_document_that_the_serializer_writes_wrong_is_refused_with_its_row(make_config):
    config = make_config(driver_features={"json_serializer": lambda v: "{nonsense}" if v else "0"})
    async with config.provide_session() as session:
        for kind in ("json", "jsonb"):
            await session.execute_script(f"CREATE TABLE of_{kind} (value {kind})")
            with pytest.raises(DataError, match=r'column "value", row 1: .*property name'):
                await session.load_from_records(f"of_{kind}", [{"value": 0}, {"value": 1}])


async def test_decimals_become_the_nearest_doubles(session):
    await session.execute_script("CREATE TABLE loaded (id int, f float8)")
    draw = random.Random(2)
    prices = [Decimal(draw.randrange(10**8)).scaleb(-draw.randrange(1, 6)) for _ in range(2_000)]
    await session.load_from_records("loaded", list(enumerate(prices)), columns=["id", "f"])
    found = await session.select("SELECT f FROM loaded ORDER BY id")
    assert [row["f"] for row in found] == [float(price) for price in prices]


@pytest.mark.parametrize(
    ("records", "columns", "reason"),
    [
        ([], None, "at least one record"),
        ([{"id": 1}, {"name": "a"}], None, "the same keys"),
        ([{"id": 1}, (1,)], None, "must all be mappings"),
        ([(1,)], None, "requires columns"),
        ([(1,), (1, 2)], ["id"], "match the number of columns"),
        ([(1,), {"id": 1}], ["id"], "match the number of columns"),
    ],
)
async def test_records_of_different_shapes_are_refused(session, records, columns, reason):
    await session.execute_script("CREATE TABLE loaded (id int, name text)")
    with pytest.raises(ImproperConfigurationError, match=reason):
        await session.load_from_records("loaded", records, columns=columns)


async def test_a_column_that_the_table_does_not_have_is_refused_by_name(session):
    await session.execute_script("CREATE TABLE loaded (id int)")
    with pytest.raises(DataError, match='has no column "colour"'):
        await session.load_from_records("loaded", [{"id": 1, "colour": object()}])
    with pytest.raises(DataError, match='two columns "id"'):
        await session.load_from_records("loaded", [(1, 2)], columns=["id", "id"])
