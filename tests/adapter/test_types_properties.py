"""Whatever fits a type comes back from the server as it went in."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psqlpy_adapter import PsqlpyConfig
from psqlpy_adapter.types import Interval, Range
from types_cases import alike

Select = Callable[[str, Any], list[dict[str, Any]]]
SETTINGS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
INT4 = st.integers(-(2**31), 2**31 - 1)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda m: dt.timezone(dt.timedelta(minutes=m)))
AWARE = st.datetimes(
    dt.datetime(2, 1, 1), dt.datetime(9998, 12, 31), timezones=st.just(dt.UTC)
)  # fmt: skip
NUMERIC = st.decimals(places=None, allow_nan=False) | st.decimals(
    -(10**60), 10**60, places=40, allow_nan=False
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e6, 1e6).map(lambda x: x + 0.0) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)
INTERVALS = st.timedeltas() | st.builds(
    Interval, INT4.filter(bool), INT4, st.integers(-(2**62), 2**62)
)
FLOAT4 = st.floats(width=32)
VALUES = {
    "int2": st.integers(-(2**15), 2**15 - 1),
    "int4": INT4,
    "int8": st.integers(-(2**63), 2**63 - 1),
    "xid8": st.integers(0, 2**64 - 1),
    "oid": st.integers(0, 2**32 - 1),
    "float8": st.floats(),
    "float4": FLOAT4,
    "text": TEXT,
    "bytea": st.binary(),
    "bool": st.booleans(),
    "uuid": st.uuids(),
    "date": st.dates(),
    "time": st.times(),
    "timetz": st.times(timezones=ZONES),
    "timestamp": st.datetimes(),
    "timestamptz": AWARE,
    "interval": INTERVALS,
    "inet": st.ip_addresses(),
    "varbit": st.text("01"),
    "point": st.tuples(st.floats(), st.floats()),
    "path": st.lists(st.tuples(st.floats(), st.floats()), min_size=1),
    "int4[]": st.lists(st.none() | INT4),
    "text[]": st.lists(st.none() | TEXT),
    "float8[]": st.lists(st.none() | st.floats()),
    "numeric[]": st.lists(st.none() | st.integers().map(Decimal)),
    "uuid[]": st.lists(st.none() | st.uuids()),
    "interval[]": st.lists(st.none() | INTERVALS),
    "int4range": st.tuples(st.integers(-1000, 0), st.integers(1, 1000)).map(lambda p: Range(*p)),
}


@pytest.fixture(scope="module")
def select(servers) -> Iterator[Select]:
    """Run one SELECT on one session, on the module's own event loop."""
    database = servers.create_database()
    with asyncio.Runner() as runner:
        config = PsqlpyConfig(connection_config={"dsn": database.url, "max_db_pool_size": 2})
        context = config.provide_session()
        session = runner.run(context.__aenter__())
        yield lambda sql, value: runner.run(session.select(sql, (value,)))
        runner.run(context.__aexit__(None, None, None))
        runner.run(config.close_pool())
    servers.drop_database(database)


@pytest.mark.parametrize("pg_type", VALUES)
@SETTINGS
@given(data=st.data())
def test_a_value_comes_back_as_it_went_in(select, pg_type, data):
    value = data.draw(VALUES[pg_type])
    (row,) = select(f"SELECT $1::{pg_type} AS value", value)
    assert alike(row["value"], value)


@SETTINGS
@given(value=NUMERIC)
def test_a_numeric_keeps_every_digit(select, value):
    (row,) = select("SELECT $1::numeric AS value, $1::numeric::text AS text", value)
    assert row["value"] == value
    assert row["value"].is_infinite() or format(row["value"], "f") == row["text"]


@SETTINGS
@given(value=JSON)
def test_a_document_comes_back_equal(select, value):
    (row,) = select("SELECT $1::jsonb AS value, $1::json AS text", {"value": value})
    assert row["value"] == {"value": value}
    assert row["text"] == {"value": value}


@SETTINGS
@given(rows=st.integers(1, 4), columns=st.integers(1, 4), data=st.data())
def test_an_array_keeps_its_dimensions(select, rows, columns, data):
    value = data.draw(
        st.lists(
            st.lists(st.none() | INT4, min_size=columns, max_size=columns),
            min_size=rows, max_size=rows,
        )
    )  # fmt: skip
    (row,) = select("SELECT $1::int4[] AS value", value)
    assert row["value"] == value


@pytest.mark.parametrize(("pg_type", "dtype", "width"), [
    ("vector", np.float32, 32),
    ("halfvec", np.float16, 16),
])  # fmt: skip
@SETTINGS
@given(data=st.data())
def test_a_vector_keeps_every_bit(select, pg_type, dtype, width, data):
    component = st.floats(width=width, allow_nan=False, allow_infinity=False)
    value = np.array(data.draw(st.lists(component, min_size=1, max_size=50)), dtype)
    (row,) = select(f"SELECT $1::{pg_type} AS value", value)
    assert row["value"].tobytes() == value.tobytes()


QUERIES = st.recursive(
    st.sampled_from(["'a'", "'b''c'", "'d':AB", "'e':*", "'\\\\'"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["&", "|", "<->", "<3>"]), inner).map(
            lambda parts: "({} {} {})".format(*parts)
        ),
        inner.map(lambda query: f"!({query})"),
    ),
    max_leaves=8,
)


@SETTINGS
@given(query=QUERIES)
def test_a_tsquery_reads_as_the_server_writes_it(select, query):
    (row,) = select("SELECT $1::tsquery AS value, $1::tsquery::text AS text", query)
    assert row["value"] == row["text"]


@SETTINGS
@given(words=st.lists(st.tuples(TEXT.filter(bool), st.integers(1, 16383)), max_size=5))
def test_a_tsvector_reads_as_the_server_writes_it(select, words):
    quoted = ["'" + word.replace("\\", "\\\\").replace("'", "''") + f"':{at}" for word, at in words]
    (row,) = select("SELECT $1::tsvector AS value, $1::tsvector::text AS text", " ".join(quoted))
    assert row["value"] == row["text"]
