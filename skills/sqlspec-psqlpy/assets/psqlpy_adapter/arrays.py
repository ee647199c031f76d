"""Columns of values as PostgreSQL's binary arrays, packed in bulk where the type allows it.

psqlpy converts a list value by value and by its Python type, so it refuses NULL in an array,
arrays of most types, and whole numbers in an array of floats. Here an array is built from the
bytes that each value has on the wire (`array_send`, src/backend/utils/adt/arrayfuncs.c): a header
(dimensions, NULL flag, element OID, length, lower bound) and each element as a 4-byte length and
its bytes, length -1 for NULL. May be unnecessary when psqlpy binds a list by the parameter's type.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from psqlpy_adapter.types import PgType

_HEADER = struct.Struct(">iiIii")
_LENGTH = struct.Struct(">i").pack
_LENGTHS = tuple(map(_LENGTH, range(1024)))
_NULL = _LENGTH(-1)
_NUMBERS = {  # type name: the Python type of all its values, and NumPy's name of its wire format
    "int2": (int, ">i2"),
    "int4": (int, ">i4"),
    "int8": (int, ">i8"),
    "float8": (float, ">f8"),
}
_TEXTS = frozenset({"text", "varchar", "bpchar", "name"})


def unnestable(types: Iterable[PgType]) -> bool:
    """Whether `unnest` gives back every type: an array would lose its shape, a row its unity."""
    return all(t.array_oid and t.element is None and t.kind in "berm" for t in types)


def array(pg_type: PgType, fields: Sequence[bytes | None]) -> bytes:
    """Return the one-dimensional array of encoded values (None is NULL) of type `pg_type`."""
    pieces = (
        (_NULL,) if field is None else (_LENGTH(len(field)), field) for field in fields
    )  # fmt: skip
    return _header(pg_type, len(fields), None in fields) + b"".join(chain.from_iterable(pieces))


def column(pg_type: PgType, values: Sequence[Any], binary: Callable[[Any], bytes]) -> bytes:
    """Return `values`, one of each row, as a binary array of `pg_type`.

    `binary` encodes one value that is not None. Numbers and text are packed in bulk when every
    value has the one Python type that needs no judgement; everything else, and every value that
    is out of range, goes through `binary`, so that its errors are the same as for a single value.
    """
    kinds = set(map(type, values))
    if len(kinds) == 1 and pg_type.schema == "pg_catalog":
        packed = _bulk(pg_type.name, kinds.pop(), values)
        if packed is not None:
            return _header(pg_type, len(values), False) + packed
    return array(pg_type, [None if value is None else binary(value) for value in values])


def _bulk(name: str, kind: type, values: Sequence[Any]) -> bytes | None:
    """Return the elements of an array of numbers or text, or None when there is no short cut."""
    if kind is str and name in _TEXTS:
        try:
            texts = [value.encode() for value in values]
        except UnicodeEncodeError:
            return None
        if b"\0" in b"".join(texts):
            return None  # for `binary` to refuse
        elements: list[bytes] = [b""] * (2 * len(texts))
        lengths = list(map(len, texts))
        if max(lengths) < len(_LENGTHS):
            elements[::2] = [_LENGTHS[length] for length in lengths]
        else:
            elements[::2] = map(_LENGTH, lengths)
        elements[1::2] = texts
        return b"".join(elements)
    if name in _NUMBERS and kind is _NUMBERS[name][0]:
        wire = np.dtype(_NUMBERS[name][1])
        records = np.empty(len(values), dtype=[("length", ">i4"), ("value", wire)])
        records["length"] = wire.itemsize
        try:
            records["value"] = np.array(values, dtype=wire.newbyteorder("="))
        except OverflowError:
            return None
        return records.tobytes()
    return None


def _header(pg_type: PgType, length: int, has_null: bool) -> bytes:
    """Return the header of an array; an empty array has no dimension."""
    if not length:
        return _HEADER.pack(0, 0, pg_type.oid, 0, 0)[:12]
    return _HEADER.pack(1, has_null, pg_type.oid, length, 1)
