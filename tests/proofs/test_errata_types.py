"""Proofs of references/errata.md: types."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from proveskill import proves
from psqlpy.extra_types import Float64
from sqlspec.adapters.psqlpy import PsqlpyConfig, PsqlpyDriver
from sqlspec.exceptions import DataError, SQLSpecError


@proves(
    "B31 | `{encoder}` encodes JSON parameters | it is not called for a dict or a list",
    "B32 | `{decoder}` decodes JSON columns | it is not called for what a SELECT reads",
    adapter="stock",
    table="claim | false | true",
)
async def test_json_functions_are_not_called(dsn: str, encoder: str, decoder: str) -> None:
    assert (encoder, decoder) == ("json_serializer", "json_deserializer")
    called = []
    plain = PsqlpyConfig(connection_config={"dsn": dsn}).driver_features
    assert {encoder, decoder} <= plain.keys()
    config = PsqlpyConfig(
        connection_config={"dsn": dsn, "max_db_pool_size": 2},
        driver_features={encoder: called.append, decoder: called.append},
    )
    async with config.provide_session() as session:
        for given in ({"a": [1]}, ["a"]):
            for query in ("SELECT $1::jsonb", "SELECT $1::json"):
                for _ in range(2):
                    assert await session.select_value(query, (given,)) == given
        assert (
            await session.select_value("SELECT metadata->'stock' FROM products WHERE id = 1") == 3
        )
    await config.close_pool()
    assert called == []


@proves(
    "F13 | a naive `datetime` is local time | in `{column}` it is taken as {zone}",
    adapter="stock",
    table="claim | false | true",
)
async def test_a_naive_datetime(session: PsqlpyDriver, column: str, zone: str) -> None:
    naive = datetime(2026, 7, 1, 12)
    await session.execute(f"CREATE TEMP TABLE errata_times (at {column})")
    for server in ("America/New_York", "Asia/Tokyo"):
        await session.execute(f"SET TIME ZONE '{server}'")
        insert = "INSERT INTO errata_times VALUES ($1) RETURNING at"
        found = await session.select_value(insert, naive)
        assert found == naive.replace(tzinfo=ZoneInfo(zone))
        assert found.tzinfo is UTC
    assert zone == "UTC"


@proves(
    "F14 | a `UUID` fits an id of any type | an `{number}` refuses it; a `{text}` refuses it or "
    "stores its {size} bytes",
    adapter="stock",
    table="claim | false | true",
)
async def test_a_uuid_for_other_columns(
    session: PsqlpyDriver, number: str, text: str, size: int
) -> None:
    await session.execute(f"CREATE TEMP TABLE errata_ids (a {number}, b {text}, c uuid)")
    usual = UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
    readable = UUID(bytes=b"sixteen of ascii")
    for key in (usual, readable):
        await session.execute("INSERT INTO errata_ids (c) VALUES ($1)", key)
        with pytest.raises(SQLSpecError, match="incorrect binary data format"):
            await session.execute("INSERT INTO errata_ids (a) VALUES ($1)", key)
    with pytest.raises(SQLSpecError, match="invalid byte sequence for encoding"):
        await session.execute("INSERT INTO errata_ids (b) VALUES ($1)", usual)
    insert = "INSERT INTO errata_ids (b) VALUES ($1) RETURNING b"
    stored = await session.select_value(insert, readable)
    assert stored == "sixteen of ascii"
    assert len(stored) == size
    assert (number, text) == ("integer", "text")


@proves(
    "F17 | each type of PostgreSQL is handled | a `{given}` into `{column}` is refused, and `{a}`, "
    "`{b}` and `{c}` cannot be read",
    adapter="stock",
    table="claim | false | true",
)
async def test_types_that_fail(
    session: PsqlpyDriver, given: str, column: str, a: str, b: str, c: str
) -> None:
    await session.execute(f"CREATE TEMP TABLE errata_floats (x {column})")
    value = 4.7
    assert type(value).__name__ == given
    for _ in range(2):
        with pytest.raises(SQLSpecError, match="incorrect binary data format"):
            await session.execute("INSERT INTO errata_floats VALUES ($1)", value)
    await session.execute("INSERT INTO errata_floats VALUES ($1)", Float64(value))
    assert await session.select_value("SELECT x FROM errata_floats") == value
    samples = {"tsvector": "a", "int4range": "[1,5)", "timetz": "09:30:00+02"}
    for kind in (a, b, c):
        sample = samples.pop(kind)
        with pytest.raises(DataError, match="Can't convert value from driver to python type"):
            await session.select(f"SELECT '{sample}'::{kind}")
        assert await session.select_value(f"SELECT '{sample}'::{kind}::text")
    assert samples == {}
