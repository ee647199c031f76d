"""Parquet files: opened as a stream, and a sample to try with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 65_536
"""Rows of one batch; no more than a few batches are ever in memory."""
SAMPLE_KEY = "id"
_START = datetime(2025, 1, 1, tzinfo=UTC)
_SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("sensor", pa.string()),
        ("value", pa.float64()),
        ("at", pa.timestamp("us", tz="UTC")),
    ]
)


class FileError(Exception):
    """The file cannot be loaded; the message says which and why."""


class ParquetSource:
    """A Parquet file; `schema` and the number of `rows` come from its end, without reading it."""

    def __init__(self, path: Path) -> None:
        """Open the file. FileError when there is none, or it is no Parquet file."""
        self._path = path
        try:
            if not path.exists():
                raise FileError(f"{path}: there is no such file")
            if not path.is_file():
                kind = "a folder" if path.is_dir() else "a device or a pipe"
                raise FileError(f"{path} is {kind}, not a Parquet file")
            self._file = pq.ParquetFile(path)
        except pa.ArrowInvalid as error:
            raise FileError(f"{path} is not a Parquet file: {error}") from error
        except OSError as error:
            raise FileError(f"{path} cannot be read: {error.strerror or error}") from error
        self.schema: pa.Schema = self._file.schema_arrow
        self.rows: int = self._file.metadata.num_rows

    def reader(self) -> pa.RecordBatchReader:
        """The rows as a stream that reads the file as it goes; FileError while it is read."""
        return pa.RecordBatchReader.from_batches(self.schema, self._batches())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._file.iter_batches(ROWS)
        except (pa.ArrowInvalid, OSError) as error:
            raise FileError(f"{self._path} is damaged: {error}") from error


def make_sample(path: Path, rows: int) -> None:
    """Write a file of sensor readings; each tenth row corrects an earlier one. FileError."""
    if path.exists():
        raise FileError(f"{path} exists already: choose another name for the sample")
    values = np.random.default_rng(0)
    try:
        with pq.ParquetWriter(path, _SCHEMA) as writer:
            for start in range(0, rows, ROWS):
                number = np.arange(start, min(start + ROWS, rows))
                # Row 9 has the id of row 4, row 19 that of row 14, and so on.
                ids = np.where(number % 10 == 9, number - 5, number)
                seconds = np.datetime64(_START.replace(tzinfo=None), "us") + number * 1_000_000
                columns = [
                    pa.array(ids),
                    pa.array(np.char.add("sensor-", (ids % 100).astype(str))),
                    pa.array(values.normal(20, 5, len(number)).round(2)),
                    pa.array(seconds, pa.timestamp("us")).cast(_SCHEMA.field("at").type),
                ]
                writer.write_batch(pa.record_batch(columns, schema=_SCHEMA))
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror or error}") from error
