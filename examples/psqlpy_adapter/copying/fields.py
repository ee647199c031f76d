"""The wire form of a column, and how columns become the rows of a COPY.

`COPY ... (FORMAT binary)` wants rows: a count of fields, then for each field its length and its
bytes (PostgreSQL manual, COPY, "Binary Format"). Arrow has columns. Here each column is made of
*pieces*, one value a row: a matrix of bytes, where all values have one width, or an Arrow binary
array. Arrow's `binary_join_element_wise` then copies them together row by row, in C++ and without
the GIL: 65,536 rows of (bigint, text, text) take 2.6 ms where `pgpq` takes 6 to 13 ms, which is
why `pgpq` is not used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]
Piece: TypeAlias = "Bytes | pa.BinaryArray"

HEADER = np.frombuffer(b"PGCOPY\n\xff\r\n\0" + bytes(8), np.uint8)
TRAILER = np.frombuffer(b"\xff\xff", np.uint8)


class Refused(Exception):
    """A value that the destination's type cannot hold; `row` counts from the start of the array."""

    def __init__(self, reason: str, row: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.row = row


@dataclass(frozen=True)
class Field:
    """One column of `n` values: their pieces, to be joined in order, and which rows are not NULL.

    `valid` is None when no row is NULL. What the pieces hold in a NULL row is of no account.
    """

    pieces: tuple[Piece, ...]
    valid: NDArray[np.bool_] | None = None


def fixed(values: NDArray[Any], valid: NDArray[np.bool_] | None = None) -> Field:
    """Make a field of values that have one width; `values` (n,) or (n, k) is big-endian already."""
    return Field((as_bytes(values),), valid)


def as_bytes(values: NDArray[Any]) -> Bytes:
    """View `values`, (n,) or (n, k) of any type, as a matrix of bytes, (n, width)."""
    values = np.ascontiguousarray(values)
    width = values.itemsize * (values.shape[1] if values.ndim == 2 else 1)
    return values.view(np.uint8).reshape(len(values), width)


def constant(content: bytes, rows: int) -> Bytes:
    """Repeat `content` in every row, without a copy."""
    return np.broadcast_to(np.frombuffer(content, np.uint8), (rows, len(content)))


def validity(array: pa.Array) -> NDArray[np.bool_] | None:
    """Tell which values are not NULL; None when all are."""
    if array.null_count == 0:
        return None
    valid: NDArray[np.bool_] = array.is_valid().to_numpy(zero_copy_only=False)
    return valid


def ranges(offsets: NDArray[np.int64], data: pa.Buffer | NDArray[Any]) -> pa.BinaryArray:
    """Make an array whose value i is `data[offsets[i]:offsets[i + 1]]`."""
    if offsets[-1] > np.iinfo(np.int32).max:
        raise Refused("more than 2 GiB in one slice")
    buffer = data if isinstance(data, pa.Buffer) else pa.py_buffer(np.ascontiguousarray(data))
    starts = pa.py_buffer(np.ascontiguousarray(offsets, np.int32))
    return pa.Array.from_buffers(pa.binary(), len(offsets) - 1, [None, starts, buffer])


def offsets_of(lengths: NDArray[Any]) -> NDArray[np.int64]:
    """Give the n + 1 offsets of n values that have these lengths and follow each other."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def binary(matrix: Bytes, valid: NDArray[np.bool_] | None = None) -> pa.BinaryArray:
    """Make an Arrow array of a matrix of bytes; rows that are not `valid` become empty."""
    rows, width = matrix.shape
    if valid is None:
        return ranges(np.arange(rows + 1, dtype=np.int64) * width, matrix)
    return ranges(offsets_of(valid * np.int64(width)), matrix[valid])


def frame(field: Field, rows: int) -> list[Piece]:
    """Put a field's length before it: four bytes, -1 for NULL (and then nothing follows)."""
    width = 0
    lengths: NDArray[np.int64] | None = None
    for piece in field.pieces:
        if isinstance(piece, np.ndarray):
            width += piece.shape[1]
        else:
            sizes = pc.binary_length(piece).fill_null(0).to_numpy(zero_copy_only=False)
            lengths = sizes.astype(np.int64) if lengths is None else lengths + sizes
    if field.valid is None and lengths is None:
        return [constant(width.to_bytes(4, "big"), rows), *field.pieces]
    total = np.full(rows, width, np.int64) if lengths is None else lengths + width
    if field.valid is None:
        return [as_bytes(total.astype(">i4")), *field.pieces]
    total = np.where(field.valid, total, -1)
    pieces = [
        binary(piece, field.valid) if isinstance(piece, np.ndarray) else _blank(piece, field.valid)
        for piece in field.pieces
    ]
    return [as_bytes(total.astype(">i4")), *pieces]


def _blank(piece: pa.BinaryArray, valid: NDArray[np.bool_]) -> pa.BinaryArray:
    if piece.null_count:
        return piece
    return pc.if_else(pa.array(valid), piece, pa.scalar(None, piece.type))


def join(pieces: Iterable[Piece], rows: int) -> pa.BinaryArray:
    """Join the pieces of each row into one value; a NULL piece counts as empty."""
    joined: list[pa.BinaryArray] = []
    run: list[Bytes] = []
    for piece in pieces:
        if isinstance(piece, np.ndarray):
            run.append(piece)
            continue
        if run:
            joined.append(binary(np.concatenate(run, axis=1)))
            run = []
        joined.append(piece)
    if run or not joined:
        joined.append(binary(np.concatenate(run, axis=1) if run else np.empty((rows, 0), np.uint8)))
    if len(joined) == 1 and joined[0].null_count == 0 and joined[0].offset == 0:
        return joined[0]
    return pc.binary_join_element_wise(
        *joined, pa.scalar(b""), null_handling="replace", null_replacement=b""
    )


def content(array: pa.BinaryArray) -> tuple[NDArray[np.int64], Bytes]:
    """Give the offsets and the bytes of what `join` made."""
    _, starts, data = array.buffers()
    offsets = np.frombuffer(starts, np.int32, len(array) + 1).astype(np.int64)
    bytes_ = np.empty(0, np.uint8) if data is None else np.frombuffer(data, np.uint8, offsets[-1])
    return offsets, bytes_


def copy_buffer(fields: Sequence[Field], rows: int) -> Bytes:
    """Make one complete binary COPY of the fields: header, rows, trailer."""
    pieces: list[Piece] = [constant(len(fields).to_bytes(2, "big"), rows)]
    for field in fields:
        pieces += frame(field, rows)
    _, body = content(join(pieces, rows))
    return np.concatenate([HEADER, body, TRAILER])
