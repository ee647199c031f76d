"""psycopg 3 without asyncio. Its calls block the event loop, which has nothing else to do."""

from __future__ import annotations

from typing import Any

import pgvector.psycopg
import psycopg
from psycopg.rows import dict_row

from suite.contract import INSERT, POINT, Contender, Job, way
from suite.data import records_of
from suite.psycopg_texts import COPY_MANY, MANY_TYPES, copy_into, in_psycopg


class PsycopgSync(Contender):
    """One connection."""

    name = "psycopg sync"

    async def open(self) -> None:
        """Connect."""
        self.connection = psycopg.connect(self.url, autocommit=True, row_factory=dict_row)
        self.stack.callback(self.connection.close)
        if self.needs("search", "load"):
            pgvector.psycopg.register_vector(self.connection)

    def _execute(self, sql: str, parameter: Any, *, binary: bool = False) -> Any:
        return self.connection.execute(in_psycopg(sql), (parameter,), binary=binary)

    @way("point")
    async def point(self, job: Job) -> Any:
        """One row by key."""
        return self._execute(POINT, next(job.ids)).fetchone()

    @way("cold")
    async def cold(self, job: Job) -> Any:
        """One row by key, by a text that is new."""
        text = job.new_text().replace("$1", "%s")
        return self.connection.execute(text, (next(job.ids),)).fetchone()

    @way("select", label="text")
    async def select(self, job: Job) -> Any:
        """Many rows as dicts."""
        return self._execute(job.sql, job.size).fetchall()

    @way("select", label="binary")
    async def select_binary(self, job: Job) -> Any:
        """The same, with values in binary form."""
        return self._execute(job.sql, job.size, binary=True).fetchall()

    @way("gather", label="pipeline")
    async def pipeline(self, job: Job) -> Any:
        """All queries in the pipeline of one connection."""
        with self.connection.pipeline():
            cursors = [self._execute(POINT, number) for number in range(1, job.size + 1)]
            return [cursor.fetchone() for cursor in cursors]

    @way("insert", label="executemany")
    async def insert(self, job: Job) -> None:
        """A batch, in a transaction as the others'."""
        with self.connection.transaction(), self.connection.cursor() as cursor:
            cursor.executemany(in_psycopg(INSERT), job.rows)

    @way("insert", label="COPY")
    async def copy(self, job: Job) -> None:
        """COPY of records."""
        with self.connection.cursor() as cursor, cursor.copy(COPY_MANY) as copy:
            copy.set_types(MANY_TYPES)
            for row in job.rows:
                copy.write_row(row)

    @way("load", label="COPY rows")
    async def load(self, job: Job) -> None:
        """Rows made of the Arrow table, and sent by COPY."""
        command = copy_into(job.table, job.source.column_names)
        with self.connection.cursor() as cursor, cursor.copy(command) as copy:
            copy.set_types(job.types)
            for row in records_of(job.source):
                copy.write_row(row)

    @way("search", label="binary")
    async def search(self, job: Job) -> Any:
        """The nearest vectors."""
        return self._execute(job.sql, next(job.vectors), binary=True).fetchall()

    @way("connect")
    async def connect(self, _job: Job) -> None:
        """Open a connection and close it."""
        psycopg.connect(self.url).close()
