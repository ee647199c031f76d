"""Geometric types as plain tuples of floats.

| type    | value                                   | also taken                        |
|---------|-----------------------------------------|-----------------------------------|
| point   | `(x, y)`                                | any pair of numbers               |
| line    | `(a, b, c)`                             |                                   |
| lseg    | `[(x1, y1), (x2, y2)]`                  | any two points                    |
| box     | `((x1, y1), (x2, y2))`, upper right first | any two opposite corners        |
| path    | list of points when open, tuple when closed |                               |
| polygon | tuple of points                         | list of points                    |
| circle  | `((x, y), radius)`                      | `(x, y, radius)`                  |

psqlpy reads a path without saying whether it is closed, and no polygon.

Source: PostgreSQL manual 8.8; src/backend/utils/adt/geo_ops.c.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from psqlpy_adapter.types.numbers import real
from psqlpy_adapter.types.pgtype import ServerParses, expected

Pair = tuple[float, float]


def _numbers(value: Any, count: int, wanted: str) -> list[float]:
    if isinstance(value, str):
        raise ServerParses(value)
    try:
        found = [real(number) for number in value]
    except TypeError:
        raise expected(wanted) from None
    if len(found) != count:
        raise expected(wanted)
    return found


def _pack(numbers: Sequence[float]) -> bytes:
    return struct.pack(f">{len(numbers)}d", *numbers)


def _points(value: Any, wanted: str, count: int | None = None) -> list[float]:
    if isinstance(value, str):
        raise ServerParses(value)
    if not isinstance(value, (list, tuple)) and not hasattr(value, "tolist"):
        raise expected(wanted)
    numbers = [number for point in value for number in _numbers(point, 2, wanted)]
    if count is not None and len(numbers) != 2 * count:
        raise expected(wanted)
    return numbers


def _pairs(data: bytes) -> list[Pair]:
    return list(struct.iter_unpack(">dd", data))


def point(value: Any) -> bytes:
    """Encode a point."""
    return _pack(_numbers(value, 2, "a point (x, y)"))


def line(value: Any) -> bytes:
    """Encode a line."""
    return _pack(_numbers(value, 3, "a line (a, b, c)"))


def segment(value: Any) -> bytes:
    """Encode a line segment."""
    return _pack(_points(value, "two points [(x1, y1), (x2, y2)]", 2))


def box(value: Any) -> bytes:
    """Encode a box by two opposite corners, the upper right one first."""
    x1, y1, x2, y2 = _points(value, "two corners ((x1, y1), (x2, y2))", 2)
    return _pack((max(x1, x2), max(y1, y2), min(x1, x2), min(y1, y2)))


def path(value: Any) -> bytes:
    """Encode a path: a list of points is open, a tuple closed."""
    numbers = _points(value, "a list (open) or a tuple (closed) of points")
    closed = isinstance(value, tuple)
    return struct.pack(">?i", closed, len(numbers) // 2) + _pack(numbers)


def polygon(value: Any) -> bytes:
    """Encode a polygon."""
    numbers = _points(value, "a tuple of points")
    return struct.pack(">i", len(numbers) // 2) + _pack(numbers)


def circle(value: Any) -> bytes:
    """Encode a circle."""
    wanted = "a circle ((x, y), radius)"
    if isinstance(value, (list, tuple)) and len(value) == 2:
        return _pack([*_numbers(value[0], 2, wanted), real(value[1])])
    return _pack(_numbers(value, 3, wanted))


def read_numbers(data: bytes) -> tuple[float, ...]:
    """Decode a point or a line."""
    return struct.unpack(f">{len(data) // 8}d", data)


def read_segment(data: bytes) -> list[Pair]:
    """Decode a line segment."""
    return _pairs(data)


def read_box(data: bytes) -> tuple[Pair, ...]:
    """Decode a box, the upper right corner first."""
    return tuple(_pairs(data))


def read_path(data: bytes) -> list[Pair] | tuple[Pair, ...]:
    """Decode a path: a tuple when it is closed."""
    return tuple(_pairs(data[5:])) if data[0] else _pairs(data[5:])


def read_polygon(data: bytes) -> tuple[Pair, ...]:
    """Decode a polygon."""
    return tuple(_pairs(data[4:]))


def read_circle(data: bytes) -> tuple[Pair, float]:
    """Decode a circle."""
    x, y, radius = struct.unpack(">3d", data)
    return (x, y), radius
