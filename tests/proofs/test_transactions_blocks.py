"""Proofs of references/transactions.md: blocks, begin() and commit(), errors inside."""

from __future__ import annotations

import psycopg
import pytest
from proveskill import proves
from psycopg.pq import TransactionStatus
from sqlspec.exceptions import SQLSpecError, TransactionError, UniqueViolationError
from transactions_tools import ADD, add_in_block, clear
from watching_tools import becomes, failure, pid_of, seen


@pytest.fixture
async def notes(session):
    await clear(session)
    return session


@proves("Outside a transaction every statement commits by itself.")
async def test_a_statement_outside_a_transaction_is_committed_at_once(notes, dsn):
    await notes.execute(ADD, 1)
    assert seen(dsn) == [1]
    assert await failure(notes.execute(ADD, 1)) is not None
    await notes.execute(ADD, 2)
    await notes.rollback()
    assert seen(dsn) == [1, 2]


@proves(
    "Wrap what belongs together in `session.transaction()`: a normal exit commits, an exception "
    "rolls back and propagates."
)
async def test_a_block_commits_at_its_end_and_rolls_back_on_an_exception(notes, dsn):
    async with notes.transaction():
        await notes.execute(ADD, 1)
        assert seen(dsn) == []
    assert seen(dsn) == [1]
    with pytest.raises(LookupError):
        await add_in_block(notes, 2, then=LookupError())
    assert seen(dsn) == [1]
    assert await becomes(dsn, await pid_of(notes), "idle") == "idle"


@proves(
    "A `transaction()` inside a `transaction()` is a savepoint: it undoes its own part and leaves "
    "the outer block usable."
)
async def test_a_block_in_a_block_is_a_savepoint(notes, dsn):
    async with notes.transaction():
        await notes.execute(ADD, 1)
        with pytest.raises(UniqueViolationError):
            await add_in_block(notes, 2, 1)
        await notes.execute(ADD, 3)
        assert seen(dsn) == []
    assert seen(dsn) == [1, 3]


@proves(
    "Where a block does not fit, call `begin()`, `commit()` and `rollback()`.",
    "Leaving the session without `commit()` rolls back and raises nothing.",
)
async def test_begin_is_ended_by_commit_or_rollback_or_the_end_of_the_session(notes, config, dsn):
    for number, end in ((1, notes.commit), (2, notes.rollback)):
        await notes.begin()
        await notes.execute(ADD, number)
        await end()
    assert seen(dsn) == [1]
    async with config.provide_session() as forgetful:
        pid = await pid_of(forgetful)
        await forgetful.begin()
        await forgetful.execute(ADD, 3)
    assert await becomes(dsn, pid, "idle") == "idle"
    assert seen(dsn) == [1]


@proves(
    "Do not mix the two: after `begin()`, a `transaction()` block is no savepoint.",
    "It commits everything, and `rollback()` comes too late.",
)
async def test_a_block_after_begin_commits_everything(notes, dsn):
    await notes.begin()
    await notes.execute(ADD, 1)
    async with notes.transaction():
        await notes.execute(ADD, 2)
    assert seen(dsn) == [1, 2]
    await notes.rollback()
    assert seen(dsn) == [1, 2]


@proves("A second `begin()` does nothing at all.")
async def test_a_second_begin_sends_nothing(notes, dsn):
    pid = await pid_of(notes)
    last_query = "SELECT query || query_start FROM pg_stat_activity WHERE pid = %s"
    await notes.begin()
    await notes.execute(ADD, 1)
    before = seen(dsn, last_query, pid)
    await notes.begin()
    assert seen(dsn, last_query, pid) == before
    await notes.rollback()
    assert await becomes(dsn, pid, "idle") == "idle"
    assert seen(dsn) == []


@proves("`commit()` and `rollback()` without a transaction raise nothing.")
async def test_an_end_without_a_transaction_raises_nothing(notes):
    assert await failure(notes.commit()) is None
    assert await failure(notes.rollback()) is None


@proves(
    "Let the exception leave `transaction()`.",
    "To go on after an expected error, put the risky statement into a nested `transaction()` or a "
    "savepoint.",
)
async def test_an_error_may_leave_the_block_or_be_caught_around_a_savepoint(notes, dsn):
    with pytest.raises(UniqueViolationError):
        await add_in_block(notes, 1, 1)
    async with notes.transaction():
        await notes.execute(ADD, 2)
        with pytest.raises(UniqueViolationError):
            await add_in_block(notes, 2)
        await notes.create_savepoint("before_guess")
        with pytest.raises(UniqueViolationError):
            await notes.execute(ADD, 2)
        await notes.rollback_to_savepoint("before_guess")
        await notes.execute(ADD, 3)
        await notes.release_savepoint("before_guess")
    assert seen(dsn) == [2, 3]


@proves(
    "A swallowed error loses the whole transaction, in silence.",
    "`commit()` raises nothing; neither does the exit of `transaction()`.",
    adapter="stock",
)
async def test_a_swallowed_error_loses_the_transaction_in_silence(notes, dsn):
    await notes.begin()
    await notes.execute(ADD, 1)
    assert await failure(notes.execute(ADD, 1)) is not None
    assert await failure(notes.commit()) is None
    async with notes.transaction():
        await notes.execute(ADD, 2)
        assert await failure(notes.execute(ADD, 2)) is not None
    assert seen(dsn) == []


@proves(
    "The server aborts the transaction at the first error, and turns the later COMMIT into a "
    "rollback."
)
def test_the_server_answers_the_commit_of_an_aborted_transaction_with_rollback(dsn):
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("BEGIN")
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("SELECT 1 / 0")
        assert connection.info.transaction_status == TransactionStatus.INERROR
        assert connection.execute("COMMIT").statusmessage == "ROLLBACK"


@proves("Until the rollback every further statement fails, whatever it is:")
async def test_every_statement_of_an_aborted_transaction_fails(notes, dsn):
    await notes.begin()
    assert await failure(notes.execute("SELECT 1 / 0")) is not None
    for statement in ("SELECT 1", "INSERT INTO notes VALUES (1)", "SHOW work_mem", "SAVEPOINT a"):
        assert "current transaction is aborted" in str(await failure(notes.execute(statement)))
    await notes.rollback()
    assert await notes.select_value("SELECT 1") == 1


@proves("`create_savepoint()` needs a transaction.")
async def test_a_savepoint_needs_a_transaction(notes):
    with pytest.raises(SQLSpecError, match="can only be used in transaction blocks"):
        await notes.create_savepoint("alone")
    async with notes.transaction():
        assert await failure(notes.create_savepoint("inside")) is None


@proves(
    "On the drop-in batches and streams stay inside, and a commit that commits nothing raises.",
    "With `dropin`, a session of the drop-in, `execute_many` is part of the transaction:",
    "With `dropin`, a session of the drop-in, a stream may be read inside it:",
    "With `dropin`, a session of the drop-in, the swallowed error shows at the commit:",
)
async def test_the_dropin_keeps_batches_and_streams_inside_and_tells_what_was_lost(dropin, dsn):
    await clear(dropin)
    await dropin.begin()
    await dropin.execute_many(ADD, [(1,), (2,)])
    async with dropin.select_stream("SELECT id FROM notes ORDER BY id") as stream:
        assert [row["id"] async for row in stream] == [1, 2]
    await dropin.execute(ADD, 3)
    assert seen(dsn) == []
    await dropin.rollback()
    assert seen(dsn) == []
    await dropin.begin()
    await dropin.execute(ADD, 4)
    assert await failure(dropin.execute("SELECT 1/0")) is not None
    with pytest.raises(TransactionError, match="Nothing was committed"):
        await dropin.commit()
    assert seen(dsn) == []
