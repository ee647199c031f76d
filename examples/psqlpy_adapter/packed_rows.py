"""Rows, as psqlpy makes them, of what the server packed by column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import numpy as np

from psqlpy_adapter.packed_columns import SEPARATOR, PackedColumn, Unpacked, columns
from psqlpy_adapter.types import PgType

_NUMBERS = frozenset(["int2recv", "int4recv", "int8recv", "float4recv", "float8recv"])
_TEXTS = frozenset(["textrecv", "varcharrecv"])
_TIMES = frozenset(["boolrecv", "date_recv", "timestamp_recv", "timestamptz_recv"])
READ = _NUMBERS | _TEXTS | _TIMES
"""Types of columns whose values are made here: as psqlpy's, and faster."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SEPARATOR = chr(SEPARATOR)


def rows(
    row: Mapping[str, Any], types: tuple[PgType, ...], names: Sequence[str]
) -> list[dict[str, Any]] | None:
    """Return the rows that were packed into one; None where only they say what they are.

    Of columns with one name the last one stays.
    """
    try:
        values = [_all(packed) for packed in columns(row, types)]
    except (Unpacked, UnicodeDecodeError):
        return None
    return _maker(tuple(names))(zip(*values, strict=True))


@lru_cache(maxsize=256)
def _maker(names: tuple[str, ...]) -> Callable[[Iterable[tuple[Any, ...]]], list[dict[str, Any]]]:
    """Return what makes a dictionary of each tuple of values.

    A literal with its keys written out takes a third of the time of `dict(zip(names, values))`.
    """
    items = ", ".join(f"{name!r}: v{number}" for number, name in enumerate(names))
    values = "".join(f"v{number}, " for number in range(len(names)))
    make: Any = eval(f"lambda rows: [{{{items}}} for ({values}) in rows]")
    return make  # type: ignore[no-any-return]


def _all(packed: PackedColumn) -> list[Any]:
    values = _present(packed)
    if packed.valid is None:
        return values
    following = iter(values)
    return [next(following) if is_valid else None for is_valid in packed.valid.tolist()]


def _present(packed: PackedColumn) -> list[Any]:
    receive = packed.pg_type.receive
    values: list[Any]
    if receive in _TEXTS:
        values = packed.data.decode().split(_SEPARATOR) if packed.present else []
        packed.check(len(values))
        return values
    own = packed.fixed()
    if receive == "boolrecv":
        own = own.astype(np.bool_)
    elif receive == "date_recv":
        own = own.astype("M8[D]")
    elif receive == "timestamp_recv":
        own = own.view("M8[us]")
    elif receive == "timestamptz_recv":
        return list(map(_EPOCH.__add__, own.view("m8[us]").tolist()))
    values = own.tolist()
    return values
