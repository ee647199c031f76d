"""SQLSpec's own psqlpy adapter, and the bundled one."""

from __future__ import annotations

import asyncio
from typing import Any

import psqlpy_adapter
from psqlpy.extra_types import Float64, PgVector
from sqlspec.adapters.psqlpy import PsqlpyConfig as StockConfig

from suite.contenders.sqlspec_base import SqlspecContender
from suite.contract import INSERT, MANY_COLUMNS, POINT, POOL_SIZE, Job, way
from suite.memory import bytes_per_connection


class PsqlpyContender(SqlspecContender):
    """What both adapters do alike."""

    @way("gather", label="gather on one session")
    async def gather_on_one(self, job: Job) -> Any:
        """All queries on one session, which pipelines them."""
        return await asyncio.gather(
            *(self.session.select_one(POINT, number) for number in range(1, job.size + 1))
        )


class Stock(PsqlpyContender):
    """SQLSpec's adapter. Its loads can freeze the process, so it takes no part in them."""

    name = "stock adapter"

    def configure(self) -> Any:
        """Make the configuration."""
        return StockConfig(connection_config={"dsn": self.url, "max_db_pool_size": POOL_SIZE + 1})

    @way("insert", label="execute_many")
    async def insert(self, job: Job) -> None:
        """A batch; it cannot send a float to a float8 column, so it gets numbers that it can."""
        rows = [(*row[:3], Float64(row[3])) for row in job.rows]
        await self.session.execute_many(INSERT, rows)

    def vector(self, vector: Any) -> Any:
        """A NumPy vector as this adapter takes it."""
        return PgVector(vector.tolist())

    @way("read", label="select_to_arrow")
    async def read(self, job: Job) -> Any:
        """An Arrow table."""
        return (await self.session.select_to_arrow(job.sql)).data


class Bundled(PsqlpyContender):
    """The adapter of this repository."""

    name = "bundled adapter"

    def configure(self) -> Any:
        """Make the configuration."""
        return psqlpy_adapter.PsqlpyConfig(
            connection_config={"dsn": self.url, "max_db_pool_size": POOL_SIZE + 1}
        )

    @way("insert", label="load_from_records")
    async def insert_by_copy(self, job: Job) -> None:
        """COPY of records."""
        await self.session.load_from_records("many", job.rows, columns=list(MANY_COLUMNS))

    @way("load", label="load_from_arrow")
    async def load(self, job: Job) -> None:
        """An Arrow table into a table."""
        await self.session.load_from_arrow(job.table, job.source)

    @way("read", label="select_to_arrow")
    async def read(self, job: Job) -> Any:
        """An Arrow table."""
        return (await self.session.select_to_arrow(job.sql)).data

    # SQLSpec's adapter has no way to open one that is not of its pool.
    @way("connect")
    async def connect(self, _job: Job) -> None:
        """Open a connection and close it."""
        (await self.config.create_connection()).close()

    @way("memory")
    async def memory(self, _job: Job) -> float:
        """Of a process of its own."""
        return await bytes_per_connection("bundled", self.url)
