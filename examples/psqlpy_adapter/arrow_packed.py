"""A SELECT whose rows the server packs by column, and the Arrow arrays of what it packed.

    SELECT id, name FROM t

becomes

    SELECT count(*) AS n, string_agg(int8send(q.c1), '') AS d1,
        string_agg(textsend(q.c2), '') AS d2, string_agg(int4send(octet_length(q.c2)), '') AS l2
    FROM (SELECT id, name FROM t LIMIT ...) AS q (c1, c2)

with one more column that says which rows have a NULL, and where. psqlpy then has one row of few
long values instead of a Python object for each value, and the send functions have written what
Arrow wants but for the order of the bytes. An aggregate sees the rows in the order in which the
subquery gives them, all aggregates in the same.

Source: PostgreSQL manual, 9.21 "Aggregate Functions" (order of the input), 55.7 "Message Formats";
https://arrow.apache.org/docs/format/Columnar.html.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

MOST_ROWS = 4_000_000
"""The server holds what it packs in its memory: not more rows than these."""
MOST_COLUMNS = 63
"""As many as the bits of the bigint that says where a row has NULL."""
_DAY = 86_400_000_000  # microseconds
# What Python's dates hold, from 0001-01-01 to 9999-12-31, counted from 2000-01-01.
_FIRST_DAY, _LAST_DAY = -730_119, 2_921_939
_FIRST_MOMENT, _LAST_MOMENT = _FIRST_DAY * _DAY, (_LAST_DAY + 1) * _DAY - 1

Valid = NDArray[np.bool_] | None
"""Which rows are not NULL; None: all of them."""


class Unpacked(Exception):
    """What was packed is no Arrow data: the rows themselves say what it is."""


@dataclass(frozen=True)
class _Width:
    """A type whose values have one width: how they are sent, their type there, how they are read.

    `least` and `most`: what a value may be as it was sent; `shift` is added to it.
    """

    send: str
    dtype: str
    least: int | None = None
    most: int | None = None
    shift: int = 0


_WIDTHS = {
    "boolrecv": _Width("boolsend", "u1"),
    "int2recv": _Width("int2send", ">i2"),
    "int4recv": _Width("int4send", ">i4"),
    "int8recv": _Width("int8send", ">i8"),
    "float4recv": _Width("float4send", ">f4"),
    "float8recv": _Width("float8send", ">f8"),
    "date_recv": _Width("date_send", ">i4", _FIRST_DAY, _LAST_DAY, EPOCH_DAYS),
    "time_recv": _Width("time_send", ">i8", 0, _DAY - 1),
    "timestamp_recv": _Width(
        "timestamp_send", ">i8", _FIRST_MOMENT, _LAST_MOMENT, EPOCH_MICROSECONDS
    ),
    "timestamptz_recv": _Width(
        "timestamptz_send", ">i8", _FIRST_MOMENT, _LAST_MOMENT, EPOCH_MICROSECONDS
    ),
}
# How values of other types are sent: as {} or in a text form, and how long they are.
_LENGTHS = {
    "textrecv": ("pg_catalog.textsend({})", "pg_catalog.octet_length({})"),
    "varcharrecv": ("pg_catalog.varcharsend({})", "pg_catalog.octet_length({})"),
    "bpcharrecv": ("pg_catalog.bpcharsend({})", "pg_catalog.octet_length({})"),
    "bytearecv": ("{}", "pg_catalog.octet_length({})"),
    "uuid_recv": ("pg_catalog.textsend({}::text)", "pg_catalog.octet_length({}::text)"),
    "numeric_recv": ("pg_catalog.textsend({}::text)", "pg_catalog.octet_length({}::text)"),
}


@dataclass(frozen=True)
class Packed:
    """A SELECT of many rows as one of one row; `sql` has the parameters of the SELECT."""

    sql: str
    types: tuple[PgType, ...]

    def table(self, row: Mapping[str, Any], names: Sequence[str]) -> pa.Table | None:
        """Return the rows that were packed into one; None where only the rows say what they are.

        Of columns with one name the last one stays, as in rows.
        """
        count = row["n"]
        if count > MOST_ROWS or not row["utf8"]:
            return None
        valid = _valid(row, count, len(self.types))
        arrays: dict[str, pa.Array] = {}
        try:
            for number, (name, pg_type, mask) in enumerate(
                zip(names, self.types, valid, strict=True)
            ):
                data = row[f"d{number}"] or b""
                arrays[name] = _array(data, row.get(f"l{number}"), pg_type, count, mask)
        except (Unpacked, pa.ArrowException):
            return None
        return pa.table(list(arrays.values()), names=list(arrays))


def packed(sql: str, types: Sequence[PgType | None]) -> Packed | None:
    """Return how to have the rows of a SELECT packed; None when a column's type cannot be.

    Args:
        sql: one SELECT, without a semicolon.
        types: of its columns.
    """
    bases = tuple(map(_base, types))
    if not 0 < len(bases) <= MOST_COLUMNS:
        return None
    found = []
    for number, pg_type in enumerate(bases):
        sent = None if pg_type is None else _sent(f"q.c{number}", pg_type)
        if sent is None:
            return None
        for letter, part in zip("dl", sent, strict=False):
            found.append(f"{_joined(part)} AS {letter}{number}")
    columns = [f"q.c{number}" for number in range(len(bases))]
    full = " AND ".join(f"{column} IS NOT NULL" for column in columns)
    where = " | ".join(
        f"(({column} IS NULL)::int4::int8 << {number})" for number, column in enumerate(columns)
    )
    zero, one = (f"pg_catalog.decode('0{digit}', 'hex')" for digit in "01")
    text = (
        "SELECT pg_catalog.count(*) AS n, pg_catalog.current_setting('server_encoding') = 'UTF8'"
        " AND pg_catalog.current_setting('client_encoding') = 'UTF8' AS utf8,"
        f" {_joined(f'CASE WHEN {full} THEN {zero} ELSE {one} END')} AS f,"
        f" {_joined(f'pg_catalog.int8send({where})')} FILTER (WHERE NOT ({full})) AS m,"
        f" {', '.join(found)}"
        f" FROM (SELECT * FROM (\n{sql}\n) AS p LIMIT {MOST_ROWS + 1})"
        f" AS q ({', '.join(f'c{number}' for number in range(len(bases)))})"
    )
    return Packed(text, tuple(t for t in bases if t is not None))


def _base(pg_type: PgType | None) -> PgType | None:
    while pg_type is not None and pg_type.base is not None:
        pg_type = pg_type.base
    return pg_type


def _joined(value: str) -> str:
    return f"pg_catalog.string_agg({value}, ''::pg_catalog.bytea)"


def _sent(column: str, pg_type: PgType) -> tuple[str, ...] | None:
    """Return the bytes of a value, and (as bytes) how many they are where that may differ."""
    if pg_type.schema == "pg_catalog" and pg_type.element is None:
        if (width := _WIDTHS.get(pg_type.receive)) is not None:
            return (f"pg_catalog.{width.send}({column})",)
        if (parts := _LENGTHS.get(pg_type.receive)) is not None:
            data, length = (part.format(column) for part in parts)
            return data, f"pg_catalog.int4send({length})"
    elif pg_type.receive == "vector_recv":
        schema = pg_type.quoted.removesuffix('."vector"')
        length = f"4 + 4 * {schema}.vector_dims({column})"
        return f"{schema}.vector_send({column})", f"pg_catalog.int4send({length})"
    return None


def _valid(row: Mapping[str, Any], count: int, columns: int) -> list[Valid]:
    flags = np.frombuffer(row["f"] or b"", np.uint8)
    if not flags.any():
        return [None] * columns
    where = np.zeros(count, np.int64)
    where[flags == 1] = np.frombuffer(row["m"], ">i8")
    masks = [(where >> number) & 1 == 0 for number in range(columns)]
    return [None if mask.all() else mask for mask in masks]


def _array(
    data: bytes, lengths: bytes | None, pg_type: PgType, count: int, valid: Valid
) -> pa.Array:
    width = _WIDTHS.get(pg_type.receive)
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
    values: NDArray[Any], width: _Width, kind: pa.DataType, count: int, valid: Valid
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
