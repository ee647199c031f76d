"""What tests of the pool ask a configuration."""

from __future__ import annotations


async def backend(config):
    async with config.provide_session() as session:
        return await session.select_value("SELECT pg_backend_pid()")
