"""`load_from_arrow` and its relatives: any size, every type, all or nothing (P17, P18).

SQLSpec turns an Arrow table into Python tuples and hands them to psqlpy's
`copy_records_to_table`, which freezes the whole process for good once more than 512 KiB are under
way (psqlpy 0.13.1), cannot take vectors, and, after a `TRUNCATE` that is committed by itself,
leaves the table empty when the rows turn out wrong. This encodes the columns itself, sends them
with `binary_copy_to_table`, and does everything in one transaction. May be unnecessary when
psqlpy's `copy_records_to_table` no longer waits for the GIL while it holds a lock, and SQLSpec
truncates and copies in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlspec.storage import StorageBridgeJob, StorageDestination, StorageFormat, StorageTelemetry

from psqlpy_adapter.copying.records import columns_of, table_of
from psqlpy_adapter.copying.sending import Progress
from psqlpy_adapter.copying.source import open_source
from psqlpy_adapter.copying.staging import OnConflict
from psqlpy_adapter.copying.transfer import load
from psqlpy_adapter.mixin import DriverMixin
from psqlpy_adapter.progress import watched


class LoadingMixin(DriverMixin):
    """Loads Arrow data, records and files into a table."""

    __slots__ = ()

    async def load_from_arrow(
        self,
        table: str,
        source: Any,
        *,
        partitioner: dict[str, object] | None = None,
        overwrite: bool = False,
        telemetry: StorageTelemetry | None = None,
        on_conflict: OnConflict | None = None,
        progress: Progress | None = None,
    ) -> StorageBridgeJob:
        """Load Arrow data into a table by binary COPY, all of it or nothing.

        It runs in a transaction of its own; inside the caller's transaction, in a savepoint, so
        that a failed load leaves that transaction usable. Rows are sent in slices (131,072 rows or
        about 16 MiB, one COPY command each, so that statement triggers fire once a slice) while
        the next slice is encoded in a thread; a reader or an iterable is also read in that thread,
        and never held in memory as a whole.

        Values that the types of the columns cannot hold are refused with column, row, Arrow type
        and PostgreSQL type. Strings go into a column of any type, as the server reads them (in
        json and jsonb they are JSON text). Lists go into arrays and into vector, halfvec and
        sparsevec; structs and maps into jsonb, structs into composite types too. Explicit values
        in a serial or identity column do not advance its sequence, as in any COPY or INSERT.

        Args:
            table: the table, qualified or found by the search_path; `"quoted.name"` is one name.
            source: a pyarrow Table, RecordBatch, RecordBatchReader, Dataset or Scanner, SQLSpec's
                ArrowResult, anything with `__arrow_c_stream__` (polars, pandas, DuckDB), an
                iterable of batches. Its columns are found by name; others take their default.
            partitioner: noted in the telemetry, as in SQLSpec.
            overwrite: truncate first, in the same transaction. The server truncates no table that
                a foreign key references; this is a plain SQLSpecError (0A000, nothing violates
                the key), where SQLSpec's adapter says ForeignKeyViolationError.
            telemetry: of the source, merged into the job's.
            on_conflict: what to do with rows whose key exists: `"update"` or `"nothing"` by the
                primary key, or `("update", ["email"])` by these columns. The rows go through a
                temporary table. Of source rows with one key, the last wins under "update", the
                first under "nothing". The rows written are `telemetry["extra"]["rows_written"]`.
            progress: called, or awaited, after each slice with the rows sent and the total or None.
                What it does itself on this session is a part of the load's transaction; a task
                that it starts and waits for needs a session of its own (SQLSpecError otherwise).

        Returns:
            The job: `job.telemetry["rows_processed"]` rows came from the source.

        Raises:
            DataError: a value or a column that does not fit; nothing is stored.
            ImproperConfigurationError: `on_conflict` is a wrong word, or the table has no primary
                key, or the source lacks a column of the key.
            SQLParsingError: the columns of `on_conflict` are no unique key (42P10).
            SQLSpecError: what the server refused; nothing is stored.
        """
        self._require_capability("arrow_import_enabled")
        if progress is not None:
            progress = watched(getattr(self, "lane", None), progress)
        loaded = await load(
            self, table, open_source(source), overwrite=overwrite, on_conflict=on_conflict,
            progress=progress,
        )  # fmt: skip
        produced: StorageTelemetry = {
            "rows_processed": loaded.rows,
            "bytes_processed": loaded.nbytes,
            "format": "arrow",
            "destination": table,
        }
        if loaded.written is not None:
            produced["extra"] = {"rows_written": loaded.written}
        self._attach_partition_telemetry(produced, partitioner)
        return self._storage_job(produced, telemetry)

    async def load_from_records(
        self,
        table: str,
        records: Sequence[Mapping[str, Any]] | Sequence[Sequence[Any]],
        *,
        columns: list[str] | None = None,
        overwrite: bool = False,
        on_conflict: OnConflict | None = None,
        progress: Progress | None = None,
    ) -> StorageBridgeJob:
        """Load mappings, or sequences with `columns`, as `load_from_arrow` loads Arrow data.

        Each value is what it is for `execute`: what that takes for the type of the column is
        stored as that stores it, and what that refuses is refused. So values of several types may
        stand in one column; documents for json and jsonb are written by the configuration's
        `json_serializer`, and a str is there what it is in a parameter (SQLSpec makes Arrow
        structs of documents, which gives each the keys of all others).

        Raises:
            ImproperConfigurationError: no records, or records of different shapes.
            DataError: a value that does not fit; names column, row and both types.
        """
        arrow = await table_of(self, table, columns_of(records, columns))
        return await self.load_from_arrow(
            table, arrow, overwrite=overwrite, on_conflict=on_conflict, progress=progress
        )

    async def load_from_storage(
        self,
        table: str,
        source: StorageDestination,
        *,
        file_format: StorageFormat,
        partitioner: dict[str, object] | None = None,
        overwrite: bool = False,
        on_conflict: OnConflict | None = None,
        progress: Progress | None = None,
    ) -> StorageBridgeJob:
        """Load a file of any storage backend of SQLSpec, as `load_from_arrow` loads Arrow data.

        SQLSpec reads the file as a whole. To stream a large Parquet file, give
        `load_from_arrow` a `pyarrow.dataset.dataset(path)`.
        """
        arrow, inbound = await self._read_storage_arrow(source, file_format=file_format)
        return await self.load_from_arrow(
            table, arrow, partitioner=partitioner, overwrite=overwrite, telemetry=inbound,
            on_conflict=on_conflict, progress=progress,
        )  # fmt: skip
