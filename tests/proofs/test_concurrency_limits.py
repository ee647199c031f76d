"""Proofs of references/concurrency.md: the server ends what takes too long."""

from __future__ import annotations

import asyncio

import pytest
import sqlspec.exceptions
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import SQLSpecError
from watching_tools import PID, becomes


def bounded(dsn: str, setting: str) -> PsqlpyConfig:
    settings = {"dsn": dsn, "max_db_pool_size": 2, "options": f"-c {setting}=150"}
    return PsqlpyConfig(connection_config=settings)


@proves(
    "Let the server stop it: `{setting}` ends the query, frees the connection and raises "
    "`{error}`, on every execution."
)
async def test_the_server_ends_a_query(dsn: str, setting: str, error: str) -> None:
    config = bounded(dsn, setting)
    async with config.provide_session() as session:
        pid = await session.select_value(PID)
        for _ in range(2):
            async with asyncio.timeout(5):
                with pytest.raises(SQLSpecError, match="due to statement timeout") as raised:
                    await session.execute("SELECT pg_sleep(20)")
            assert raised.type.__name__ == error
            assert await becomes(dsn, pid, "idle") == "idle"
            assert await session.select_value(PID) == pid
    await config.close_pool()


@proves("For one transaction, use `{command}`:")
async def test_a_limit_for_one_transaction(config: PsqlpyConfig, command: str) -> None:
    async with config.provide_session() as session:
        before = await session.select_value("SHOW statement_timeout")
        await session.begin()
        await session.execute(f"{command} statement_timeout = '50ms'")
        assert await session.select_value("SHOW statement_timeout") == "50ms"
        with pytest.raises(sqlspec.exceptions.QueryTimeoutError):
            await session.execute("SELECT pg_sleep(20)")
        await session.rollback()
        await session.begin()
        await session.execute(f"{command} statement_timeout = '50ms'")
        await session.commit()
        assert await session.select_value("SHOW statement_timeout") == before == "0"


@proves("A wait for a lock has a limit of its own, `{setting}`: Transactions.")
async def test_a_wait_for_a_lock_has_a_limit_of_its_own(dsn: str, setting: str) -> None:
    config = bounded(dsn, setting)
    async with config.provide_session() as holder, config.provide_session() as other:
        await holder.execute("CREATE TABLE IF NOT EXISTS locked (n int)")
        await holder.begin()
        await holder.execute("LOCK TABLE locked")
        async with asyncio.timeout(5):
            with pytest.raises(SQLSpecError, match="due to lock timeout"):
                await other.execute("INSERT INTO locked VALUES (1)")
            # It limits nothing else.
            assert await other.select_value("SELECT 1 FROM pg_sleep(0.2)") == 1
        await holder.rollback()
    await config.close_pool()


@proves(
    "Set a `{setting}` below the timeout in Python.",
    "Then the query has ended when Python gives up, and the error is `{error}` on every execution:",
)
async def test_a_limit_below_the_timeout_in_python(dsn: str, setting: str, error: str) -> None:
    config = bounded(dsn, setting)
    pids = []

    async def take_too_long() -> None:
        async with asyncio.timeout(5), config.provide_session() as session:
            pids.append(await session.select_value(PID))
            await session.execute("SELECT pg_sleep(20)")

    for _ in range(2):
        with pytest.raises(SQLSpecError) as raised:
            await take_too_long()
        assert raised.type.__name__ == error
        assert await becomes(dsn, pids[-1], "idle") == "idle"
    await config.close_pool()
