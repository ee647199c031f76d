"""What every adapter of SQLSpec does alike."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Any

from suite.contract import INSERT, POINT, Contender, Job, way


class SqlspecContender(Contender, ABC):
    """A configuration with a pool of 20, and one session of it."""

    config: Any
    session: Any

    @abstractmethod
    def configure(self) -> Any:
        """Make the configuration."""

    async def open(self) -> None:
        """Take a session for all that needs one connection."""
        self.config = self.configure()
        self.stack.push_async_callback(self.config.close_pool)
        self.session = await self.stack.enter_async_context(self.config.provide_session())

    @way("point")
    async def point(self, job: Job) -> Any:
        """One row by key."""
        return await self.session.select_one(POINT, next(job.ids))

    @way("cold")
    async def cold(self, job: Job) -> Any:
        """One row by key, by a text that is new."""
        return await self.session.select_one(job.new_text(), next(job.ids))

    @way("select")
    async def select(self, job: Job) -> Any:
        """Many rows as dicts."""
        return await self.session.select(job.sql, job.size)

    @way("gather", label="pool and gather")
    async def gather(self, job: Job) -> Any:
        """A pool, and a task and a session a query."""

        async def one(number: int) -> Any:
            async with self.config.provide_session() as session:
                return await session.select_one(POINT, number)

        return await asyncio.gather(*map(one, range(1, job.size + 1)))

    @way("insert", label="execute_many")
    async def insert(self, job: Job) -> None:
        """A batch."""
        await self.session.execute_many(INSERT, job.rows)

    @way("search")
    async def search(self, job: Job) -> Any:
        """The nearest vectors."""
        return await self.session.select(job.sql, self.vector(next(job.vectors)))

    def vector(self, vector: Any) -> Any:
        """A NumPy vector as this adapter takes it."""
        return vector

    @way("acquire")
    async def acquire(self, _job: Job) -> None:
        """Borrow a session."""
        async with self.config.provide_session():
            pass
