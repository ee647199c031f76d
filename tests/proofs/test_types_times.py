"""Proofs of references/types.md: points in time."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from proveskill import proves
from sqlspec.exceptions import DataError
from types_tools import refusal

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
NOON = [datetime(2026, 7, 1, 12, tzinfo=zone) for zone in (BERLIN, NEW_YORK, UTC)]
IN_UTC = [datetime(2026, 7, 1, hour, tzinfo=UTC) for hour in (10, 16, 12)]


@pytest.fixture
async def times(session):
    await session.execute("CREATE TEMP TABLE times (tz timestamptz, ts timestamp)")
    return session


@proves(
    "Pass aware datetimes to `{type_}`.", "They come back in {zone}.",
    section="types#store-points-in-time", adapter="stock",
)  # fmt: skip
async def test_aware_datetimes_keep_their_moment(times, type_: str, zone: str) -> None:
    kept = {}
    for name, column in (("timestamptz", "tz"), ("timestamp", "ts")):
        insert = f"INSERT INTO times ({column}) VALUES ($1) RETURNING {column}"
        kept[name] = [await times.select_value(insert, moment) for moment in NOON]
    assert [name for name, found in kept.items() if found == IN_UTC] == [type_]
    assert {str(found.tzinfo) for found in kept[type_]} == {zone}


@proves(
    "A naive datetime for `timestamptz` is taken as {zone}, whatever the time zone of the session "
    "and of the client.",
    adapter="stock",
)
async def test_a_naive_datetime_is_taken_as_utc(times, monkeypatch, zone: str) -> None:
    found = []
    try:
        for client in ("Asia/Tokyo", "America/New_York", "UTC"):
            monkeypatch.setenv("TZ", client)
            time.tzset()
            for server in ("America/New_York", "Asia/Tokyo", "UTC"):
                await times.execute(f"SET TIME ZONE '{server}'")
                sql = "SELECT ($1::timestamptz AT TIME ZONE 'UTC')::text"
                found.append(await times.select_value(sql, datetime(2026, 1, 2, 12)))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert found == ["2026-01-02 12:00:00"] * 9
    assert zone == "UTC"


@proves(
    "An aware datetime for a `timestamp` column is converted to {zone}, then its zone is dropped.",
    "A `{text}` is refused; a `{day}` too.",
    adapter="stock",
)
async def test_what_a_timestamp_column_takes(times, zone: str, text: str, day: str) -> None:
    insert = "INSERT INTO times (ts) VALUES ($1) RETURNING ts"
    for moment in NOON:
        converted = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert await times.select_value(insert, moment) == converted
    refused = []
    for value in (datetime(2026, 1, 2), "2026-01-02", date(2026, 1, 2)):
        error = await refusal(times.execute(insert, value))
        if error is not None:
            assert "Can not convert you datetime" in str(error)
            refused.append(type(value).__name__)
    assert refused == [text, day]


@proves(
    "Infinite dates, and those outside the years {first} to {last}, cannot be read as dates:",
    adapter="stock",
)
async def test_dates_that_python_does_not_have(times, first: int, last: int) -> None:
    day_before = f"(make_date({first}, 1, 1) - 1)"
    for kind in ("date", "timestamp", "timestamptz"):
        for year in (first, last):
            sql = f"SELECT make_date({year}, 12, 31)::{kind}"
            assert (await times.select_value(sql)).year == year
        for unreadable in (day_before, f"(make_date({last}, 12, 31) + 1)"):
            with pytest.raises(ValueError, match="is out of range"):
                await times.select(f"SELECT {unreadable}::{kind}")
        for infinite in ("infinity", "-infinity"):
            with pytest.raises(DataError, match="value too large to decode"):
                await times.select(f"SELECT '{infinite}'::{kind}")
            assert await times.select_value(f"SELECT '{infinite}'::{kind}::text") == infinite
