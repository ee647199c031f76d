"""Pools that lend the same backend twice, and what its next borrower finds."""

from harness import Breaks
from psqlpy import ConnRecyclingMethod

STAYS = Breaks(AssertionError)
METHODS = [ConnRecyclingMethod.Fast, ConnRecyclingMethod.Verified, ConnRecyclingMethod.Clean]


async def pool(adapter, dsn, method):
    """A pool that lends the same backend twice, with the method as an enum for both adapters."""
    config = adapter.config(
        connection_config={"dsn": dsn, "max_db_pool_size": 2, "conn_recycling_method": method}
    )
    async with config.provide_session() as session:
        backend = await session.select_value("SELECT pg_backend_pid()")
    return config, backend


async def after(adapter, dsn, method, script, query):
    """What the next borrower of the same backend gets for `query` once `script` was run."""
    config, backend = await pool(adapter, dsn, method)
    async with config.provide_session() as session:
        await session.connection.execute_batch(script)
    async with config.provide_session() as session:
        assert await session.select_value("SELECT pg_backend_pid()") == backend
        found = await session.select_value(query)
    await config.close_pool()
    return found
