"""Results as Arrow tables, with the columns' types from the server.

What SQLSpec 0.69 does: it guesses each column's Arrow type from the Python values, so that an
empty result has no columns at all, an all-NULL column no type, and a vector is list<double>.

What this does instead, by the PostgreSQL type of the column:

- bool, int2, int4, int8, float4, float8: bool, int16, int32, int64, float, double; oid: int64.
- numeric, money: a decimal of the digits that are there, decimal128(38, 9) when there is no value;
  string when one is NaN or infinite, which Arrow's decimals cannot be.
- date, time, timestamp, timestamptz: date32, time64[us], timestamp[us], timestamp[us, UTC].
- interval: duration[us]; month_day_nano_interval when one has months. bytea: binary.
- vector, halfvec: fixed_size_list<float>[n], <halffloat>[n]; list when lengths differ or there is
  no value to know one from.
- json, jsonb, composites: struct, list and so on, as the values are; JSON text when they differ.
- arrays: list, nested for more dimensions.
- everything else, uuid, sparsevec, ranges and multiranges too: string, in a text form that the
  server reads, so that `load_from_arrow` takes it back (see `types.written`).

Infinite dates have no Arrow form: DataError. May be unnecessary when SQLSpec (0.69) asks the
server. Source: https://arrow.apache.org/docs/format/Columnar.html (types).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from operator import itemgetter
from types import NoneType
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlspec.exceptions import DataError

from psqlpy_adapter.types import Interval
from psqlpy_adapter.types.codecs import FLAT
from psqlpy_adapter.types.documents import dumps
from psqlpy_adapter.types.written import written

if TYPE_CHECKING:
    from psqlpy_adapter.types import PgType

FIXED: dict[str, pa.DataType] = {
    "boolrecv": pa.bool_(),
    "int2recv": pa.int16(),
    "int4recv": pa.int32(),
    "int8recv": pa.int64(),
    "oidrecv": pa.int64(),
    "float4recv": pa.float32(),
    "float8recv": pa.float64(),
    "date_recv": pa.date32(),
    "time_recv": pa.time64("us"),
    "timestamp_recv": pa.timestamp("us"),
    "timestamptz_recv": pa.timestamp("us", tz="UTC"),
    "bytearecv": pa.binary(),
}
_COMPONENT = {"vector_recv": pa.float32(), "halfvec_recv": pa.float16()}
_NUMBERS = frozenset(("numeric_recv", "cash_recv"))
_NO_DIGITS = pa.decimal128(38, 9)


def numbers(values: list[Decimal | None]) -> pa.Array:
    """Return Decimals as decimals of the digits that are there; as text with NaN or infinity."""
    known = [value for value in values if value is not None]
    if not all(value.is_finite() for value in known):
        return pa.array([None if v is None else str(v) for v in values], pa.string())
    return pa.array(values) if known else pa.array(values, _NO_DIGITS)


def _vectors(values: list[Any], component: pa.DataType) -> pa.Array:
    lengths = {len(value) for value in values if value is not None}
    kind = pa.list_(component, lengths.pop()) if len(lengths) == 1 else pa.list_(component)
    return pa.array(values, kind)


def _intervals(values: list[Any]) -> pa.Array:
    if not any(isinstance(value, Interval) for value in values):
        return pa.array(values, pa.duration("us"))
    rows = [
        None if value is None
        else (value.months, value.days, value.microseconds * 1000)
        if isinstance(value, Interval)
        else (0, value.days, (value.seconds * 1_000_000 + value.microseconds) * 1000)
        for value in values
    ]  # fmt: skip
    return pa.array(rows, pa.month_day_nano_interval())


def _documents(values: list[Any]) -> pa.Array:
    if any(value is not None for value in values):
        try:
            return pa.array(values)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            pass  # of different shapes
    return pa.array([None if v is None else dumps(v) for v in values], pa.string())


def _lists(values: list[Any], element: PgType) -> pa.Array:
    """Build a list array from the items of all lists, which have one type."""
    items = [item for value in values if value is not None for item in value]
    nested = any(isinstance(item, list) for item in items)
    if nested and element.receive not in FLAT:  # of those, what is a list is one value
        if not all(isinstance(item, list) for item in items):
            raise DataError(
                f"PostgreSQL {element} arrays of different dimensions have no Arrow form in common"
            )
        inner = _lists(items, element)
    else:
        inner = array(items, element)
    offsets, end = [], 0
    for value in values:
        offsets.append(None if value is None else end)
        end += len(value or ())
    return pa.ListArray.from_arrays(pa.array([*offsets, end], pa.int32()), inner)


def array(values: list[Any], pg_type: PgType | None) -> pa.Array:
    """Return the values of a column as an Arrow array. Raises DataError."""
    while pg_type is not None and pg_type.base is not None:
        pg_type = pg_type.base
    if pg_type is None:
        return pa.array(values)
    try:
        if pg_type.element is not None:
            return _lists(values, pg_type.element)
        if pg_type.receive in _COMPONENT:
            return _vectors(values, _COMPONENT[pg_type.receive])
        if pg_type.receive in _NUMBERS:
            return numbers(values)
        if pg_type.receive == "interval_recv":
            return _intervals(values)
        if pg_type.receive.startswith("json") and pg_type.receive != "jsonpath_recv":
            return _documents(values)
        if pg_type.kind == "c":
            return _documents(values)
        kind = FIXED.get(pg_type.receive)
        if kind is not None:
            return pa.array(values, kind)
        if not set(map(type, values)) <= {str, NoneType}:
            values = [None if value is None else written(value, pg_type) for value in values]
        return pa.array(values, pa.string())
    except (pa.ArrowException, OverflowError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"a PostgreSQL {pg_type} value has no Arrow form: {error}") from error


def table(rows: list[dict[str, Any]], columns: Iterable[tuple[str, PgType | None]]) -> pa.Table:
    """Return rows as a table with the columns' names and types, also when there are none.

    Of columns with one name the last one stays, as in the rows.
    """
    types = dict(columns)
    arrays = []
    for name, kind in types.items():
        try:
            arrays.append(array(list(map(itemgetter(name), rows)), kind))
        except DataError as error:
            raise DataError(f'column "{name}": {error}') from error.__cause__
    return pa.table(arrays, names=list(types))
