"""Proofs of references/transactions.md: conflicts, retries, deadlocks."""

from __future__ import annotations

import asyncio
from time import monotonic

import pytest
from proveskill import proves
from sqlspec.exceptions import SQLSpecError
from watching_tools import failure, seen

SERIALIZABLE = "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"


@pytest.fixture
async def pairs(session):
    """Two rows of numbers, 0 at first."""
    await session.execute("CREATE TABLE IF NOT EXISTS pairs (id int PRIMARY KEY, n int)")
    await session.execute("DELETE FROM pairs")
    await session.execute("INSERT INTO pairs VALUES (1, 0), (2, 0)")
    return session


async def lose_update(session, other, level):
    """Read, let another session write, write: return what comes of that."""
    await session.begin()
    await session.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
    await session.select_value("SELECT n FROM pairs WHERE id = 1")
    await other.execute("UPDATE pairs SET n = n + 1 WHERE id = 1")
    raised = await failure(session.execute("UPDATE pairs SET n = n + 1 WHERE id = 1"))
    await session.rollback()
    return raised


async def skew(session, other):
    """Two serializable transactions that each write what the other has read."""
    for s in (session, other):
        await s.begin()
        await s.execute(SERIALIZABLE)
        await s.select_value("SELECT sum(n) FROM pairs")
    await session.execute("UPDATE pairs SET n = n + 1 WHERE id = 1")
    await other.execute("UPDATE pairs SET n = n + 1 WHERE id = 2")
    await session.commit()
    return await failure(other.commit())


async def cross(config, level="READ COMMITTED", wait="20ms"):
    """Two transactions lock two rows in opposite order: return what comes of each."""
    one_row_each = asyncio.Barrier(2)

    async def lock(first, second):
        async with config.provide_session() as session, session.transaction():
            await session.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
            await session.execute(f"SET LOCAL deadlock_timeout = '{wait}'")
            for row in (first, second):
                await session.execute("UPDATE pairs SET n = n + $1 WHERE id = $2", first, row)
                if row == first:
                    await one_row_each.wait()

    return await asyncio.gather(failure(lock(1, 2)), failure(lock(2, 1)))


@proves(
    "`{first}` and `{second}` transactions can fail because of what another session wrote, and "
    "two transactions of any level can deadlock."
)
async def test_conflicts_by_level(pairs, other, config, first: str, second: str):
    assert {first, second} == {"SERIALIZABLE", "REPEATABLE READ"}
    for level in (first, second):
        raised = await lose_update(pairs, other, level)
        assert "could not serialize access due to concurrent update" in str(raised)
    assert await lose_update(pairs, other, "READ COMMITTED") is None
    for level in ("READ COMMITTED", first, second):
        outcomes = await cross(config, level)
        assert "deadlock detected" in " ".join(map(str, outcomes))


def is_conflict(error):
    _, _, message = str(error.__cause__ or error).partition("db error: ERROR: ")
    return message.startswith(("could not serialize access", "deadlock detected"))


async def serializable(config, work, attempts=5):
    for attempt in range(1, attempts + 1):
        try:
            async with config.provide_session() as session, session.transaction():
                await session.execute(SERIALIZABLE)
                return await work(session)
        except SQLSpecError as error:
            if attempt == attempts or not is_conflict(error):
                raise
    return None


@proves(
    "Repeat the whole transaction, reads included, in a loop outside `transaction()`.",
    "`work` runs more than once, so it must do nothing but SQL.",
    "Here a conflict comes on the first attempt, and the second one reads again:",
)
async def test_the_whole_transaction_is_repeated_with_its_reads(pairs, config, dsn):
    found = []
    again = None

    async def work(session):
        nonlocal again
        found.append(await session.select_value("SELECT n FROM pairs WHERE id = 1"))
        if len(found) == 1:
            await pairs.execute("UPDATE pairs SET n = 10 WHERE id = 1")
        update = session.execute("UPDATE pairs SET n = $1 WHERE id = 1", found[-1] + 1)
        if (error := await failure(update)) is not None:
            again = await failure(session.execute("SELECT 1"))
            raise error

    await serializable(config, work)
    assert "current transaction is aborted" in str(again)
    assert found == [0, 10]
    assert seen(dsn, "SELECT n FROM pairs WHERE id = 1") == [11]


@proves("A conflict found at COMMIT is a plain `{at_commit}`, not `{elsewhere}`.", adapter="stock")
async def test_a_conflict_at_commit_is_plain(pairs, other, at_commit: str, elsewhere: str):
    raised = await skew(pairs, other)
    assert "could not serialize access" in str(raised)
    assert type(raised).__name__ == at_commit
    assert type(await lose_update(pairs, other, "SERIALIZABLE")).__name__ == elsewhere


@proves(
    "And `{serialization}` or `{deadlock}` may stand for another error whose text holds such a "
    "word, a table name or a row value included: see Errors.",
    "That is why `is_conflict` reads the server's own message.",
    adapter="stock",
)
async def test_words_of_a_message_choose_the_class_of_a_conflict(
    pairs, other, config, serialization: str, deadlock: str
):
    for text, name in (("could not serialize", serialization), ("deadlock", deadlock)):
        for query in (f'SELECT * FROM "{text}"', f"SELECT '{text}'::int"):
            raised = await failure(pairs.execute(query))
            assert type(raised).__name__ == name
            assert not is_conflict(raised)
    conflicts = [await skew(pairs, other), await lose_update(pairs, other, "SERIALIZABLE")]
    conflicts += [error for error in await cross(config) if error is not None]
    assert [is_conflict(error) for error in conflicts] == [True, True, True]


@proves("Found at a statement it is a `{name}`:")
async def test_a_conflict_at_a_statement_has_its_class(pairs, other, name: str):
    assert type(await lose_update(pairs, other, "REPEATABLE READ")).__name__ == name


@proves("Lock rows in one order everywhere, for example `ORDER BY id FOR UPDATE` at the start.")
async def test_rows_locked_in_one_order_never_deadlock(pairs, config, dsn):
    lock = "SELECT id FROM pairs WHERE id = ANY($1) ORDER BY id FOR UPDATE"

    async def touch(*ids):
        async with config.provide_session() as session, session.transaction():
            await session.execute("SET LOCAL deadlock_timeout = '5ms'")
            assert await session.select(lock, (list(ids),)) == [{"id": 1}, {"id": 2}]
            for row in ids:
                await session.execute("UPDATE pairs SET n = n + 1 WHERE id = $1", row)

    await asyncio.gather(*(touch(1, 2) if n % 2 else touch(2, 1) for n in range(8)))
    assert seen(dsn, "SELECT n FROM pairs") == [8, 8]


@proves(
    "Two transactions that lock the same rows in opposite order: the server ends one with "
    "`{name}` after `{setting}` ({seconds} s by default), and the other goes on.",
    "The victim's transaction is rolled back: repeat it whole, as for any other conflict.",
)
async def test_one_of_two_crossing_transactions_is_ended(
    pairs, config, dsn, name: str, setting: str, seconds: int
):
    default = "SELECT boot_val::int FROM pg_settings WHERE unit = 'ms' AND name = %s"
    assert seen(dsn, default, setting) == [seconds * 1000]
    begun = monotonic()
    outcomes = await cross(config, wait="60ms")
    assert monotonic() - begun >= 0.06
    assert sorted(type(outcome).__name__ for outcome in outcomes) == sorted([name, "NoneType"])
    winner = outcomes.index(None) + 1
    assert seen(dsn, "SELECT n FROM pairs ORDER BY id") == [winner, winner]
