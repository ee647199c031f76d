"""asyncpg, as its documentation shows it."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from typing import Any

import asyncpg
import pgvector.asyncpg
import pyarrow as pa

from suite.contract import INSERT, MANY_COLUMNS, POINT, POOL_SIZE, Contender, Job, way
from suite.data import records_of
from suite.memory import bytes_per_connection

UNNEST = (
    "INSERT INTO many (id, name, email, score) "
    "SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::float8[])"
)


class Asyncpg(Contender):
    """One connection, and a pool of 20."""

    name = "asyncpg"

    async def open(self) -> None:
        """Connect, and fill the pool."""
        self.connection = await asyncpg.connect(self.url)
        self.stack.push_async_callback(self.connection.close)
        if self.needs("search", "load"):
            await pgvector.asyncpg.register_vector(self.connection)
        if self.needs("gather", "acquire"):
            pool = asyncpg.create_pool(self.url, min_size=POOL_SIZE, max_size=POOL_SIZE)
            self.pool = await self.stack.enter_async_context(pool)

    @way("point")
    async def point(self, job: Job) -> Any:
        """One row by key."""
        row = await self.connection.fetchrow(POINT, next(job.ids))
        return dict(row)

    @way("cold")
    async def cold(self, job: Job) -> Any:
        """One row by key, by a text that is new."""
        return dict(await self.connection.fetchrow(job.new_text(), next(job.ids)))

    @way("select")
    async def select(self, job: Job) -> Any:
        """Many rows as dicts."""
        return [dict(row) for row in await self.connection.fetch(job.sql, job.size)]

    @way("gather", label="pool and gather")
    async def gather(self, job: Job) -> Any:
        """A pool, and a task a query."""
        return await asyncio.gather(
            *(self.pool.fetchrow(POINT, number) for number in range(1, job.size + 1))
        )

    @way("gather", label="20 workers")
    async def workers(self, job: Job) -> Any:
        """As many tasks as connections, each with its own."""
        numbers = iter(range(1, job.size + 1))
        found: list[Any] = []

        async def work() -> None:
            async with self.pool.acquire() as connection:
                for number in numbers:
                    found.append(await connection.fetchrow(POINT, number))

        await asyncio.gather(*(work() for _ in range(min(POOL_SIZE, job.size))))
        return found

    @way("insert", label="executemany")
    async def insert(self, job: Job) -> None:
        """A batch."""
        await self.connection.executemany(INSERT, job.rows)

    @way("insert", label="unnest")
    async def unnest(self, job: Job) -> None:
        """One statement over arrays."""
        await self.connection.execute(UNNEST, *map(list, zip(*job.rows, strict=True)))

    @way("insert", label="COPY")
    async def copy(self, job: Job) -> None:
        """COPY of records."""
        await self.connection.copy_records_to_table("many", records=job.rows, columns=MANY_COLUMNS)

    @way("load", label="copy_records_to_table")
    async def load(self, job: Job) -> None:
        """Rows made of the Arrow table, and sent by COPY."""
        await self.connection.copy_records_to_table(
            job.table, records=records_of(job.source), columns=job.source.column_names
        )

    @way("load", label="same bytes by COPY")
    async def load_bytes(self, job: Job) -> None:
        """Bytes that are encoded already: the floor."""
        await self.connection.copy_to_table(
            job.table,
            source=io.BytesIO(job.encoded),
            columns=job.source.column_names,
            format="binary",
        )

    @way("read")
    async def read(self, job: Job) -> Any:
        """Records made an Arrow table, column by column."""
        rows = await self.connection.fetch(job.sql)
        columns: Iterator[tuple[Any, ...]] = zip(*rows, strict=True)
        return pa.table([pa.array(column) for column in columns], names=list(rows[0].keys()))

    @way("search")
    async def search(self, job: Job) -> Any:
        """The nearest vectors."""
        return [dict(row) for row in await self.connection.fetch(job.sql, next(job.vectors))]

    @way("connect")
    async def connect(self, _job: Job) -> None:
        """Open a connection and close it."""
        await (await asyncpg.connect(self.url)).close()

    @way("acquire")
    async def acquire(self, _job: Job) -> None:
        """Borrow a connection."""
        async with self.pool.acquire():
            pass

    @way("memory")
    async def memory(self, _job: Job) -> float:
        """Of a process of its own."""
        return await bytes_per_connection("asyncpg", self.url)
