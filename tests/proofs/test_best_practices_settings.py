"""Proofs of references/best-practices.md: times without a zone, and settings."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import psycopg
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig

ZONES = ("Asia/Tokyo", "America/New_York", "UTC")


async def stored(session, value, zone):
    """The times, as text of a zone, that a value is stored as in sessions of several zones."""
    await session.execute("CREATE TEMP TABLE times (at timestamptz)")
    for name in ZONES:
        await session.execute(f"SET TIME ZONE '{name}'")
        await session.execute("INSERT INTO times VALUES ($1)", value)
    seen = f"SELECT to_char(at AT TIME ZONE '{zone}', 'HH24:MI') AS t FROM times"
    rows = await session.select(seen)
    await session.execute("DROP TABLE times")
    return [row["t"] for row in rows]


@proves("A naive `{kind}` is stored as {zone}, whatever the session's time zone.", adapter="stock")
async def test_naive_times(session, kind: str, zone: str):
    nine = getattr(datetime, kind)(2026, 1, 1, 9)
    assert await stored(session, nine, zone) == ["09:00", "09:00", "09:00"]
    for name in ("Asia/Tokyo", "America/New_York"):
        aware = nine.replace(tzinfo=ZoneInfo(name))
        assert await stored(session, aware, name) == ["09:00", "09:00", "09:00"]


@proves("On the drop-in it is a time in the session's zone, as in PostgreSQL itself.")
async def test_naive_times_of_the_drop_in(dropin, dsn):
    with psycopg.connect(dsn) as connection:
        for name in ZONES:
            nine = datetime.datetime(2026, 1, 1, 9)
            connection.execute(f"SET TIME ZONE '{name}'")
            await dropin.execute(f"SET TIME ZONE '{name}'")
            (its,) = connection.execute("SELECT '2026-01-01 09:00'::timestamptz").fetchone()
            assert await dropin.select_value("SELECT $1::timestamptz", nine) == its


@proves(
    "`{key}` applies to every connection.",
    "`{local}` applies inside a transaction only; outside one it does nothing and raises nothing.",
)
async def test_settings_of_connections_and_of_transactions(dsn, key: str, local: str):
    keys = {key: "-c lock_timeout=200ms"}
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 3, **keys})
    show = "SHOW lock_timeout"
    async with config.provide_session() as one, config.provide_session() as two:
        async with config.provide_session() as three:
            assert [await s.select_value(show) for s in (one, two, three)] == ["200ms"] * 3
        await one.execute(f"{local} lock_timeout = '400ms'")
        assert await one.select_value(show) == "200ms"
        async with one.transaction():
            await one.execute(f"{local} lock_timeout = '400ms'")
            assert await one.select_value(show) == "400ms"
        assert await one.select_value(show) == "200ms"
    await config.close_pool()
