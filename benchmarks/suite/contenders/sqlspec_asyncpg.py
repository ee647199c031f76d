"""SQLSpec on asyncpg."""

from __future__ import annotations

from typing import Any

from sqlspec.adapters.asyncpg import AsyncpgConfig

from suite.contenders.sqlspec_base import SqlspecContender
from suite.contract import POOL_SIZE, Job, way


class SqlspecAsyncpg(SqlspecContender):
    """SQLSpec's adapter for asyncpg."""

    name = "SQLSpec on asyncpg"

    def configure(self) -> Any:
        """Make the configuration."""
        smallest = POOL_SIZE if self.needs("gather", "acquire") else 1
        return AsyncpgConfig(
            connection_config={"dsn": self.url, "min_size": smallest, "max_size": POOL_SIZE + 1}
        )

    @way("connect")
    async def connect(self, _job: Job) -> None:
        """Open a connection and close it."""
        await (await self.config.create_connection()).close()
