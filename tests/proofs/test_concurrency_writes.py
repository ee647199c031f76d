"""Proofs of references/concurrency.md: gathered writes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pooling_tools import Tap
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import SQLSpecError

INSERT = "INSERT INTO imported SELECT $1, $2 FROM pg_sleep(0.01)"
COUNT = "SELECT count(*) FROM imported"
ROWS = [(1, "import"), (2, "import")]
EMPTY = "DROP TABLE IF EXISTS imported; CREATE TABLE imported (id int, kind text)"


async def fail(session: Any, seconds: float = 0.0) -> None:
    await asyncio.sleep(seconds)
    await session.select("SELECT * FROM no_such_table")


@proves("`execute_many` sends its own BEGIN and COMMIT.", adapter="stock")
async def test_execute_many_has_a_transaction_of_its_own(dsn: str) -> None:
    async with Tap.before(dsn) as tap:
        config = PsqlpyConfig(connection_config={"dsn": tap.dsn(dsn), "max_db_pool_size": 2})
        async with config.provide_session() as session:
            await session.execute_script(EMPTY)
            tap.packets.clear()
            await session.execute_many(INSERT, ROWS)
            sent = b"".join(tap.packets)
        await config.close_pool()
    assert 0 <= sent.find(b"BEGIN") < sent.find(b"COMMIT")


@proves(
    "A neighbour that fails between the two aborts that transaction, and the COMMIT becomes a "
    "rollback without an error.",
    "Whether it happens is a race: here the rows are slow, and the attempt is repeated until it "
    "does:",
    "`execute_many` reported {reported} rows and kept {kept}.",
    adapter="stock",
)
async def test_a_neighbour_undoes_execute_many(
    config: PsqlpyConfig, reported: int, kept: int
) -> None:
    outcomes = set()
    async with config.provide_session() as session:
        await session.execute_script(EMPTY)
        for _ in range(100):
            many, failed = await asyncio.gather(
                session.execute_many(INSERT, ROWS), fail(session, 0.005), return_exceptions=True
            )
            assert isinstance(failed, SQLSpecError)
            if not isinstance(many, Exception):
                outcome = many.rows_affected, await session.select_value(COUNT)
                if outcome != (2, 2):
                    outcomes.add(outcome)
                    break
            await session.execute("DELETE FROM imported")
    assert outcomes == {(reported, kept)}


@proves("With a session per task the failure stays in its own task:")
async def test_a_session_per_task(config: PsqlpyConfig) -> None:
    async def import_rows() -> int:
        async with config.provide_session() as session:
            return (await session.execute_many(INSERT, ROWS)).rows_affected

    async def report() -> None:
        async with config.provide_session() as session:
            await fail(session)

    async with config.provide_session() as session:
        await session.execute_script(EMPTY)
        for times in range(1, 6):
            done, failed = await asyncio.gather(import_rows(), report(), return_exceptions=True)
            assert done == 2
            assert isinstance(failed, SQLSpecError)
            assert await session.select_value(COUNT) == 2 * times


@proves(
    "With `dropin`, a session of the drop-in, a neighbour that fails harms nobody:",
    "With `dropin`, a session of the drop-in, the timeout comes out as itself, and the server "
    "stops:",
    "On the drop-in gathering and cancelling are safe: gather, stop.",
)
async def test_gathering_and_cancelling_on_the_drop_in(config: PsqlpyConfig, dropin: Any) -> None:
    await dropin.execute_script(EMPTY)
    for times in range(1, 11):
        many, failed = await asyncio.gather(
            dropin.execute_many(INSERT, ROWS), fail(dropin, 0.005), return_exceptions=True
        )
        assert many.rows_affected == 2
        assert isinstance(failed, SQLSpecError)
        assert await dropin.select_value(COUNT) == 2 * times
    pid = await dropin.select_value("SELECT pg_backend_pid()")
    for _ in range(2):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await dropin.select("SELECT pg_sleep(60)")
        async with config.provide_session() as other:
            query = "SELECT wait_event FROM pg_stat_activity WHERE pid = $1"
            assert await other.select_value_or_none(query, pid) != "PgSleep"
        async with asyncio.timeout(5):
            assert await dropin.select_value("SELECT 1") == 1
    sleeping = asyncio.create_task(dropin.select("SELECT pg_sleep(60)"))
    async with config.provide_session() as other:
        while await other.select_value_or_none(query, pid) != "PgSleep":
            pass
        sleeping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sleeping
        assert await other.select_value_or_none(query, pid) != "PgSleep"
