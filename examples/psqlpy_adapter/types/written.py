"""Values that were read, in the text form that the server reads again.

Source: PostgreSQL manual 8.8, 8.17.5 (ranges), 8.14.8; pgvector, "sparsevec".
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from psqlpy_adapter.types.containers import Range
from psqlpy_adapter.types.documents import dumps
from psqlpy_adapter.types.pgtype import PgType

_QUOTED = frozenset('()[],"\\')


def written(value: Any, pg_type: PgType) -> str:
    """Return the text form of a value of the type, as its decoder gave it."""
    if isinstance(value, str):
        return value
    if isinstance(value, Range):
        return _range(value)
    if pg_type.kind == "m":
        return "{" + ",".join(map(_range, value)) + "}"
    if pg_type.receive == "line_recv":
        return "{" + ",".join(map(_number, value)) + "}"
    if pg_type.receive == "hstore_recv":
        return ",".join(
            f"{_in_quotes(key)}=>{'NULL' if item is None else _in_quotes(item)}"
            for key, item in value.items()
        )
    if pg_type.receive == "sparsevec_recv":
        pairs = zip(
            value.indices(), np.asarray(value.values(), np.float32), strict=True
        )  # counted from 0
        parts = (f"{place + 1}:{str(part).removesuffix('.0')}" for place, part in pairs)
        return f"{{{','.join(parts)}}}/{value.dimensions()}"
    if isinstance(value, dict):
        return dumps(value)
    return _shape(value)


def _range(value: Range) -> str:
    if value.isempty:
        return "empty"
    low, high = ("" if end is None else _bound(end) for end in (value.lower, value.upper))
    return f"{value.bounds[0]}{low},{high}{value.bounds[1]}"


def _bound(value: Any) -> str:
    text = _number(value) if isinstance(value, float) else str(value)
    is_plain = text and not any(mark in _QUOTED or mark.isspace() for mark in text)
    return text if is_plain else _in_quotes(text)


def _in_quotes(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _shape(value: Any) -> str:
    """Write points and what is made of them; a list is an open path, or a segment."""
    if isinstance(value, (list, tuple)):
        ends = "[]" if isinstance(value, list) else "()"
        return f"{ends[0]}{','.join(map(_shape, value))}{ends[1]}"
    return _number(value) if isinstance(value, float) else str(value)


def _number(value: float) -> str:
    if math.isinf(value):
        return "infinity" if value > 0 else "-infinity"
    return repr(value).removesuffix(".0")
