"""Types made of others: arrays, ranges and multiranges.

psqlpy reads no array that holds a NULL, no enum[], no range and no multirange. Here:

- array: a list (nested for more dimensions; a lower bound other than 1 is not kept). Of types
  whose values are lists or tuples themselves (json, vector, point, composites ...), a list is the
  array and what it holds are values.
- range: a `Range`; objects like asyncpg's and psycopg's Range are taken too. A multirange is a
  list of them.

Source: PostgreSQL manual 8.15, 8.17; src/backend/utils/adt/{array,range,multirange}types.c.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psqlpy_adapter.types.pgtype import Binary, Read, ServerParses, Unfit, expected

NULL = (-1).to_bytes(4, "big", signed=True)


@dataclass(frozen=True, slots=True)
class Range:
    """A range of values; a bound that is None is infinite.

    `bounds` says which end belongs to it: "[)", "[]", "()" or "(]".
    """

    lower: Any = None
    upper: Any = None
    bounds: str = "[)"
    isempty: bool = False

    @property
    def lower_inc(self) -> bool:
        """Whether the lower bound belongs to the range."""
        return self.lower is not None and self.bounds[0] == "[" and not self.isempty

    @property
    def upper_inc(self) -> bool:
        """Whether the upper bound belongs to the range."""
        return self.upper is not None and self.bounds[1] == "]" and not self.isempty


def sized(data: bytes) -> bytes:
    """Return the bytes with their length before them, as parts of a value stand."""
    return len(data).to_bytes(4, "big") + data


def split(data: bytes, at: int) -> tuple[bytes | None, int]:
    """Return the part that begins at `at` (None when it is NULL), and where the next begins."""
    size = int.from_bytes(data[at : at + 4], "big", signed=True)
    return (None, at + 4) if size < 0 else (data[at + 4 : at + 4 + size], at + 4 + size)


def inside(send: Binary, value: Any, where: str) -> bytes:
    """Encode a part; `where` says which one when it does not fit."""
    try:
        return send(value)
    except ServerParses:
        raise Unfit(f"{where}: give a value of the type, not text for the server to read") from None
    except Unfit as error:
        raise Unfit(f"{where}: {error}") from None


def _literal(value: Any, send: Binary) -> str:
    """Return an array literal of values that the server reads as text."""
    if value is None:
        return "NULL"
    if isinstance(value, (list, tuple)):
        return "{" + ",".join(_literal(item, send) for item in value) + "}"
    try:
        send(value)
    except ServerParses as request:
        return '"' + request.text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    raise Unfit("it mixes values with text for the server to read")


def array(element_oid: int, send: Binary, *, flat: bool) -> Binary:
    """Return the encoder of an array; `flat`: its items are values even when they are lists."""

    def shape_of(value: Any) -> tuple[int, ...]:
        if flat or not value:
            return (len(value),)
        first = value[0]
        if isinstance(first, (list, tuple)):
            return (len(value), *shape_of(first))
        return (len(value),)

    def leaves(value: Any, shape: tuple[int, ...], found: list[Any]) -> None:
        if not isinstance(value, (list, tuple)) or len(value) != shape[0]:
            raise Unfit("its rows differ in length")
        if len(shape) == 1:
            found.extend(value)
            return
        for row in value:
            leaves(row, shape[1:], found)

    def binary(value: Any) -> bytes:
        if isinstance(value, str):
            raise ServerParses(value)
        if hasattr(value, "tolist") and hasattr(value, "ndim") and value.ndim:
            value = [*value] if flat else value.tolist()
        if not isinstance(value, (list, tuple)):
            raise expected("a list")
        shape = shape_of(value)
        if 0 in shape:
            return b"\0" * 8 + element_oid.to_bytes(4, "big")
        if len(shape) > 6:
            raise Unfit("more than six dimensions")
        found: list[Any] = []
        leaves(value, shape, found)
        parts = [
            len(shape).to_bytes(4, "big"),
            any(item is None for item in found).to_bytes(4, "big"),
            element_oid.to_bytes(4, "big"),
            *(size.to_bytes(4, "big") + b"\0\0\0\1" for size in shape),
        ]
        for at, item in enumerate(found):
            try:
                parts.append(NULL if item is None else sized(send(item)))
            except ServerParses:
                raise ServerParses(_literal(value, send)) from None
            except Unfit as error:
                raise Unfit(f"item {at}: {error}") from None
        return b"".join(parts)

    return binary


def read_array(receive: Read) -> Read:
    """Return the decoder of an array to (nested) lists."""

    def read(data: bytes) -> list[Any]:
        dimensions = int.from_bytes(data[:4], "big")
        if not dimensions:
            return []
        sizes = [int.from_bytes(data[12 + 8 * n : 16 + 8 * n], "big") for n in range(dimensions)]
        at, items = 12 + 8 * dimensions, []
        while at < len(data):
            item, at = split(data, at)
            items.append(None if item is None else receive(item))
        for size in reversed(sizes[1:]):
            items = [items[start : start + size] for start in range(0, len(items), size)]
        return items

    return read


def range_of(send: Binary) -> Binary:
    """Return the encoder of a range: flags, then each finite bound."""

    def binary(value: Any) -> bytes:
        if isinstance(value, str):
            raise ServerParses(value)
        if not all(hasattr(value, name) for name in ("lower", "upper", "lower_inc", "upper_inc")):
            raise expected("a Range")
        if value.isempty:
            return b"\1"
        flags = 2 * bool(value.lower_inc) | 4 * bool(value.upper_inc)
        flags |= 8 * (value.lower is None) | 16 * (value.upper is None)
        bounds = (("lower bound", value.lower), ("upper bound", value.upper))
        sent = [sized(inside(send, bound, name)) for name, bound in bounds if bound is not None]
        return bytes((flags,)) + b"".join(sent)

    return binary


def read_range(receive: Read) -> Read:
    """Return the decoder of a range."""

    def read(data: bytes) -> Range:
        flags, at = data[0], 1
        if flags & 1:
            return Range(isempty=True)
        bounds: list[Any] = [None, None]
        for which, infinite in enumerate((8, 16)):
            if not flags & infinite:
                part, at = split(data, at)
                bounds[which] = None if part is None else receive(part)
        return Range(bounds[0], bounds[1], "[("[not flags & 2] + "])"[not flags & 4])

    return read


def multirange_of(send: Binary) -> Binary:
    """Return the encoder of a multirange from a list of ranges, given the range's encoder."""

    def binary(value: Any) -> bytes:
        if isinstance(value, str):
            raise ServerParses(value)
        if not isinstance(value, (list, tuple, set, frozenset)):
            raise expected("a list of Range")
        parts = [sized(inside(send, item, f"range {at}")) for at, item in enumerate(value)]
        return len(parts).to_bytes(4, "big") + b"".join(parts)

    return binary


def read_multirange(receive: Read) -> Read:
    """Return the decoder of a multirange to a list of ranges."""

    def read(data: bytes) -> list[Any]:
        at, found = 4, []
        while at < len(data):
            part, at = split(data, at)
            found.append(receive(part or b""))
        return found

    return read
