"""A transaction ends by whatever text ends it."""

from __future__ import annotations

import pytest
from ends_tools import ADD, fail_inside, stored
from sqlspec.exceptions import IntegrityError, SQLSpecError, TransactionError

ENDS = ["COMMIT", "END", "COMMIT WORK", "end transaction", "COMMIT AND NO CHAIN", "/* c */ commit;"]
UNDOES = ["ROLLBACK", "ABORT", "ROLLBACK WORK", "abort transaction"]


@pytest.mark.parametrize("end", [*ENDS, *UNDOES])
async def test_a_transaction_after_one_that_was_ended_by_text_is_one_of_its_own(
    session, observer, end
):
    await session.begin()
    await session.execute(ADD, 1)
    await session.execute(end)
    await fail_inside(session, 2)
    assert await stored(observer) == ([0, 1] if end in ENDS else [0])


async def test_a_transaction_after_a_script_that_ended_one_is_one_of_its_own(session, observer):
    await session.begin()
    await session.execute_script("INSERT INTO notes VALUES (1); COMMIT;")
    await fail_inside(session, 2)
    assert await stored(observer) == [0, 1]


async def test_a_new_write_after_a_commit_as_text_needs_no_transaction(session, observer):
    await session.begin()
    await session.execute("COMMIT")
    await session.execute("UPDATE notes SET id = $1 WHERE id = $2", (5, 0))
    assert await stored(observer) == [5]


@pytest.mark.parametrize("end", ["COMMIT AND CHAIN", "ROLLBACK WORK AND CHAIN"])
async def test_a_chained_transaction_is_open(session, observer, end):
    await session.begin()
    await session.execute(ADD, 1)
    await session.execute(end)
    await session.execute(ADD, 2)
    await session.execute_many(ADD, [(3,), (4,)])
    await session.rollback()
    assert await stored(observer) == ([0, 1] if end.startswith("COMMIT") else [0])


@pytest.mark.parametrize("text", ["BEGIN", "START TRANSACTION", "begin work"])
async def test_begin_joins_a_transaction_that_was_begun_by_text(session, observer, text):
    await session.execute(text)
    await session.execute(ADD, 1)
    await session.begin()
    with pytest.raises(TransactionError):
        await session.begin(isolation_level="serializable")
    await session.rollback()
    assert await stored(observer) == [0]


async def test_going_back_to_a_savepoint_by_text_leaves_the_transaction_open(session, observer):
    await session.begin()
    await session.execute(ADD, 1)
    await session.execute("SAVEPOINT here")
    await session.execute("ROLLBACK WORK TO SAVEPOINT here")
    await session.begin()
    await session.rollback()
    assert await stored(observer) == [0]


async def test_a_commit_as_text_that_fails_ends_the_transaction(session, observer):
    await session.execute_script(
        "ALTER TABLE notes ADD CONSTRAINT once UNIQUE (id) DEFERRABLE INITIALLY DEFERRED"
    )
    await session.begin()
    await session.execute_many(ADD, [(1,), (1,)])
    with pytest.raises(IntegrityError):
        await session.execute("COMMIT")
    await fail_inside(session, 2)
    assert await stored(observer) == [0]


async def test_a_block_inside_one_that_was_ended_by_text_is_a_transaction(session, observer):
    async with session.transaction():
        await session.execute("COMMIT")
        await fail_inside(session, 1)
        await session.execute_many(ADD, [(2,), (3,)])
    assert await stored(observer) == [0, 2, 3]


async def test_a_rollback_that_the_server_refuses_costs_the_connection(session):
    """Nobody knows then whether the transaction is open."""
    await session.begin()
    session._rollback_statement = lambda: session.connection.execute_batch("no statement")
    with pytest.raises(SQLSpecError):
        await session.rollback()
    with pytest.raises(SQLSpecError, match="connection is lost"):
        await session.execute(ADD, 1)


FAILED_ENDS = ["COMMIT", "END WORK", "/* c */ commit; -- d", "COMMIT AND CHAIN"]


@pytest.mark.parametrize("end", [*FAILED_ENDS, "PREPARE TRANSACTION 'two_phases'"])
@pytest.mark.parametrize("way", ["execute", "execute_script"])
async def test_a_commit_as_text_after_an_error_raises(session, observer, way, end):
    await session.execute("BEGIN")
    await session.execute(ADD, 1)
    with pytest.raises(SQLSpecError):
        await session.execute("SELECT 1 / 0")
    with pytest.raises(TransactionError, match="Nothing was committed"):
        await getattr(session, way)(end)
    await session.execute(ADD, 2)
    assert await stored(observer) == [0, 2]
