"""What the server packed by column (`packed_select`), as arrays of numpy and as bytes.

The server's send functions write what Arrow and numpy have in memory, but for the order of the
bytes and the day from which dates are counted.

Source: PostgreSQL manual, 55.7 "Message Formats".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from psqlpy_adapter.copying.temporal import EPOCH_DAYS, EPOCH_MICROSECONDS
from psqlpy_adapter.types import PgType

SEPARATOR = 0x1F
"""What stands between texts: ASCII's unit separator."""
_DAY = 86_400_000_000  # microseconds
# What Python's dates hold, from 0001-01-01 to 9999-12-31, counted from 2000-01-01.
_FIRST_DAY, _LAST_DAY = -730_119, 2_921_939
_FIRST_MOMENT, _LAST_MOMENT = _FIRST_DAY * _DAY, (_LAST_DAY + 1) * _DAY - 1

Valid = NDArray[np.bool_] | None
"""Which rows are not NULL; None: all of them."""


class Unpacked(Exception):
    """What was packed cannot be read back: the rows themselves say what it is."""


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


@dataclass(frozen=True)
class PackedColumn:
    """The values of a column that are not NULL, and which of its `count` rows these are."""

    pg_type: PgType
    count: int
    valid: Valid
    data: bytes
    lengths: bytes | None

    @property
    def present(self) -> int:
        """How many rows are not NULL."""
        return self.count if self.valid is None else int(self.valid.sum())

    def fixed(self) -> NDArray[Any]:
        """Return values of one width; dates and moments count from 1970. Raises Unpacked."""
        width = WIDTHS[self.pg_type.receive]
        values = np.frombuffer(self.data, width.dtype)
        self.check(len(values))
        if width.least is not None and width.most is not None and len(values):
            is_known = values.min() >= width.least and values.max() <= width.most
            if not is_known:
                raise Unpacked  # infinite, or nothing that Python has
        own = values.astype(values.dtype.newbyteorder("="))
        return own + own.dtype.type(width.shift) if width.shift else own

    def sizes(self) -> NDArray[np.int64]:
        """Return how many bytes of `data` each value takes. Raises Unpacked."""
        sizes = np.frombuffer(self.lengths or b"", ">i4").astype(np.int64)
        self.check(len(sizes))
        if sizes.sum() != len(self.data):
            raise Unpacked
        return sizes

    def check(self, found: int) -> None:
        """Raise Unpacked unless so many values were found as there should be."""
        if found != self.present:
            raise Unpacked


def columns(row: Mapping[str, Any], types: tuple[PgType, ...]) -> Iterator[PackedColumn]:
    """Yield the columns of a packed row, of either text of a `PackedSelect`. Raises Unpacked."""
    count = row["n"]
    for number, (pg_type, valid) in enumerate(
        zip(types, _validity(row, count, len(types)), strict=True)
    ):
        data = row[f"d{number}"]
        if data is None and (count if valid is None else valid.any()):
            raise Unpacked  # all of them are NULL
        yield PackedColumn(pg_type, count, valid, data or b"", row.get(f"l{number}"))


def _validity(row: Mapping[str, Any], count: int, columns: int) -> list[Valid]:
    """Return which rows of each column are not NULL."""
    if not row.get("nulls"):
        return [None] * columns
    flags = np.frombuffer(row["f"], np.uint8)
    where = np.zeros(count, np.int64)
    where[flags == 1] = np.frombuffer(row["m"], ">i8")
    masks = [(where >> number) & 1 == 0 for number in range(columns)]
    return [None if mask.all() else mask for mask in masks]
