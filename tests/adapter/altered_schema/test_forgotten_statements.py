"""Prepared statements that are deallocated, and how many are kept."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest
from altered_tools import ADD
from psqlpy_adapter import PsqlpyConfig, remembered
from sqlspec.exceptions import SQLSpecError


@pytest.mark.parametrize(
    "command",
    [
        "DISCARD ALL",
        "deallocate all",
        "DEALLOCATE PREPARE ALL",
        "DEALLOCATE s1",
        "BEGIN; DISCARD ALL",
    ],
)
async def test_what_would_end_the_prepared_statements_of_psqlpy_is_refused(session, command):
    for run in (session.execute, session.execute_script):
        with pytest.raises(SQLSpecError, match="Nothing was sent"):
            await run(command)
    await session.rollback()
    await session.execute(ADD, date(2026, 1, 1), 1)


async def test_statements_of_the_users_own_can_be_deallocated(session):
    await session.execute("PREPARE mine AS SELECT 1")
    await session.execute("DEALLOCATE mine")


async def test_a_connection_without_its_prepared_statements_is_not_lent_again(dsn):
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 1})
    async with config.provide_session() as session:
        pid = await session.select_value("SELECT pg_backend_pid()")
        await session.connection.execute_batch("DEALLOCATE ALL")
        with pytest.raises(SQLSpecError, match="does not exist"):
            await session.select_value("SELECT pg_backend_pid()")
    async with config.provide_session() as session:
        assert await session.select_value("SELECT pg_backend_pid()") != pid
    await config.close_pool()


async def test_the_server_keeps_a_bounded_number_of_statements(session, monkeypatch):
    monkeypatch.setattr(remembered, "ONCE", 20)
    monkeypatch.setattr(remembered, "BATCH", 5)
    for number in range(100):
        await session.execute(f"UPDATE visits SET n = {number} WHERE n = $1", -1)
        assert await session.select_value(f"SELECT $1::int + {number}", 1) == number + 1
    found = await session.select_value("SELECT count(*) FROM pg_prepared_statements")
    assert found < 50


async def test_a_text_whose_statement_was_deallocated_can_be_used_again(session, monkeypatch):
    monkeypatch.setattr(remembered, "ONCE", 5)
    monkeypatch.setattr(remembered, "BATCH", 2)
    for _ in range(3):
        for number in range(12):
            assert await session.select_value(f"SELECT $1::int + {number}", 1) == number + 1
            await session.execute(f"UPDATE visits SET n = {number} WHERE n = $1", -1)
            await session.execute_many(
                f"INSERT INTO visits VALUES ($1, $2 + {number})", [(date(2026, 1, 1), 1)] * 12
            )


async def test_statements_that_are_forgotten_while_tasks_wait_to_send_them_are_kept(
    session, monkeypatch
):
    monkeypatch.setattr(remembered, "ONCE", 3)
    monkeypatch.setattr(remembered, "REMEMBERED", 3)
    monkeypatch.setattr(remembered, "BATCH", 1)
    for _ in range(3):
        texts = [f"SELECT $1::int + {number} AS n ORDER BY 1" for number in range(20)]
        known = texts[-3:] * 5
        found = await asyncio.gather(
            *(session.select_value(text, 0) for text in [*known, *texts, *known])
        )
        assert found[-1] == 19


async def test_a_statement_that_is_used_again_outlives_many_that_were_used_once(
    session, monkeypatch
):
    monkeypatch.setattr(remembered, "ONCE", 5)
    plan = session.describer.plans.get(ADD)
    for number in range(50):
        await session.execute(f"SELECT {number}")
    assert session.describer.plans.get(ADD) is plan


async def test_the_same_text_on_the_raw_connection_keeps_its_statement(session, monkeypatch):
    monkeypatch.setattr(remembered, "ONCE", 5)
    monkeypatch.setattr(remembered, "BATCH", 2)
    await session.execute("SELECT 42 AS n")
    for number in range(20):
        await session.execute(f"SELECT {number}")
    found = await session.connection.fetch("SELECT 42 AS n")
    assert found.result() == [{"n": 42}]
