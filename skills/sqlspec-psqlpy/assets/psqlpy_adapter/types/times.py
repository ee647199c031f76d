"""Dates, times, time stamps and intervals.

psqlpy reads an interval's month as 30 days and `24:00` as midnight, cannot read infinity or
timetz, and takes a naive datetime for timestamptz as UTC. Here:

- A naive datetime for timestamptz (a naive time for timetz, a date for timestamptz) means what
  the literal means: the session's `TimeZone`. It is sent as text, so that the server decides.
- An aware datetime for timestamp is stored as its UTC time, as psqlpy does. What PostgreSQL casts
  on assignment is taken: a datetime for date, a date for timestamp, an aware time for time.
- `infinity` and `-infinity` (date, timestamp, interval) are the floats `inf` and `-inf`, both ways.
- An interval is a `timedelta` when it has no months, else an `Interval`; a `timedelta` is sent as
  its days and microseconds, so `24 hours` and `1 day`, which are one timedelta, both come back
  from the server as what was stored, but are the same in Python.
- What Python's types cannot hold (years before 1 or after 9999, `24:00`) raises DataError on
  reading; cast the column to text to read it. On writing, give a string: the server reads it.

Source: PostgreSQL manual 8.5 and appendix B; src/backend/utils/adt/{date,timestamp}.c.
May be unnecessary when psqlpy (0.13.1) reads all of these.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any, Final

from sqlspec.exceptions import DataError

from psqlpy_adapter.types.pgtype import ServerParses, Unfit, expected

_EPOCH_DAY: Final = date(2000, 1, 1).toordinal()
_DAY: Final = 86_400_000_000
_EPOCH: Final = datetime(2000, 1, 1)
_EPOCH_UTC: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_INFINITE_64: Final = (2**63 - 1, -(2**63))
_INFINITE_32: Final = (2**31 - 1, -(2**31))
_INTERVAL: Final = struct.Struct(">qii")
_INFINITE_INTERVALS: Final = tuple(
    _INTERVAL.pack(a, b, b) for a, b in zip(_INFINITE_64, _INFINITE_32, strict=True)
)


@dataclass(frozen=True, slots=True, order=False)
class Interval:
    """An interval with months, which no timedelta can hold: the server's three numbers."""

    months: int = 0
    days: int = 0
    microseconds: int = 0


def _infinite(value: Any, limits: tuple[int, int], size: int) -> bytes | None:
    if isinstance(value, float) and math.isinf(value):
        return limits[value < 0].to_bytes(size, "big", signed=True)
    if isinstance(value, str):
        raise ServerParses(value)
    return None


def _beyond(what: str) -> DataError:
    return DataError(f"Python has no value for this PostgreSQL {what}; cast the column to text")


def binary_date(value: Any) -> bytes:
    """Encode a date, or the date of a datetime."""
    if (infinite := _infinite(value, _INFINITE_32, 4)) is not None:
        return infinite
    if type(value).__module__ == "numpy":
        value = _from_numpy(value, "D")
    if not isinstance(value, date):
        raise expected("a datetime.date")
    return (value.toordinal() - _EPOCH_DAY).to_bytes(4, "big", signed=True)


def read_date(data: bytes) -> date | float:
    """Decode a date."""
    days = int.from_bytes(data, "big", signed=True)
    if days in _INFINITE_32:
        return math.inf if days > 0 else -math.inf
    try:
        return date.fromordinal(days + _EPOCH_DAY)
    except (ValueError, OverflowError):
        raise _beyond("date (a year before 1 or after 9999)") from None


def _from_numpy(value: Any, unit: str) -> Any:
    if not str(getattr(value, "dtype", "")).startswith("datetime64"):
        raise expected("a datetime")
    found = value.astype(f"datetime64[{unit}]").item()
    if not isinstance(found, date):
        raise Unfit("not a time that Python can hold")
    return found


def _moment(value: Any, *, aware: bool) -> bytes:
    if (infinite := _infinite(value, _INFINITE_64, 8)) is not None:
        return infinite
    if type(value).__module__ == "numpy":
        value = _from_numpy(value, "us")
    if not isinstance(value, date):
        raise expected("a datetime.datetime")
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    offset = value.utcoffset()
    if aware and offset is None:
        raise ServerParses(value.isoformat(" "))
    since = value.replace(tzinfo=None) - _EPOCH - (offset or timedelta())
    microseconds: int = since // _MICROSECOND
    return microseconds.to_bytes(8, "big", signed=True)


def binary_timestamp(value: Any) -> bytes:
    """Encode a timestamp without time zone."""
    return _moment(value, aware=False)


def binary_timestamptz(value: Any) -> bytes:
    """Encode a timestamp with time zone."""
    return _moment(value, aware=True)


def _read_moment(data: bytes, epoch: datetime) -> datetime | float:
    since = int.from_bytes(data, "big", signed=True)
    if since in _INFINITE_64:
        return math.inf if since > 0 else -math.inf
    try:
        return epoch + timedelta(microseconds=since)
    except OverflowError:
        raise _beyond("timestamp (a year before 1 or after 9999)") from None


def read_timestamp(data: bytes) -> datetime | float:
    """Decode a timestamp without time zone to a naive datetime."""
    return _read_moment(data, _EPOCH)


def read_timestamptz(data: bytes) -> datetime | float:
    """Decode a timestamp with time zone to an aware datetime in UTC."""
    return _read_moment(data, _EPOCH_UTC)


def _clock(value: time) -> int:
    seconds = value.hour * 3600 + value.minute * 60 + value.second
    return seconds * 1_000_000 + value.microsecond


def _read_clock(data: bytes, zone: timezone | None) -> time:
    microseconds = int.from_bytes(data[:8], "big", signed=True)
    if microseconds >= _DAY:
        raise _beyond("time (24:00)")
    return (datetime.min + timedelta(microseconds=microseconds)).time().replace(tzinfo=zone)


def binary_time(value: Any) -> bytes:
    """Encode a time of day; a zone is dropped, as PostgreSQL's cast does."""
    if isinstance(value, str):
        raise ServerParses(value)
    if not isinstance(value, time):
        raise expected("a datetime.time")
    return _clock(value).to_bytes(8, "big")


def read_time(data: bytes) -> time:
    """Decode a time of day without zone."""
    return _read_clock(data, None)


def binary_timetz(value: Any) -> bytes:
    """Encode a time of day with its offset; PostgreSQL counts offsets west of Greenwich."""
    if isinstance(value, str):
        raise ServerParses(value)
    if not isinstance(value, time):
        raise expected("a datetime.time")
    offset = value.utcoffset()
    if offset is None:
        if value.tzinfo is None:
            raise ServerParses(value.isoformat())
        raise Unfit("its time zone has no fixed UTC offset")
    if offset.microseconds:
        raise Unfit("its UTC offset is not a whole number of seconds")
    return struct.pack(">qi", _clock(value), -int(offset.total_seconds()))


def read_timetz(data: bytes) -> time:
    """Decode a time of day with its offset."""
    west = int.from_bytes(data[8:], "big", signed=True)
    return _read_clock(data, timezone(timedelta(seconds=-west)))


def binary_interval(value: Any) -> bytes:
    """Encode a timedelta, an `Interval` or an infinite float."""
    if isinstance(value, str):
        raise ServerParses(value)
    if isinstance(value, float) and math.isinf(value):
        return _INFINITE_INTERVALS[value < 0]
    if isinstance(value, Interval):
        parts = (value.microseconds, value.days, value.months)
    elif isinstance(value, timedelta):
        parts = (value.seconds * 1_000_000 + value.microseconds, value.days, 0)
    else:
        raise expected("a datetime.timedelta or an Interval")
    try:
        return _INTERVAL.pack(*parts)
    except struct.error as error:
        raise Unfit(str(error)) from None


def read_interval(data: bytes) -> timedelta | Interval | float:
    """Decode an interval: a timedelta when it has no months, else an `Interval`."""
    if data in _INFINITE_INTERVALS:
        return math.inf if data == _INFINITE_INTERVALS[0] else -math.inf
    microseconds, days, months = _INTERVAL.unpack(data)
    if months:
        return Interval(months, days, microseconds)
    try:
        return timedelta(days=days, microseconds=microseconds)
    except OverflowError:
        return Interval(0, days, microseconds)
