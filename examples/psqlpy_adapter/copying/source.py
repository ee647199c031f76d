"""What rows are loaded from, as a stream of Arrow batches cut into slices of bounded size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
from sqlspec.exceptions import DataError

SLICE_ROWS = 131_072
SLICE_BYTES = 16 << 20
FIRST_ROWS = 32_768
"""How much of a large first slice goes ahead: the server waits until that is encoded."""


@dataclass(frozen=True)
class Source:
    """Batches of one schema, read once; `total` rows and bytes are None where nobody knows."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    total: int | None = None
    nbytes: int | None = None


def open_source(source: Any) -> Source:
    """Take anything that holds Arrow data; a reader or an iterable is read as it is loaded.

    A pyarrow Table, RecordBatch, RecordBatchReader, Dataset or Scanner; SQLSpec's ArrowResult;
    any object with `__arrow_c_stream__` (a polars or pandas frame, a DuckDB relation); an iterable
    of batches or tables; and, as in SQLSpec, a mapping of columns or an iterable of mappings.

    Raises:
        DataError: `source` is none of these, or has no columns.
    """
    opened = _open(source)
    if not opened.schema.names:
        raise DataError("the Arrow source has no columns to load")
    return opened


def _open(source: Any) -> Source:
    if callable(getattr(source, "get_data", None)):  # ArrowResult
        source = source.get_data()
    if isinstance(source, pa.RecordBatch):
        source = pa.Table.from_batches([source])
    elif isinstance(source, Mapping):
        source = pa.Table.from_pydict(dict(source))
    if isinstance(source, pa.Table):
        return Source(source.schema, iter(source.to_batches()), source.num_rows, source.nbytes)
    if isinstance(source, pa.RecordBatchReader):
        return Source(source.schema, iter(source))
    if callable(getattr(source, "to_reader", None)):  # Scanner
        return _open(source.to_reader())
    if callable(getattr(source, "scanner", None)):  # Dataset
        return _open(source.scanner(batch_size=SLICE_ROWS).to_reader())
    if hasattr(source, "__arrow_c_stream__"):
        return _open(pa.RecordBatchReader.from_stream(source))
    if isinstance(source, Iterable) and not isinstance(source, str | bytes):
        return _of_iterable(iter(source))
    raise DataError(f"cannot load from {type(source).__name__}: it holds no Arrow data")


def _of_iterable(items: Iterator[Any]) -> Source:
    first = next(items, None)
    if first is None:
        raise DataError("the source is empty, so that its columns are unknown")
    if isinstance(first, Mapping):
        return _open(pa.Table.from_pylist([first, *items]))
    if not isinstance(first, pa.RecordBatch | pa.Table):
        raise DataError(f"cannot load from an iterable of {type(first).__name__}")

    def batches() -> Iterator[pa.RecordBatch]:
        for item in chain([first], items):
            yield from item.to_batches() if isinstance(item, pa.Table) else [item]

    return Source(first.schema, batches())


def slices(source: Source) -> Iterator[pa.RecordBatch]:
    """Cut large batches and gather small ones, to at most SLICE_ROWS rows and about SLICE_BYTES.

    A single row larger than that is a slice of its own.

    Raises:
        DataError: a batch has another schema than the first.
    """
    parts = _slices(source)
    if (first := next(parts, None)) is not None:
        ahead = FIRST_ROWS if len(first) > 2 * FIRST_ROWS else len(first)
        yield first.slice(0, ahead)
        if ahead < len(first):
            yield first.slice(ahead)
    yield from parts


def _slices(source: Source) -> Iterator[pa.RecordBatch]:
    gathered: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in source.batches:
        if not batch.schema.equals(source.schema):
            raise DataError(f"a batch has the schema {batch.schema}, not {source.schema}")
        weight = _weight(batch)
        if gathered and (rows + len(batch) > SLICE_ROWS or size + weight > SLICE_BYTES):
            yield from _joined(gathered, size)
            gathered, rows, size = [], 0, 0
        gathered.append(batch)
        rows += len(batch)
        size += weight
    if gathered:
        yield from _joined(gathered, size)


def _joined(batches: list[pa.RecordBatch], weight: int) -> Iterator[pa.RecordBatch]:
    try:
        whole = batches[0] if len(batches) == 1 else pa.concat_batches(batches)
    except pa.ArrowException:  # dictionaries that have more values together than an index reaches
        for batch in batches:
            yield from _cut(batch, _weight(batch))
    else:
        yield from _cut(whole, weight)


def _cut(batch: pa.RecordBatch, weight: int) -> Iterator[pa.RecordBatch]:
    if len(batch) <= 1 or (len(batch) <= SLICE_ROWS and weight <= SLICE_BYTES):
        if len(batch):
            yield batch
        return
    parts = max(2, -(-len(batch) // SLICE_ROWS), min(len(batch), -(-weight // SLICE_BYTES)))
    step = -(-len(batch) // parts)
    for start in range(0, len(batch), step):
        part = batch.slice(start, step)
        lighter = _weight(part)
        # Rows that share their buffers (views inside of lists) are no lighter in smaller slices.
        yield from _cut(part, lighter if lighter < 0.9 * weight else 0)


def _weight(batch: pa.RecordBatch) -> int:
    """Give about the bytes that the rows take when each has its own copy of its values."""
    return sum(_column_weight(column) for column in batch.columns) if len(batch) else 0


def _value_weight(values: pa.Array) -> int:
    return int(values.nbytes) // max(1, len(values))


def _column_weight(column: pa.Array) -> int:
    arrow = column.type
    if pa.types.is_dictionary(arrow):
        return len(column) * (_value_weight(column.dictionary) + 4)
    if pa.types.is_run_end_encoded(arrow):
        return len(column) * (_value_weight(column.values) + 4)
    if pa.types.is_string_view(arrow) or pa.types.is_binary_view(arrow):
        # A view is 16 bytes, of which the first four are the length of its value.
        lengths = np.frombuffer(column.buffers()[1], np.int32)[::4]
        return int(lengths[column.offset : column.offset + len(column)].sum()) + 4 * len(column)
    return int(column.nbytes)
