"""psqlpy without SQLSpec."""

from __future__ import annotations

import asyncio
from typing import Any

import psqlpy
from psqlpy.extra_types import PgVector

from suite.contract import INSERT, POINT, POOL_SIZE, Contender, Job, way
from suite.memory import bytes_per_connection

BATCH = 100
UNNEST = (
    "INSERT INTO many (id, name, email, score) "
    "SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::float8[])"
)


class Psqlpy(Contender):
    """One connection, and a pool of 20."""

    name = "psqlpy"

    async def open(self) -> None:
        """Connect, and make the pool, which fills itself in the warm-up."""
        single = psqlpy.ConnectionPool(dsn=self.url, max_db_pool_size=2)
        self.stack.callback(single.close)
        self.connection = await single.connection()
        if self.needs("gather", "acquire"):
            self.pool = psqlpy.ConnectionPool(dsn=self.url, max_db_pool_size=POOL_SIZE)
            self.stack.callback(self.pool.close)

    @way("point")
    async def point(self, job: Job) -> Any:
        """One row by key."""
        return (await self.connection.fetch(POINT, [next(job.ids)])).result()[0]

    @way("cold")
    async def cold(self, job: Job) -> Any:
        """One row by key, by a text that is new."""
        return (await self.connection.fetch(job.new_text(), [next(job.ids)])).result()[0]

    @way("select")
    async def select(self, job: Job) -> Any:
        """Many rows as dicts."""
        return (await self.connection.fetch(job.sql, [job.size])).result()

    @way("gather", label="pool and gather")
    async def gather(self, job: Job) -> Any:
        """A pool, and a task a query."""

        async def one(number: int) -> Any:
            async with self.pool.acquire() as connection:
                return (await connection.fetch(POINT, [number])).result()[0]

        return await asyncio.gather(*map(one, range(1, job.size + 1)))

    @way("gather", label="pipeline")
    async def pipeline(self, job: Job) -> Any:
        """Batches in the pipeline of a transaction, as the guidance shows."""
        found: list[Any] = []
        async with self.connection.transaction() as transaction:
            for start in range(1, job.size + 1, BATCH):
                numbers = range(start, min(start + BATCH, job.size + 1))
                answers = await transaction.pipeline([(POINT, [number]) for number in numbers])
                found += [answer.result()[0] for answer in answers]
        return found

    @way("insert", label="execute_many")
    async def insert(self, job: Job) -> None:
        """A batch, in a transaction as the others'."""
        async with self.connection.transaction() as transaction:
            await transaction.execute_many(INSERT, [list(row) for row in job.rows])

    @way("insert", label="unnest")
    async def unnest(self, job: Job) -> None:
        """One statement over arrays."""
        columns = [list(column) for column in zip(*job.rows, strict=True)]
        await self.connection.execute(UNNEST, columns)

    @way("load", label="same bytes by COPY")
    async def load_bytes(self, job: Job) -> None:
        """Bytes that are encoded already. copy_records_to_table can freeze at these sizes."""
        await self.connection.binary_copy_to_table(
            job.encoded, job.table, columns=job.source.column_names
        )

    @way("search")
    async def search(self, job: Job) -> Any:
        """The nearest vectors."""
        vector = PgVector(next(job.vectors).tolist())
        return (await self.connection.fetch(job.sql, [vector])).result()

    @way("connect")
    async def connect(self, _job: Job) -> None:
        """Open a connection and close it."""
        connection = await psqlpy.connect(dsn=self.url)
        connection.close()

    @way("acquire")
    async def acquire(self, _job: Job) -> None:
        """Borrow a connection."""
        async with self.pool.acquire():
            pass

    @way("memory")
    async def memory(self, _job: Job) -> float:
        """Of a process of its own."""
        return await bytes_per_connection("psqlpy", self.url)
