"""What SQLSpec's adapter maps rightly to its own errors stays so on both adapters."""

from __future__ import annotations

import asyncio

import pytest
from sqlspec.exceptions import (
    CheckViolationError,
    DeadlockError,
    ForeignKeyViolationError,
    IntegrityError,
    NotNullViolationError,
    QueryTimeoutError,
    SerializationConflictError,
    SQLParsingError,
    SQLSpecError,
    UniqueViolationError,
)

VIOLATIONS = {
    "primary key": (UniqueViolationError, "INSERT INTO users (id, name) VALUES ($1, 'x')", 1),
    "unique": (
        UniqueViolationError,
        "INSERT INTO users (name, email) VALUES ('x', $1)",
        "ada@example.com",
    ),
    "foreign key": (
        ForeignKeyViolationError,
        "INSERT INTO events (id, user_id, timestamp) VALUES ($1, 99, now())",
        9,
    ),
    "referenced row": (ForeignKeyViolationError, "DELETE FROM users WHERE id = $1", 1),
    "not null": (NotNullViolationError, "INSERT INTO users (name) VALUES ($1)", None),
    "check": (CheckViolationError, "INSERT INTO positive (n) VALUES ($1)", -1),
}


@pytest.mark.parametrize("kind", VIOLATIONS)
async def test_a_violated_constraint_of_this_kind_has_its_own_error(session, kind):
    error, statement, value = VIOLATIONS[kind]
    await session.execute("CREATE TABLE positive (n int CHECK (n > 0))")
    for _ in range(2):
        with pytest.raises(error) as caught:
            await session.execute(statement, (value,))
        assert isinstance(caught.value, IntegrityError)
        assert isinstance(caught.value, SQLSpecError)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM no_such_table",
        "SELECT no_such_column FROM users",
        "SELECT no_such_function()",
        "SELECT 1 / 0",
        "SELECT 'x'::int",
        "SELECT * FROM users WHERE",
        "INSERT INTO no_such_table VALUES (1)",
    ],
)
async def test_a_statement_that_fails_raises_an_sqlspec_error_and_the_session_goes_on(
    session, statement
):
    with pytest.raises(SQLSpecError):
        await session.execute(statement)
    assert await session.select_value("SELECT 1") == 1


async def test_wrong_grammar_is_a_parsing_error(session):
    with pytest.raises(SQLParsingError):
        await session.execute("SELCT * FROM users")


async def test_the_error_says_what_the_server_said(session):
    with pytest.raises(SQLSpecError, match="division by zero"):
        await session.execute("SELECT 1 / 0")


async def test_the_error_of_psqlpy_is_the_cause(session):
    with pytest.raises(UniqueViolationError) as caught:
        await session.execute("INSERT INTO users (id, name) VALUES (1, 'x')")
    assert type(caught.value.__cause__).__module__.startswith("psqlpy")


async def test_a_statement_beyond_the_statement_timeout_is_a_timeout_error(session):
    await session.execute("SET statement_timeout = '50ms'")
    with pytest.raises(QueryTimeoutError):
        await session.select("SELECT pg_sleep(5)::text")


async def test_a_lock_that_is_not_had_in_time_is_an_sqlspec_error(config):
    async with config.provide_session() as holder, config.provide_session() as waiter:
        await holder.begin()
        await holder.execute("LOCK TABLE users")
        await waiter.execute("SET lock_timeout = '50ms'")
        with pytest.raises(SQLSpecError):
            await waiter.select("SELECT * FROM users")
        await holder.rollback()


async def test_a_deadlock_is_a_deadlock_error(config):
    async with config.provide_session() as first, config.provide_session() as second:
        for number, session in enumerate((first, second), 1):
            await session.begin()
            await session.execute("SET LOCAL deadlock_timeout = '50ms'")
            await session.execute("UPDATE users SET age = 1 WHERE id = $1", (number,))

        async def cross(session, number: int) -> BaseException | None:
            try:
                await session.execute("UPDATE users SET age = 2 WHERE id = $1", (number,))
            except SQLSpecError as error:
                await session.rollback()
                return error
            await session.rollback()
            return None

        outcomes = await asyncio.gather(cross(first, 2), cross(second, 1))
    assert [type(error) for error in outcomes if error is not None] == [DeadlockError]


async def test_a_write_that_cannot_be_serialized_is_a_serialization_error(config):
    async with config.provide_session() as first, config.provide_session() as second:
        await first.begin()
        await first.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        await first.select("SELECT * FROM users")
        await second.execute("UPDATE users SET age = 1")
        with pytest.raises(SerializationConflictError):
            await first.execute("UPDATE users SET age = 2")
        await first.rollback()
