"""Transactions and savepoints go on working as SQLSpec's on both adapters."""

from __future__ import annotations

import pytest
from sqlspec.exceptions import SQLSpecError, TransactionError, UniqueViolationError

NAMES = "SELECT name FROM users WHERE id > 3 ORDER BY id"


async def add(session, name: str) -> None:
    await session.execute("INSERT INTO users (name) VALUES ($1)", (name,))


async def add_and_fail(session, name: str, statement: str | None = None) -> None:
    """Add a user in a transaction block that then fails: by itself, or by a statement."""
    async with session.transaction():
        await add(session, name)
        if statement is not None:
            await session.execute(statement)
        raise LookupError


async def names(session) -> list[str]:
    return [row["name"] for row in await session.select(NAMES)]


async def test_rollback_undoes_what_begin_opened(session):
    await session.begin()
    await add(session, "a")
    await session.rollback()
    assert await names(session) == []


async def test_commit_keeps_it_for_other_sessions(config):
    async with config.provide_session() as session:
        await session.begin()
        await add(session, "a")
        await session.commit()
    async with config.provide_session() as session:
        assert await names(session) == ["a"]


async def test_nobody_else_sees_it_before_the_commit(config):
    async with config.provide_session() as writer, config.provide_session() as reader:
        await writer.begin()
        await add(writer, "a")
        assert await names(reader) == []
        await writer.commit()
        assert await names(reader) == ["a"]


async def test_a_second_begin_does_nothing(session):
    await session.begin()
    await add(session, "a")
    await session.begin()
    await session.rollback()
    assert await names(session) == []


async def test_commit_and_rollback_outside_a_transaction_are_harmless(session):
    await session.commit()
    await session.rollback()
    assert await session.select_value("SELECT 1") == 1


async def test_a_transaction_block_commits(session):
    async with session.transaction() as same:
        assert same is session
        await add(session, "a")
    await session.rollback()
    assert await names(session) == ["a"]


async def test_a_transaction_block_rolls_back_on_an_error_and_lets_it_out(session):
    with pytest.raises(LookupError):
        await add_and_fail(session, "a")
    assert await names(session) == []


async def test_a_transaction_block_rolls_back_when_a_statement_fails(session):
    with pytest.raises(UniqueViolationError):
        await add_and_fail(session, "a", "INSERT INTO users (id, name) VALUES (1, 'b')")
    assert await names(session) == []


async def test_a_nested_block_that_fails_undoes_only_itself(session):
    async with session.transaction():
        await add(session, "outer")
        with pytest.raises(LookupError):
            await add_and_fail(session, "inner")
        await add(session, "after")
    assert await names(session) == ["outer", "after"]


async def test_a_nested_block_survives_a_failing_statement_in_it(session):
    async with session.transaction():
        await add(session, "outer")
        with pytest.raises(UniqueViolationError):
            await add_and_fail(session, "inner", "INSERT INTO users (id, name) VALUES (1, 'b')")
        await add(session, "after")
    assert await names(session) == ["outer", "after"]


async def test_an_outer_block_that_fails_undoes_the_nested_one(session):
    async def block() -> None:
        async with session.transaction():
            async with session.transaction():
                await add(session, "inner")
            raise LookupError

    with pytest.raises(LookupError):
        await block()
    assert await names(session) == []


async def test_a_transaction_block_takes_part_in_a_begun_transaction(session):
    await session.begin()
    await add(session, "a")
    with pytest.raises(LookupError):
        await add_and_fail(session, "b")
    assert await names(session) == []


async def test_rolling_back_to_a_savepoint_keeps_what_was_before_it(session):
    await session.begin()
    await add(session, "a")
    await session.create_savepoint("here")
    await add(session, "b")
    await session.rollback_to_savepoint("here")
    await add(session, "c")
    await session.release_savepoint("here")
    await session.commit()
    assert await names(session) == ["a", "c"]


async def test_a_savepoint_heals_a_failed_transaction(session):
    await session.begin()
    await session.create_savepoint("here")
    with pytest.raises(SQLSpecError):
        await session.execute("SELECT 1 / 0")
    await session.rollback_to_savepoint("here")
    await add(session, "a")
    await session.commit()
    assert await names(session) == ["a"]


async def test_savepoints_nest(session):
    await session.begin()
    for name in ("one", "two"):
        await session.create_savepoint(name)
        await add(session, name)
    await session.rollback_to_savepoint("two")
    await session.commit()
    assert await names(session) == ["one"]


@pytest.mark.parametrize(
    "method", ["create_savepoint", "release_savepoint", "rollback_to_savepoint"]
)
async def test_a_savepoint_name_that_is_sql_is_refused(session, method):
    with pytest.raises(TransactionError):
        await getattr(session, method)("x; DELETE FROM users")


async def test_after_an_error_in_a_transaction_rollback_heals_the_session(session):
    await session.begin()
    with pytest.raises(SQLSpecError):
        await session.execute("SELECT 1 / 0")
    await session.rollback()
    assert await session.select_value("SELECT 1") == 1


async def test_set_transaction_sets_the_isolation_level(session):
    await session.begin()
    await session.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
    assert await session.select_value("SHOW transaction_isolation") == "serializable"
    await session.rollback()
    assert await session.select_value("SHOW transaction_isolation") == "read committed"


async def test_set_local_ends_with_the_transaction(session):
    await session.begin()
    await session.execute("SET LOCAL statement_timeout = '7s'")
    assert await session.select_value("SHOW statement_timeout") == "7s"
    await session.commit()
    assert await session.select_value("SHOW statement_timeout") != "7s"


async def test_ddl_is_part_of_the_transaction(session):
    await session.begin()
    await session.execute("CREATE TABLE thing (id int)")
    await session.rollback()
    assert await session.select_value("SELECT to_regclass('thing') IS NULL") is True
