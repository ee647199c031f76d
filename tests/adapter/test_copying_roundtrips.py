"""What a load stores is, byte for byte, what an INSERT of the same values stores.

The INSERT is psycopg's, which sends text for the server to parse; both columns are compared in the
server's own binary form.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import math
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import psqlpy_adapter
import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
NAN = st.just(math.nan)  # one of the many: text has no payload, so that the server makes this one
FLOATS = st.floats(width=32, allow_nan=False) | NAN
DOUBLES = st.floats(allow_nan=False) | NAN
MOMENTS = st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31))
AWARE = MOMENTS.map(lambda moment: moment.replace(tzinfo=dt.UTC))
INTEGERS = st.integers(-(2**63), 2**63 - 1)
SMALL = st.decimals(-(10**30), 10**30, places=6)
SCALARS = st.none() | st.booleans() | INTEGERS | TEXT


def whole(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    most = 10**precision - 1
    # Built from digits: an operation would round to the 28 of Decimal's context.
    return st.integers(-most, most).map(
        lambda n: Decimal((int(n < 0), tuple(map(int, str(abs(n)))), -scale))
    )


def vector_text(values: list[float]) -> str:
    return f"[{','.join(repr(float(value)) for value in values)}]"


def array_text(values: list[Any]) -> str:
    items = ("NULL" if value is None else json.dumps(value, ensure_ascii=False) for value in values)
    return f"{{{','.join(items)}}}"


# PostgreSQL type, Arrow type, values, and what psycopg sends for a value.
CASES: list[tuple[str, pa.DataType, st.SearchStrategy[Any], Callable[[Any], Any]]] = [
    ("int2", pa.int64(), st.integers(-(2**15), 2**15 - 1), str),
    ("int8", pa.int64(), INTEGERS, str),
    ("numeric", pa.int64(), INTEGERS, str),
    ("numeric", pa.uint64(), st.integers(0, 2**64 - 1), str),
    ("float4", pa.float32(), FLOATS, repr),
    ("float8", pa.float64(), DOUBLES, repr),
    ("numeric", pa.float64(), DOUBLES, lambda v: repr(v).removesuffix(".0")),
    ("numeric", pa.decimal128(38, 6), SMALL, str),
    *(
        ("numeric", pa.decimal256(precision, scale), whole(precision, scale), lambda v: f"{v:f}")
        for precision, scale in [(76, 0), (76, 9), (76, 75), (5, 5), (40, 3)]
    ),
    *(
        ("numeric", pa.decimal128(precision, scale), whole(precision, scale), lambda v: f"{v:f}")
        for precision, scale in [(38, 0), (38, 1), (38, 2), (38, 38), (9, 4), (18, 7)]
    ),
    ("numeric(20,3)", pa.decimal128(38, 6), st.decimals(-(10**15), 10**15, places=6), str),
    ("bool", pa.bool_(), st.booleans(), str),
    ("text", pa.string(), TEXT, str),
    ("text", pa.string_view(), TEXT, str),
    (
        "jsonb",
        pa.string(),
        st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner)).map(
            json.dumps
        ),
        str,
    ),
    ("bytea", pa.binary(), st.binary(), lambda v: v),
    ("uuid", pa.string(), st.uuids().map(str), str),
    ("uuid", pa.binary(16), st.uuids().map(lambda v: v.bytes), lambda v: str(uuid.UUID(bytes=v))),
    ("date", pa.date32(), st.dates(), str),
    ("time", pa.time64("us"), st.times(), str),
    ("timestamp", pa.timestamp("us"), MOMENTS, str),
    ("timestamptz", pa.timestamp("us", "Asia/Tokyo"), AWARE, str),
    (
        "interval",
        pa.duration("us"),
        st.timedeltas(dt.timedelta(-(10**6)), dt.timedelta(10**6)),
        lambda v: f"{v.days} days {v.seconds} seconds {v.microseconds} microseconds",
    ),
    (
        "int4[]",
        pa.list_(pa.int32()),
        st.lists(st.none() | st.integers(-(2**31), 2**31 - 1)),
        array_text,
    ),
    (
        "text[]",
        pa.list_(pa.string()),
        st.lists(st.none() | st.from_regex(r"[a-z\"\\{}, ]*", fullmatch=True)),
        array_text,
    ),
    (
        "vector",
        pa.list_(pa.float32()),
        st.lists(
            st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=20
        ),
        vector_text,
    ),
    (
        "halfvec",
        pa.list_(pa.float32()),
        st.lists(st.integers(-2047, 2047).map(lambda n: n / 64), min_size=1, max_size=20),
        vector_text,
    ),
]


def stored(connection: psycopg.Connection, column: str) -> bytes:
    query = f"COPY (SELECT {column} FROM pairs ORDER BY id) TO STDOUT (FORMAT binary)"
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        return b"".join(copy)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.mark.parametrize(
    ("pg_type", "arrow", "values", "sent"),
    CASES,
    ids=[f"{name}-{arrow}" for name, arrow, *_ in CASES],
)
def test_a_load_stores_what_an_insert_stores(runner, dsn, pg_type, arrow, values, sent):
    config = psqlpy_adapter.PsqlpyConfig(connection_config={"dsn": dsn})
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE pairs (id int8, loaded {pg_type}, inserted {pg_type})")

        async def load(array: pa.Array) -> None:
            async with config.provide_session() as session:
                source = pa.table({"id": np.arange(len(array)), "loaded": array})
                await session.load_from_arrow("pairs", source, overwrite=True)

        @settings(
            max_examples=30,
            deadline=None,
            database=None,
            suppress_health_check=[HealthCheck.function_scoped_fixture],
        )
        @given(st.lists(st.none() | values, max_size=30))
        def check(drawn: list[Any]) -> None:
            runner.run(load(pa.array(drawn, arrow)))
            statement = sql.SQL("UPDATE pairs SET inserted = %s::{} WHERE id = %s").format(
                sql.SQL(pg_type)
            )
            with connection.cursor() as cursor:
                texts = [None if value is None else sent(value) for value in drawn]
                cursor.executemany(statement, [(text, id_) for id_, text in enumerate(texts)])
            assert stored(connection, "loaded") == stored(connection, "inserted")

        try:
            check()
        finally:
            runner.run(config.close_pool())
