"""P26: commit means committed."""

import asyncio
from contextlib import suppress

import pytest
from harness import Breaks, promise
from observing import until_asleep
from psqlpy_adapter import CommitOutcomeUnknownError
from sqlspec.exceptions import (
    DatabaseConnectionError,
    ForeignKeyViolationError,
    SQLSpecError,
    TransactionError,
    UniqueViolationError,
)

INSERT = "INSERT INTO users (name, email) VALUES ($1, $2)"
COUNT = "SELECT count(*) FROM users WHERE name = 'New'"


@promise("P26", stock=Breaks(pytest.fail.Exception, "DID NOT RAISE"))
async def test_commit_after_an_error_raises(adapter, session):
    await session.begin()
    await session.execute(INSERT, "New", "new@example.com")
    with pytest.raises(UniqueViolationError):
        await session.execute(INSERT, "Twin", "ada@example.com")
    with pytest.raises(TransactionError, match="rolled it back"):
        await session.commit()
    assert await session.select_value(COUNT) == 0


@promise("P26", stock=Breaks(pytest.fail.Exception, "DID NOT RAISE"))
async def test_an_error_swallowed_in_a_transaction_block_is_reported_at_its_end(adapter, session):
    async def work():
        async with session.transaction():
            await session.execute(INSERT, "New", "new@example.com")
            with suppress(SQLSpecError):
                await session.select("SELECT 1 / 0")

    with pytest.raises(TransactionError):
        await work()
    assert await session.select_value(COUNT) == 0


@promise("P26", stock=Breaks(pytest.fail.Exception, "DID NOT RAISE"))
async def test_an_error_on_the_raw_connection_is_reported_as_well(adapter, session):
    await session.begin()
    await session.execute(INSERT, "New", "new@example.com")
    with pytest.raises(Exception, match="division by zero"):
        await session.connection.execute("SELECT 1 / 0")
    with pytest.raises(TransactionError):
        await session.commit()


@promise("P26", stock=None)
async def test_the_session_goes_on_after_a_refused_commit(adapter, session):
    await session.begin()
    with pytest.raises(SQLSpecError):
        await session.select("SELECT 1 / 0")
    try:
        await session.commit()
    except SQLSpecError:
        assert adapter.name == "bundled"
    async with session.transaction():
        await session.execute(INSERT, "New", "new@example.com")
    assert await session.select_value(COUNT) == 1


@promise("P26", stock=None)
async def test_an_error_undone_by_a_savepoint_does_not_spoil_the_commit(adapter, session):
    async with session.transaction():
        await session.execute(INSERT, "New", "new@example.com")
        with pytest.raises(UniqueViolationError):
            async with session.transaction():
                await session.execute(INSERT, "Twin", "ada@example.com")
    assert await session.select_value(COUNT) == 1


@promise("P26", stock=Breaks(SQLSpecError, "violates foreign key constraint"))
async def test_a_deferred_constraint_fails_the_commit_by_its_own_name(adapter, session):
    await session.execute_script(
        "ALTER TABLE events ALTER CONSTRAINT events_user_id_fkey DEFERRABLE INITIALLY DEFERRED"
    )
    await session.begin()
    await session.execute("INSERT INTO events (id, user_id, timestamp) VALUES (9, 99, now())")
    with pytest.raises(ForeignKeyViolationError):
        await session.commit()
    assert await session.select_value("SELECT count(*) FROM events") == 2


@promise("P26", stock=Breaks(SQLSpecError, "connection closed"))
async def test_commit_on_a_connection_lost_before_says_so(adapter, config):
    async with config.provide_session() as session, config.provide_session() as other:
        await session.begin()
        await session.execute(INSERT, "New", "new@example.com")
        pid = await session.select_value("SELECT pg_backend_pid()")
        await other.select_value("SELECT pg_terminate_backend($1, 5000)", pid)
        with pytest.raises(DatabaseConnectionError):
            await session.commit()
        assert await other.select_value(COUNT) == 0


async def failing_batch(session):
    await session.execute_many("INSERT INTO users (name) VALUES ($1)", [("New",), (None,)])


async def failing_script(session):
    await session.execute_script("SELECT 1; SELECT 1 / 0")


@pytest.mark.parametrize("work", [failing_batch, failing_script])
@promise("P26", stock=Breaks(pytest.fail.Exception, "DID NOT RAISE"))
async def test_commit_after_a_failed_batch_or_script_raises(adapter, session, work):
    await session.begin()
    await session.execute("INSERT INTO users (name) VALUES ('New')")
    with pytest.raises(SQLSpecError):
        await work(session)
    with pytest.raises(TransactionError):
        await session.commit()
    assert await session.select_value(COUNT) == 0


@promise("P26", stock=Breaks(SQLSpecError, "terminating connection"))
async def test_a_commit_whose_answer_was_lost_says_that_nobody_knows(adapter, config):
    async with config.provide_session() as session, config.provide_session() as other:
        await session.execute_script(
            "CREATE TABLE slow (n int); CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN PERFORM pg_sleep(20); RETURN NEW; END $$;"
            "CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION wait()"
        )
        pid = await session.select_value("SELECT pg_backend_pid()")
        await session.begin()
        await session.execute("INSERT INTO slow VALUES (1)")
        commit = asyncio.create_task(session.commit())
        await until_asleep(other, pid)
        await other.select_value("SELECT pg_terminate_backend($1, 5000)", pid)
        with pytest.raises(CommitOutcomeUnknownError):
            await commit
