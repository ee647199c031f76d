"""Columns of Python values that Arrow holds as `execute` would send them.

For these, whole columns are converted at once. Every other column is encoded value by value, with
the codecs of `execute` (see `records`): Arrow has one type for a column, so that it drops the time
of a datetime that follows a date, takes a naive datetime for UTC, and gives decimals one scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from psqlpy_adapter.copying.destination import TargetType
from psqlpy_adapter.copying.encoder import TEXTS, VECTORS, goes_as_text
from psqlpy_adapter.copying.fields import Refused, offsets_of
from psqlpy_adapter.copying.temporal import UTC, in_zone

# PostgreSQL type: the Python types that Arrow holds exactly for it, and the Arrow type.
_EXACT: dict[str, tuple[frozenset[type], pa.DataType]] = {
    **dict.fromkeys(
        ("int2", "int4", "int8", "oid", "xid", "cid", "xid8", "numeric"),
        (frozenset({int}), pa.int64()),
    ),
    **dict.fromkeys(("float4", "float8"), (frozenset({float, int}), pa.float64())),
    **dict.fromkeys(TEXTS, (frozenset({str}), pa.string())),
    "bool": (frozenset({bool}), pa.bool_()),
    "bytea": (frozenset({bytes}), pa.binary()),
    "date": (frozenset({date}), pa.date32()),
    "interval": (frozenset({timedelta}), pa.duration("us")),
}
_ENUM = (frozenset({str}), pa.string())
_ZONES = frozenset({timezone, ZoneInfo})  # zones that have an offset at all times


def plain_array(
    values: Sequence[Any], type_: TargetType, zone: str
) -> pa.Array | pa.ChunkedArray | None:
    """Give the values as Arrow holds them, or None where it would change what they mean."""
    kinds = set(map(type, values)) - {type(None)}
    try:
        return _array(values, kinds, type_, zone)
    except (pa.ArrowException, ValueError, OverflowError, Refused):
        return None  # out of the range of the Arrow type, no Unicode ...: for the codecs to say


def _array(
    values: Sequence[Any], kinds: set[type], type_: TargetType, zone: str
) -> pa.Array | pa.ChunkedArray | None:
    if not kinds:
        return pa.nulls(len(values))
    if kinds == {datetime} and type_.name in ("timestamp", "timestamptz"):
        return _moments(values, type_.name, zone)
    if kinds == {list} and (type_.element is not None or type_.name in VECTORS):
        return _lists(values, type_.element, zone)
    exact, arrow = _ENUM if type_.is_enum else _EXACT.get(type_.name, (frozenset(), pa.null()))
    if kinds <= exact:
        return pa.array(values, arrow)
    if kinds == {str} and goes_as_text(pa.string(), type_):
        return pa.array(values, pa.string())
    return None


def _moments(values: Sequence[Any], name: str, zone: str) -> pa.Array | None:
    zones = {value.tzinfo for value in values if value is not None}
    if zones == {None}:
        naive = pa.array(values, pa.timestamp("us"))
        if name == "timestamp" or zone in UTC:
            return naive
        # An hour that the zone leaves out, and a zone unknown to Arrow, are for the server.
        return in_zone(naive, zone)
    if {type(given) for given in zones} <= _ZONES:
        return pa.array(values, pa.timestamp("us", tz="UTC"))
    return None


def _lists(values: Sequence[Any], element: TargetType | None, zone: str) -> pa.Array | None:
    """Give lists for an array, or for a vector (`element` is None)."""
    inside = list(chain.from_iterable(value for value in values if value is not None))
    if element is not None:
        items = plain_array(inside, element, zone)
    else:
        numbers, arrow = _EXACT["float8"]
        items = pa.array(inside, arrow) if numbers.issuperset(map(type, inside)) else None
    if items is None or isinstance(items, pa.ChunkedArray):
        return None
    offsets = offsets_of(np.array([len(value or ()) for value in values]))
    null = np.array([*(value is None for value in values), False])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32(), mask=null), items)
