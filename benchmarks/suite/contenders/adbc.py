"""ADBC. Its calls block the event loop, which has nothing else to do."""

from __future__ import annotations

from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa

from suite.contract import INSERT, MANY_COLUMNS, POINT, Contender, Job, way

TYPES = (pa.int32(), pa.string(), pa.string(), pa.float64())


def batch_of(job: Job) -> pa.RecordBatch:
    """The rows of a batch insert as Arrow."""
    columns = zip(*job.rows, strict=True)
    arrays = [pa.array(column, kind) for column, kind in zip(columns, TYPES, strict=True)]
    return pa.record_batch(arrays, list(MANY_COLUMNS))


class Adbc(Contender):
    """One connection."""

    name = "ADBC"

    async def open(self) -> None:
        """Connect."""
        self.connection = self.stack.enter_context(adbc.connect(self.url, autocommit=True))

    def _table(self, sql: str, *parameters: Any) -> Any:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return cursor.fetch_arrow_table()

    @way("point")
    async def point(self, job: Job) -> Any:
        """One row by key."""
        return self._table(POINT, next(job.ids)).to_pylist()[0]

    @way("select")
    async def select(self, job: Job) -> Any:
        """Many rows as dicts."""
        return self._table(job.sql, job.size).to_pylist()

    @way("insert", label="executemany")
    async def insert(self, job: Job) -> None:
        """A batch of parameters."""
        with self.connection.cursor() as cursor:
            cursor.executemany(INSERT, batch_of(job))

    @way("insert", label="ingest")
    async def ingest(self, job: Job) -> None:
        """Arrow made of the rows, and sent by COPY."""
        with self.connection.cursor() as cursor:
            cursor.adbc_ingest("many", batch_of(job), mode="append")

    @way("load", label="ingest")
    async def load(self, job: Job) -> None:
        """An Arrow table; ADBC has no vectors, so they go through a table of float4[]."""
        with self.connection.cursor() as cursor:
            if "vector" not in job.types:
                cursor.adbc_ingest(job.table, job.source, mode="append")
                return
            cursor.execute("BEGIN")
            cursor.execute("CREATE UNLOGGED TABLE staged (id bigint, embedding float4[])")
            cursor.adbc_ingest("staged", job.source, mode="append")
            cursor.execute(f"INSERT INTO {job.table} SELECT id, embedding FROM staged")
            cursor.execute("DROP TABLE staged")
            cursor.execute("COMMIT")

    @way("read", label="fetch_arrow_table")
    async def read(self, job: Job) -> Any:
        """An Arrow table."""
        return self._table(job.sql)

    @way("connect")
    async def connect(self, _job: Job) -> None:
        """Open a connection and close it."""
        adbc.connect(self.url).close()
