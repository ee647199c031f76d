"""An Arrow table of rows that the server packed by column.

Source: https://arrow.apache.org/docs/format/Columnar.html.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from psqlpy_adapter.arrow_results import FIXED, numbers
from psqlpy_adapter.copying.fields import offsets_of
from psqlpy_adapter.packed_columns import SEPARATOR, WIDTHS, PackedColumn, Unpacked, Valid, columns
from psqlpy_adapter.types import PgType

_SEPARATOR = bytes([SEPARATOR])


def table(
    row: Mapping[str, Any], types: tuple[PgType, ...], names: Sequence[str]
) -> pa.Table | None:
    """Return the rows that were packed into one; None where only the rows say what they are.

    Of columns with one name the last one stays, as in rows.
    """
    arrays: dict[str, pa.Array] = {}
    try:
        for name, packed in zip(names, columns(row, types), strict=True):
            arrays[name] = _array(packed)
    except (Unpacked, pa.ArrowException):
        return None
    return pa.table(list(arrays.values()), names=list(arrays))


def _array(packed: PackedColumn) -> pa.Array:
    """Return the array of a column. Raises `Unpacked` and `pyarrow.ArrowException`."""
    receive = packed.pg_type.receive
    if receive in WIDTHS:
        return _values(packed, FIXED[receive])
    if receive == "vector_recv":
        return _vectors(packed)
    if receive == "bytearecv":
        return _bytes(packed, offsets_of(packed.sizes()), packed.data, pa.binary())
    array = _texts(packed)
    if receive == "numeric_recv":
        return numbers([None if v is None else Decimal(v) for v in array.to_pylist()])
    return array


def _values(packed: PackedColumn, kind: pa.DataType) -> pa.Array:
    own = _spread(packed.fixed(), packed)
    if kind == pa.bool_():
        return pa.array(own.astype(np.bool_), mask=None if packed.valid is None else ~packed.valid)
    return pa.Array.from_buffers(kind, packed.count, [_bitmap(packed.valid), pa.py_buffer(own)])


def _texts(packed: PackedColumn) -> pa.Array:
    ends = np.flatnonzero(np.frombuffer(packed.data, np.uint8) == SEPARATOR)
    if packed.present:
        ends = np.append(ends, len(packed.data))
    packed.check(len(ends))
    # Of each end, the separators before it go.
    offsets = np.zeros(len(ends) + 1, np.int32)
    offsets[1:] = ends - np.arange(len(ends))
    array = _bytes(packed, offsets, packed.data.translate(None, _SEPARATOR), pa.string())
    array.validate(full=True)  # is it UTF-8
    return array


def _bytes(
    packed: PackedColumn, offsets: NDArray[np.integer[Any]], data: bytes, kind: pa.DataType
) -> pa.Array:
    if packed.valid is not None:  # a row with NULL ends where the one before it ends
        offsets = offsets[np.concatenate([[0], np.cumsum(packed.valid)])]
    buffers = [_bitmap(packed.valid), pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data)]
    return pa.Array.from_buffers(kind, packed.count, buffers)


def _vectors(packed: PackedColumn) -> pa.Array:
    """Vectors of one length: a header of 4 bytes, and the components."""
    sizes = packed.sizes()
    if not len(sizes) or (sizes != sizes[0]).any():
        raise Unpacked
    places = int(sizes[0]) // 4
    items = np.frombuffer(packed.data, ">f4").reshape(-1, places)[:, 1:].astype(np.float32)
    flat = pa.array(_spread(items, packed).reshape(-1))
    kind = pa.list_(pa.float32(), places - 1)
    return pa.Array.from_buffers(kind, packed.count, [_bitmap(packed.valid)], children=[flat])


def _spread(values: NDArray[Any], packed: PackedColumn) -> NDArray[Any]:
    """Put the values of the rows that are not NULL in their places, and 0 elsewhere."""
    if packed.valid is None:
        return values
    found = np.zeros((packed.count, *values.shape[1:]), values.dtype)
    found[packed.valid] = values
    return found


def _bitmap(valid: Valid) -> pa.Buffer | None:
    return None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
