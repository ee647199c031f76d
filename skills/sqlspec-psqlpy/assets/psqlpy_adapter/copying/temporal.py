"""Dates, times, timestamps and intervals: PostgreSQL counts from 2000-01-01, in microseconds."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from psqlpy_adapter.copying.fields import Field, Refused, as_bytes, fixed, validity
from psqlpy_adapter.copying.numbers import plain, refuse_first

EPOCH_DAYS = 10_957  # from 1970-01-01 to 2000-01-01
EPOCH_MICROSECONDS = EPOCH_DAYS * 86_400_000_000
_PER_MICROSECOND = {"s": 1_000_000, "ms": 1_000, "us": 1}
# The server's own limits (datatype/timestamp.h): 4713-01-01 BC to 294276-12-31.
_FIRST, _LAST = -211_813_488_000_000_000, 9_223_371_331_200_000_000
_FIRST_DAY, _LAST_DAY = -2_451_545, 2_145_031_948
_NANOSECONDS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_LISTED = 2_114_380_800  # 2037-01-01, in seconds
_EPOCH = dt.datetime(1970, 1, 1)
UTC = frozenset({"UTC", "Etc/UTC", "GMT", "Etc/GMT", "Universal", "Zulu", "Etc/Zulu"})


def dates(array: pa.Array) -> Field:
    """Encode into date: of dates, and of timestamps at midnight."""
    if pa.types.is_timestamp(array.type):
        days = array.cast(pa.date32(), safe=False)
        back = days.cast(pa.timestamp(array.type.unit))
        naive = pc.local_timestamp(array) if array.type.tz else array
        if array.type.tz:
            days = naive.cast(pa.date32(), safe=False)
            back = days.cast(naive.type)
        refuse_first(plain(pc.not_equal(back, naive).fill_null(False)), array, "not at midnight")
        array = days
    if pa.types.is_date64(array.type):
        array = array.cast(pa.date32())
    days_ = plain(array.cast(pa.int32())).astype(np.int64) - EPOCH_DAYS
    valid = validity(array)
    outside = (days_ < _FIRST_DAY) | (days_ > _LAST_DAY)
    refuse_first(outside if valid is None else outside & valid, array, "out of the range of date")
    return fixed(days_.astype(">i4"), valid)


def times(array: pa.Array) -> Field:
    """Encode into time: of times of every unit; nanoseconds are rounded, as the server does."""
    micro = _microseconds(array.cast(_integer(array.type)), array.type.unit, array)
    return fixed(micro.astype(">i8"), validity(array))


def timestamps(array: pa.Array, name: str, zone: str) -> Field:
    """Encode into timestamp and timestamptz: of timestamps of every unit, and of dates.

    A value without a zone that goes into timestamptz is read in the session's TimeZone (`zone`),
    as the server does. Of one with a zone that goes into timestamp its UTC time is stored, as
    `execute` does. Nanoseconds are rounded to microseconds, as the server does.
    """
    valid = validity(array)
    if pa.types.is_date(array.type):
        array = array.cast(pa.timestamp("s"))
    if name == "timestamptz" and array.type.tz is None and zone not in UTC:
        array = in_zone(array, zone)
    micro = _microseconds(array.cast(pa.int64()), array.type.unit, array)
    # What is less than _FIRST could be beyond 64 bits when counted from 2000.
    outside = micro < _FIRST + EPOCH_MICROSECONDS
    micro = micro - EPOCH_MICROSECONDS
    outside |= micro > _LAST
    refuse_first(
        outside if valid is None else outside & valid, array, f"out of the range of {name}"
    )
    return fixed(micro.astype(">i8"), valid)


def in_zone(array: pa.Array, zone: str) -> pa.Array:
    """Give timestamps without a zone as the moments that they are in `zone`.

    Arrow knows a zone by the list of its changes, which ends with 2037: what is later is read by
    Python, which knows the rule that goes on.
    """
    valid = validity(array)
    per_second = 1_000_000_000 // _NANOSECONDS[array.type.unit]
    values = plain(array.cast(pa.int64()))
    late = values >= _LISTED * per_second
    try:
        early = array.filter(pa.array(~late)) if late.any() else array
        known = pc.assume_timezone(early, timezone=zone, ambiguous="latest")
        if not late.any():
            return known
        moments = values.copy()
        moments[~late] = plain(known.cast(pa.int64()))
        seconds, place = np.unique(values[late] // per_second, return_inverse=True)
        offsets = np.array([_offset(int(second), ZoneInfo(zone)) for second in seconds])
    except (pa.ArrowInvalid, ValueError, OverflowError, KeyError) as error:
        raise Refused(f"no such time in the session's TimeZone: {error}") from None
    moments[late] -= offsets[place] * per_second
    mask = None if valid is None else ~valid
    return pa.array(moments, pa.int64(), mask=mask).cast(pa.timestamp(array.type.unit, zone))


def _offset(second: int, zone: ZoneInfo) -> int:
    """Give the seconds that a zone is ahead of UTC when its clocks show `second` (from 1970)."""
    naive = _EPOCH + dt.timedelta(seconds=second)
    moment = naive.replace(tzinfo=zone, fold=1)
    if moment.astimezone(dt.UTC).astimezone(zone).replace(tzinfo=None) != naive:
        raise ValueError(f"{naive} is left out in {zone}")
    offset = moment.utcoffset()
    return round(offset.total_seconds()) if offset is not None else 0


def intervals(array: pa.Array) -> Field:
    """Encode into interval: of durations (whole days are days, as Python has it), of calendar ones.

    A duration of 36 hours becomes `1 day 12:00:00`, which equals `36:00:00` for the server.
    """
    valid = validity(array)
    wire = np.zeros(len(array), [("micro", ">i8"), ("days", ">i4"), ("months", ">i4")])
    if pa.types.is_duration(array.type):
        micro = _microseconds(array.cast(pa.int64()), array.type.unit, array)
        wire["days"], wire["micro"] = np.divmod(micro, 86_400_000_000)
        outside = np.abs(micro // 86_400_000_000) > np.iinfo(np.int32).max
        refuse_first(outside, array, "out of the range of interval")
    else:  # month_day_nano_interval: two int32 and an int64
        layout = np.dtype([("months", "<i4"), ("days", "<i4"), ("nano", "<i8")])
        count = array.offset + len(array)
        parts = np.frombuffer(array.buffers()[1], layout, count)[array.offset :]
        wire["months"], wire["days"] = parts["months"], parts["days"]
        wire["micro"] = _rounded(parts["nano"])
    return Field((as_bytes(wire),), valid)


def _integer(arrow: pa.DataType) -> pa.DataType:
    return pa.int32() if arrow.bit_width == 32 else pa.int64()


def _microseconds(array: pa.Array, unit: str, original: pa.Array) -> NDArray[np.int64]:
    values = plain(array).astype(np.int64)
    if unit == "ns":
        return _rounded(values)
    factor = _PER_MICROSECOND[unit]
    if factor > 1:
        most = np.iinfo(np.int64).max // factor
        refuse_first((values > most) | (values < -most), original, "out of range")
    return values * factor


def _rounded(nano: NDArray[np.int64]) -> NDArray[np.int64]:
    # Half to even, as the server's rint() does; in integers, since floats lose digits here.
    whole, rest = np.divmod(nano, 1000)
    rounded: NDArray[np.int64] = whole + ((rest > 500) | ((rest == 500) & (whole % 2 == 1)))
    return rounded
