"""Proofs of references/concurrency.md: cancelling a query on the server."""

from __future__ import annotations

import asyncio

import psqlpy
import pytest
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import OperationCancelledError
from watching_tools import PID, ask, until

SLEEPS = "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = %s"


@proves("psqlpy has no cancel call.")
def test_no_cancel_call() -> None:
    kinds = [kind for kind in vars(psqlpy).values() if isinstance(kind, type)]
    assert psqlpy.Connection in kinds
    names = {name for kind in kinds for name in dir(kind)} | set(dir(psqlpy))
    assert not [name for name in names if "cancel" in name.lower()]


@proves(
    "Ask the server with `{function}` from a second config, so that a full pool cannot block the "
    "request.",
    "Wait with `{wait}`, which cancels nothing.",
    "Repeat the request: one that arrives before the query has begun ends nothing.",
)
async def test_the_server_cancels_a_query(dsn: str, function: str, wait: str) -> None:
    full, control = (
        PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2}) for _ in range(2)
    )
    module, _, name = wait.partition(".")
    assert module == "asyncio"
    async with full.provide_session() as session, full.provide_session():
        pid = await session.select_value(PID)
        async with control.provide_session() as other:
            await other.select_value(f"SELECT {function}($1)", pid)  # nothing runs yet
        query = asyncio.create_task(session.select_value("SELECT 1 FROM pg_sleep(20)"))
        done, _ = await getattr(asyncio, name)({query}, timeout=0.05)
        assert not done
        assert query.cancelling() == 0
        await until(lambda: ask(dsn, SLEEPS, pid))
        async with asyncio.timeout(5):
            async with control.provide_session() as other:
                assert await other.select_value(f"SELECT {function}($1)", pid)
            with pytest.raises(OperationCancelledError):
                await query
        assert await session.select_value(PID) == pid
    await full.close_pool()
    await control.close_pool()
