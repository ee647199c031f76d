"""Composite types and hstore: values with named parts.

A composite is read as a dict by attribute name; a dict, or a tuple or list of all attributes, is
taken. A row without a type (`SELECT ROW(1, 2)`) is read as a tuple. psqlpy reads neither.

Source: PostgreSQL manual 8.16; src/backend/utils/adt/rowtypes.c, contrib/hstore.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlspec.exceptions import DataError

from psqlpy_adapter.types.containers import NULL, inside, sized, split
from psqlpy_adapter.types.pgtype import Binary, Field, Read, ServerParses, Unfit, expected
from psqlpy_adapter.types.texts import text


def composite(fields: tuple[Field, ...], sends: tuple[Binary, ...]) -> Binary:
    """Return the encoder of a composite type: for each attribute its type's oid and its value."""
    names = tuple(field.name for field in fields)

    def binary(value: Any) -> bytes:
        if isinstance(value, str):
            raise ServerParses(value)
        if isinstance(value, Mapping):
            if unknown := set(value) - set(names):
                raise Unfit(f"no attribute {sorted(map(str, unknown))}; it has {list(names)}")
            value = [value.get(name) for name in names]
        if not isinstance(value, (list, tuple)) or len(value) != len(names):
            raise expected(f"a dict, or a tuple of {len(names)}: {', '.join(names)}")
        parts = [len(names).to_bytes(4, "big")]
        for field, send, item in zip(fields, sends, value, strict=True):
            sent = NULL if item is None else sized(inside(send, item, field.name))
            parts += [field.type.oid.to_bytes(4, "big"), sent]
        return b"".join(parts)

    return binary


def read_composite(fields: tuple[Field, ...], reader: Callable[[int], Read]) -> Read:
    """Return the decoder of a composite to a dict, or of a bare record (no fields) to a tuple."""

    def read(data: bytes) -> Any:
        at, found = 4, []
        for _ in range(int.from_bytes(data[:4], "big")):
            oid = int.from_bytes(data[at : at + 4], "big")
            part, at = split(data, at + 4)
            found.append(None if part is None else reader(oid)(part))
        if not fields:
            return tuple(found)
        if len(fields) != len(found):
            raise DataError("the composite type was altered since the session learned it")
        return {field.name: value for field, value in zip(fields, found, strict=True)}

    return read


def hstore(value: Any) -> bytes:
    """Encode hstore from a mapping of str to str or None."""
    if isinstance(value, str):
        raise ServerParses(value)
    if not isinstance(value, Mapping):
        raise expected("a dict of str to str or None")
    parts = [len(value).to_bytes(4, "big")]
    for key, item in value.items():
        if not isinstance(key, str) or not (item is None or isinstance(item, str)):
            raise expected("a dict of str to str or None")
        parts += [sized(text(key)), NULL if item is None else sized(text(item))]
    return b"".join(parts)


def read_hstore(data: bytes) -> dict[str, str | None]:
    """Decode hstore to a dict."""
    at, found = 4, {}
    for _ in range(int.from_bytes(data[:4], "big")):
        key, at = split(data, at)
        item, at = split(data, at)
        found[(key or b"").decode()] = None if item is None else item.decode()
    return found
