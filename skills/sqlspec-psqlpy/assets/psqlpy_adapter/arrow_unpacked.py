"""Arrow arrays of what the server packed by column (`arrow_packed`).

The server's send functions write what Arrow has in its buffers, but for the order of the bytes and
the day from which dates are counted.

Source: PostgreSQL manual, 55.7 "Message Formats";
https://arrow.apache.org/docs/format/Columnar.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from psqlpy_adapter.arrow_results import FIXED, numbers
from psqlpy_adapter.copying.fields import offsets_of
from psqlpy_adapter.copying.temporal import EPOCH_DAYS, EPOCH_MICROSECONDS
from psqlpy_adapter.types import PgType

_DAY = 86_400_000_000  # microseconds
# What Python's dates hold, from 0001-01-01 to 9999-12-31, counted from 2000-01-01.
_FIRST_DAY, _LAST_DAY = -730_119, 2_921_939
_FIRST_MOMENT, _LAST_MOMENT = _FIRST_DAY * _DAY, (_LAST_DAY + 1) * _DAY - 1

Valid = NDArray[np.bool_] | None
"""Which rows are not NULL; None: all of them."""


class Unpacked(Exception):
    """What was packed is no Arrow data: the rows themselves say what it is."""


@dataclass(frozen=True)
class Width:
    """A type whose values have one width: how they are sent, their type there, how they are read.

    `least` and `most`: what a value may be as it was sent; `shift` is added to it.
    """

    send: str
    dtype: str
    least: int | None = None
    most: int | None = None
    shift: int = 0


WIDTHS = {
    "boolrecv": Width("boolsend", "u1"),
    "int2recv": Width("int2send", ">i2"),
    "int4recv": Width("int4send", ">i4"),
    "int8recv": Width("int8send", ">i8"),
    "float4recv": Width("float4send", ">f4"),
    "float8recv": Width("float8send", ">f8"),
    "date_recv": Width("date_send", ">i4", _FIRST_DAY, _LAST_DAY, EPOCH_DAYS),
    "time_recv": Width("time_send", ">i8", 0, _DAY - 1),
    "timestamp_recv": Width(
        "timestamp_send", ">i8", _FIRST_MOMENT, _LAST_MOMENT, EPOCH_MICROSECONDS
    ),
    "timestamptz_recv": Width(
        "timestamptz_send", ">i8", _FIRST_MOMENT, _LAST_MOMENT, EPOCH_MICROSECONDS
    ),
}


def validity(row: Mapping[str, Any], count: int, columns: int) -> list[Valid]:
    """Return which rows of each column are not NULL."""
    flags = np.frombuffer(row["f"] or b"", np.uint8)
    if not flags.any():
        return [None] * columns
    where = np.zeros(count, np.int64)
    where[flags == 1] = np.frombuffer(row["m"], ">i8")
    masks = [(where >> number) & 1 == 0 for number in range(columns)]
    return [None if mask.all() else mask for mask in masks]


def column(
    data: bytes, lengths: bytes | None, pg_type: PgType, count: int, valid: Valid
) -> pa.Array:
    """Return the array of a column. Raises `Unpacked` and `pyarrow.ArrowException`."""
    width = WIDTHS.get(pg_type.receive)
    if width is not None:
        return _values(
            np.frombuffer(data, width.dtype), width, FIXED[pg_type.receive], count, valid
        )
    sizes = np.frombuffer(lengths or b"", ">i4").astype(np.int64)
    if sizes.sum() != len(data):
        raise Unpacked
    if pg_type.receive == "vector_recv":
        return _vectors(data, sizes, count, valid)
    kind = pa.binary() if pg_type.receive == "bytearecv" else pa.string()
    offsets = offsets_of(_spread(sizes, count, valid)).astype(np.int32)
    array = pa.Array.from_buffers(
        kind, count, [_bitmap(valid), pa.py_buffer(offsets), pa.py_buffer(data)]
    )
    array.validate(full=True)  # is it UTF-8
    if pg_type.receive == "numeric_recv":
        return numbers([None if v is None else Decimal(v) for v in array.to_pylist()])
    return array


def _values(
    values: NDArray[Any], width: Width, kind: pa.DataType, count: int, valid: Valid
) -> pa.Array:
    if width.least is not None and width.most is not None and len(values):
        is_known = values.min() >= width.least and values.max() <= width.most
        if not is_known:
            raise Unpacked  # infinite, or nothing that Python has
    own = values.astype(values.dtype.newbyteorder("="))
    own = _spread(own + own.dtype.type(width.shift) if width.shift else own, count, valid)
    if kind == pa.bool_():
        return pa.array(own.astype(np.bool_), mask=None if valid is None else ~valid)
    return pa.Array.from_buffers(kind, count, [_bitmap(valid), pa.py_buffer(own)])


def _vectors(data: bytes, sizes: NDArray[np.int64], count: int, valid: Valid) -> pa.Array:
    """Vectors of one length: a header of 4 bytes, and the components."""
    if not len(sizes) or (sizes != sizes[0]).any():
        raise Unpacked
    places = int(sizes[0]) // 4
    items = np.frombuffer(data, ">f4").reshape(-1, places)[:, 1:].astype(np.float32)
    flat = pa.array(_spread(items, count, valid).reshape(-1))
    kind = pa.list_(pa.float32(), places - 1)
    return pa.Array.from_buffers(kind, count, [_bitmap(valid)], children=[flat])


def _spread(values: NDArray[Any], count: int, valid: Valid) -> NDArray[Any]:
    """Put the values of the rows that are not NULL in their places, and 0 elsewhere."""
    if len(values) != (count if valid is None else valid.sum()):
        raise Unpacked
    if valid is None:
        return values
    found = np.zeros((count, *values.shape[1:]), values.dtype)
    found[valid] = values
    return found


def _bitmap(valid: Valid) -> pa.Buffer | None:
    return None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
