"""Python records as an Arrow table whose columns suit the destination's types."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa
from sqlspec.exceptions import DataError

from psqlpy_adapter.copying.destination import TargetType

_ARROW_KNOWS = (str, bytes, bool, int, float, Decimal, date, datetime, time, timedelta, UUID, list)


def table_of(
    records: Iterable[Any],
    columns: Sequence[str] | None,
    types: Mapping[str, TargetType],
    serializer: Callable[[Any], str | bytes],
    build: Callable[[Any, Any], pa.Table],
) -> pa.Table:
    """Convert the values that Arrow would misread, then `build` the table as SQLSpec does.

    Raises:
        DataError: the values of a column have no Arrow type in common.
        ImproperConfigurationError: from `build`: no records, or of different shapes.
    """
    converters = {name: _converter(type_, serializer) for name, type_ in types.items()}

    def convert(name: str, value: Any) -> Any:
        return value if value is None or name not in converters else converters[name](value)

    converted: list[Any] = []
    for record in records:
        if isinstance(record, Mapping):
            converted.append({name: convert(name, value) for name, value in record.items()})
        elif columns is not None and len(record) == len(columns):
            converted.append([convert(*pair) for pair in zip(columns, record, strict=True)])
        else:
            converted.append(record)
    try:
        return build(converted, columns)
    except (pa.ArrowException, TypeError) as error:
        raise DataError(f"{_culprit(converted, columns)}: {error}") from error


def _culprit(records: Sequence[Any], columns: Sequence[str] | None) -> str:
    named = [
        r if isinstance(r, Mapping) else dict(zip(columns or (), r, strict=False)) for r in records
    ]
    for name in named[0]:
        try:
            pa.array([record.get(name) for record in named])
        except (pa.ArrowException, TypeError):
            return f'column "{name}": the values have no type in common'
    return "the records do not make a table"


def _converter(type_: TargetType, serializer: Callable[[Any], str | bytes]) -> Callable[[Any], Any]:
    if type_.name in ("json", "jsonb"):
        return lambda value: value if isinstance(value, str) else _text(serializer(value))
    if type_.name in ("vector", "halfvec"):
        return _list
    if type_.name == "uuid":
        return lambda value: str(value) if isinstance(value, UUID) else value
    if type_.name == "numeric":
        # As text each value keeps its own scale; an Arrow column of decimals has one for all.
        return str
    if type_.name == "timetz":
        return lambda value: value.isoformat() if isinstance(value, time) else value
    if type_.element is not None or type_.fields:
        return lambda value: value
    return lambda value: value if isinstance(value, _ARROW_KNOWS) else _plain(value)


def _text(written: str | bytes) -> str:
    return written.decode() if isinstance(written, bytes) else written


def _list(value: Any) -> Any:
    for method in ("to_list", "tolist"):
        if hasattr(value, method):
            return getattr(value, method)()
    return list(value) if isinstance(value, tuple) else value


def _plain(value: Any) -> Any:
    """Take NumPy scalars and arrays as they are, and everything else as text (ip addresses ...)."""
    return value.item() if hasattr(value, "item") and not hasattr(value, "__len__") else str(value)
