"""psycopg 3 on asyncio."""

from __future__ import annotations

import asyncio
from typing import Any

import pgvector.psycopg
import psycopg
import psycopg_pool
from psycopg.rows import dict_row

from suite.contract import INSERT, POINT, POOL_SIZE, Contender, Job, way
from suite.data import records_of
from suite.memory import bytes_per_connection
from suite.psycopg_texts import COPY_MANY, MANY_TYPES, UNNEST, copy_into, in_psycopg

CONNECTION: dict[str, Any] = {"autocommit": True, "row_factory": dict_row}


class PsycopgAsync(Contender):
    """One connection, and a pool of 20."""

    name = "psycopg async"

    async def open(self) -> None:
        """Connect, and fill the pool."""
        self.connection = await psycopg.AsyncConnection.connect(self.url, **CONNECTION)
        self.stack.push_async_callback(self.connection.close)
        if self.needs("search", "load"):
            await pgvector.psycopg.register_vector_async(self.connection)
        if self.needs("gather", "acquire"):
            self.pool = psycopg_pool.AsyncConnectionPool(
                self.url, kwargs=CONNECTION, min_size=POOL_SIZE, max_size=POOL_SIZE, open=False
            )
            await self.stack.enter_async_context(self.pool)
            await self.pool.wait()

    async def _one(self, connection: Any, sql: str, number: int) -> Any:
        return await (await connection.execute(in_psycopg(sql), (number,))).fetchone()

    @way("point")
    async def point(self, job: Job) -> Any:
        """One row by key."""
        return await self._one(self.connection, POINT, next(job.ids))

    @way("cold")
    async def cold(self, job: Job) -> Any:
        """One row by key, by a text that is new."""
        text = job.new_text().replace("$1", "%s")
        return await (await self.connection.execute(text, (next(job.ids),))).fetchone()

    @way("select", label="text")
    async def select(self, job: Job) -> Any:
        """Many rows as dicts."""
        cursor = await self.connection.execute(in_psycopg(job.sql), (job.size,))
        return await cursor.fetchall()

    @way("select", label="binary")
    async def select_binary(self, job: Job) -> Any:
        """The same, with values in binary form."""
        cursor = await self.connection.execute(in_psycopg(job.sql), (job.size,), binary=True)
        return await cursor.fetchall()

    @way("gather", label="pool and gather")
    async def gather(self, job: Job) -> Any:
        """A pool, and a task a query."""

        async def one(number: int) -> Any:
            async with self.pool.connection() as connection:
                return await self._one(connection, POINT, number)

        return await asyncio.gather(*map(one, range(1, job.size + 1)))

    @way("gather", label="pipeline")
    async def pipeline(self, job: Job) -> Any:
        """All queries in the pipeline of one connection."""
        async with self.connection.pipeline():
            cursors = [
                await self.connection.execute(in_psycopg(POINT), (number,))
                for number in range(1, job.size + 1)
            ]
            return [await cursor.fetchone() for cursor in cursors]

    @way("insert", label="executemany")
    async def insert(self, job: Job) -> None:
        """A batch, in a transaction as the others'."""
        async with self.connection.transaction(), self.connection.cursor() as cursor:
            await cursor.executemany(in_psycopg(INSERT), job.rows)

    @way("insert", label="unnest")
    async def unnest(self, job: Job) -> None:
        """One statement over arrays."""
        columns = [list(column) for column in zip(*job.rows, strict=True)]
        await self.connection.execute(UNNEST, columns)

    @way("insert", label="COPY")
    async def copy(self, job: Job) -> None:
        """COPY of records."""
        async with self.connection.cursor() as cursor, cursor.copy(COPY_MANY) as copy:
            copy.set_types(MANY_TYPES)
            for row in job.rows:
                await copy.write_row(row)

    @way("load", label="COPY rows")
    async def load(self, job: Job) -> None:
        """Rows made of the Arrow table, and sent by COPY."""
        command = copy_into(job.table, job.source.column_names)
        async with self.connection.cursor() as cursor, cursor.copy(command) as copy:
            copy.set_types(job.types)
            for row in records_of(job.source):
                await copy.write_row(row)

    @way("search", label="binary")
    async def search(self, job: Job) -> Any:
        """The nearest vectors."""
        sql = in_psycopg(job.sql)
        cursor = await self.connection.execute(sql, (next(job.vectors),), binary=True)
        return await cursor.fetchall()

    @way("connect")
    async def connect(self, _job: Job) -> None:
        """Open a connection and close it."""
        await (await psycopg.AsyncConnection.connect(self.url)).close()

    @way("acquire")
    async def acquire(self, _job: Job) -> None:
        """Borrow a connection."""
        async with self.pool.connection():
            pass

    @way("memory")
    async def memory(self, _job: Job) -> float:
        """Of a process of its own."""
        return await bytes_per_connection("psycopg", self.url)
