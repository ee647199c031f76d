"""Progress callbacks, names of our own in a user's statement, and cancelling from several loops."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from typing import Any

import psqlpy
import psqlpy_adapter
import pyarrow as pa
import pytest
from psqlpy_adapter.canceller import Canceller
from psqlpy_adapter.checkout import Checkout
from sqlspec.exceptions import SQLSpecError

TABLE = pa.table({"id": [1, 2]})


@pytest.fixture
async def session(dsn: str) -> AsyncIterator[Any]:
    config = psqlpy_adapter.PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 1})
    async with config.provide_session() as session:
        await session.execute_script("CREATE TABLE notes (id int); CREATE TABLE log (n int)")
        yield session
    await config.close_pool()


async def test_a_progress_callback_may_use_the_session_itself(session):
    async def progress(rows: int, total: int | None) -> None:
        await session.execute("INSERT INTO log VALUES ($1)", rows)

    await session.load_from_arrow("notes", TABLE, progress=progress)
    assert await session.select_value("SELECT n FROM log") == 2


@pytest.mark.parametrize("text", ["INSERT INTO log VALUES ($1)", "SELECT $1::int"])
async def test_a_progress_callback_that_uses_the_session_in_another_task_is_refused(session, text):
    async def progress(rows: int, total: int | None) -> None:
        await asyncio.gather(session.execute(text, rows))

    async with asyncio.timeout(5):
        with pytest.raises(SQLSpecError, match="in another task"):
            await session.load_from_arrow("notes", TABLE, progress=progress)
    assert await session.select_value("SELECT count(*) FROM notes") == 0


async def test_a_task_that_a_progress_callback_leaves_behind_runs_after_the_load(session):
    tasks: list[asyncio.Task[Any]] = []

    def progress(rows: int, total: int | None) -> None:
        tasks.append(asyncio.create_task(session.execute("INSERT INTO log VALUES ($1)", rows)))

    await session.load_from_arrow("notes", TABLE, progress=progress)
    await tasks[0]
    assert await session.select_value("SELECT n FROM log") == 2


@pytest.mark.parametrize("select", [
    "SELECT psqlpy_adapter_runs.id FROM notes AS psqlpy_adapter_runs WHERE id = $1",
    "SELECT psqlpy_adapter_runs.* FROM numbers AS psqlpy_adapter_runs WHERE number = $1",
    "SELECT number AS psqlpy_adapter_runs FROM numbers WHERE number = $1",
    "SELECT * FROM called WHERE psqlpy_adapter_runs = $1",
])  # fmt: skip
async def test_names_of_the_adapter_in_a_statement_change_no_gathered_row(session, select):
    await session.execute_script(
        "INSERT INTO notes SELECT generate_series(1, 9);"
        "CREATE TABLE numbers AS SELECT id + 5 AS number FROM notes;"
        "CREATE TABLE called AS SELECT id AS psqlpy_adapter_runs FROM notes"
    )
    alone = [await session.select(select, n) for n in range(12)]
    for _ in range(2):
        assert await asyncio.gather(*(session.select(select, n) for n in range(12))) == alone


def test_loops_that_cancel_at_once_do_not_disturb_each_other(dsn, caplog):
    both = threading.Barrier(2, timeout=10)

    async def connect() -> psqlpy.Connection:
        await asyncio.to_thread(both.wait)
        return await psqlpy.connect(dsn=dsn)

    canceller, done = Canceller(connect), []

    async def cancel() -> None:
        connection = await psqlpy.connect(dsn=dsn)
        answer = await connection.fetch("SELECT pg_backend_pid() AS pid")
        checkout = Checkout(connection, answer.result()[0]["pid"], opened=0.0)
        done.append(await canceller.cancel(checkout))

    threads = [threading.Thread(target=lambda: asyncio.run(cancel())) for _ in range(2)]
    with caplog.at_level(logging.WARNING):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert len(done) == 2
    assert "could not be asked" not in caplog.text
