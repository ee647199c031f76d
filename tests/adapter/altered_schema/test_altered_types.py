"""Statements go by the new types after an ALTER TABLE, whoever did it."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest
from altered_tools import ADD, NOON, RETYPED, days
from psqlpy_adapter import freshness
from sqlspec.exceptions import DataError, SQLSpecError


async def test_a_session_stores_by_the_new_types_after_its_own_alter_table(session):
    await session.execute(RETYPED)
    await session.execute(ADD, NOON, 2**40)
    assert NOON in await days(session)


async def test_a_session_stores_by_the_new_types_after_an_alter_table_of_another_one(
    session, config
):
    async with config.provide_session() as other:
        await other.execute(RETYPED)
    await session.execute(ADD, NOON, 2)
    assert NOON in await days(session)


async def test_a_session_stores_by_the_new_types_after_a_transaction_with_ddl_of_another_one(
    session, config
):
    async with config.provide_session() as other:
        async with other.transaction():
            await other.execute("ALTER TABLE visits ALTER day TYPE timestamp")
            await asyncio.wait_for(session.select_value("SELECT 1"), 5)
        await session.execute(ADD, NOON, 2)
    assert NOON in await days(session)


async def test_a_session_stores_by_the_new_types_a_while_after_ddl_of_another_program(
    session, stranger, impatient
):
    await session.execute(ADD, date(2026, 1, 1), 1)
    await stranger.execute_batch(RETYPED)
    await session.execute(ADD, NOON, 2)
    assert NOON in await days(session)


async def test_statements_behind_an_alter_table_in_one_gather_use_the_new_types(session):
    await asyncio.gather(
        session.execute(RETYPED), session.execute(ADD, NOON, 2), session.execute(ADD, NOON, 2)
    )
    assert (await days(session)).count(NOON) == 2


async def test_the_catalogue_is_not_asked_again_within_its_time(session, monkeypatch):
    monkeypatch.setattr(freshness, "CHECK_SECONDS", 3600.0)
    session.describer.freshness.doubt()
    await session.execute(ADD, date(2026, 1, 1), 1)
    due = session.describer.freshness._due
    for _ in range(5):
        await session.execute(ADD, date(2026, 1, 1), 1)
    assert session.describer.freshness._due == due


async def test_a_value_that_does_not_fit_is_refused_only_if_it_does_not_fit_now(
    session, stranger, unseen
):
    await stranger.execute_batch(RETYPED)
    await session.execute(ADD, date(2026, 1, 1), 2**40)
    assert await session.select_value("SELECT max(n) FROM visits") == 2**40


async def test_a_batch_with_a_value_that_does_not_fit_asks_for_the_types_anew(
    session, stranger, unseen
):
    await stranger.execute_batch(RETYPED)
    rows = [(date(2026, 1, 1), 2**40)] * 30
    assert (await session.execute_many(ADD, rows)).rows_affected == 30


async def test_a_batch_in_a_transaction_asks_for_the_types_anew(session, stranger, unseen):
    await stranger.execute_batch(RETYPED)
    async with session.transaction():
        await session.execute_many(ADD, [(date(2026, 1, 1), 2**40)] * 3)
    assert await session.select_value("SELECT count(*) FROM visits WHERE n > 1") == 3


async def test_a_stream_with_a_value_that_does_not_fit_asks_for_the_types_anew(
    session, stranger, unseen
):
    query = "SELECT n FROM visits WHERE n < $1"
    async with session.select_stream(query, 5) as stream:
        assert len([row async for row in stream]) == 2
    await stranger.execute_batch("ALTER TABLE visits ALTER n TYPE bigint")
    async with session.select_stream(query, 2**40) as stream:
        assert len([row async for row in stream]) == 2


async def test_a_value_that_is_wrong_leaves_nothing_behind_on_the_server(session):
    before = await session.select_value("SELECT count(*) FROM pg_prepared_statements")
    for _ in range(3):
        with pytest.raises(DataError, match=r"parameter \$2: a Python int .* int4"):
            await session.execute(ADD, date(2026, 1, 1), 2**40)
    assert await session.select_value("SELECT count(*) FROM pg_prepared_statements") <= before + 1


async def test_a_value_that_is_wrong_does_not_end_a_transaction(session, stranger, unseen):
    async with session.transaction():
        await stranger.execute_batch("DROP TABLE IF EXISTS nothing")
        with pytest.raises(DataError):
            await session.execute(ADD, date(2026, 1, 1), 2**40)
        await session.execute(ADD, date(2026, 1, 1), 7)
    assert await session.select_value("SELECT max(n) FROM visits") == 7


async def test_a_value_that_is_wrong_is_still_named_in_a_transaction_that_has_failed(session):
    await session.begin()
    with pytest.raises(SQLSpecError):
        await session.execute("SELECT 1 / $1::int", 0)
    with pytest.raises(DataError, match=r"parameter \$2"):
        await session.execute(ADD, date(2026, 1, 1), 2**40)
    await session.rollback()


async def test_gathered_reads_follow_an_alter_table_elsewhere(session, stranger):
    query = "SELECT * FROM visits WHERE n = $1"
    await asyncio.gather(*(session.select(query, 1) for _ in range(5)))
    await asyncio.gather(*(session.select(query, 1) for _ in range(5)))
    await stranger.execute_batch(
        "ALTER TABLE visits ADD z int; ALTER TABLE visits ALTER n TYPE text"
    )
    for value in (1, 1):
        session.describer.freshness.doubt()
        found = await asyncio.gather(*(session.select(query, str(value)) for _ in range(5)))
        assert [len(rows) for rows in found] == [2] * 5


async def test_an_error_does_not_wait_for_other_statements(session, config):
    async with config.provide_session() as other:
        await other.begin()
        await other.execute("SELECT pg_advisory_xact_lock(1)")
        await session.execute("SELECT 1 / $1::int", 1)
        failing = asyncio.ensure_future(session.execute("SELECT 1 / $1::int", 0))
        behind = asyncio.ensure_future(session.execute_script("SELECT pg_advisory_xact_lock(1)"))
        with pytest.raises(SQLSpecError, match="division by zero"):
            await asyncio.wait_for(failing, 5)
        await other.rollback()
        await behind


COMPOSITE = "CREATE TYPE place AS (a int, b int); CREATE TABLE places (p place)"
PUT = "INSERT INTO places VALUES ($1)"


async def test_a_composite_type_altered_elsewhere_is_learnt_anew(session, stranger, unseen):
    await session.execute_script(COMPOSITE)
    await session.execute(PUT, ((1, 2),))
    await stranger.execute_batch("ALTER TYPE place ADD ATTRIBUTE c text")
    await session.execute(PUT, {"a": 1, "b": 2, "c": "x"})
    assert await session.select_value("SELECT (p).c FROM places WHERE (p).c = 'x'") == "x"


async def test_an_attribute_renamed_elsewhere_is_read_by_its_new_name(session, stranger, impatient):
    await session.execute_script(COMPOSITE)
    await session.execute(PUT, ((1, 2),))
    assert await session.select("SELECT p FROM places") == [{"p": {"a": 1, "b": 2}}]
    await stranger.execute_batch("ALTER TYPE place RENAME ATTRIBUTE b TO c")
    assert await session.select("SELECT p FROM places") == [{"p": {"a": 1, "c": 2}}]
