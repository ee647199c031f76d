"""Proofs of references/transactions.md: batches and streams."""

from __future__ import annotations

import pyarrow as pa
import pytest
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig
from transactions_tools import ADD, clear
from watching_tools import Wire, failure, seen


@pytest.fixture
async def notes(session):
    await clear(session)
    return session


@proves(
    "Inside a transaction insert many rows with one `INSERT ... SELECT FROM unnest(...)`.",
    "Pass one list per column.",
)
async def test_lists_of_columns_are_inserted_as_part_of_the_transaction(session, dsn):
    await session.execute("CREATE TABLE IF NOT EXISTS pairs (id int, kind text)")
    add = (
        "INSERT INTO pairs (id, kind) "
        "SELECT id, kind FROM unnest($1::int[], $2::text[]) AS added (id, kind)"
    )
    for end, left in ((session.rollback, []), (session.commit, ["1a", "2b", "3"])):
        await session.begin()
        added = await session.execute(add, [1, 2, 3], ["a", "b", None])
        assert added.rows_affected == 3
        assert seen(dsn, "SELECT id FROM pairs") == []
        await end()
        assert seen(dsn, "SELECT id || coalesce(kind, '') FROM pairs ORDER BY id") == left


@proves("A loop of `execute` and `load_from_arrow` stay inside your transaction too:")
async def test_loops_and_loads_stay_inside(notes, dsn):
    await notes.begin()
    for number in (1, 2):
        await notes.execute(ADD, number)
    await notes.load_from_arrow("notes", pa.table({"id": [3, 4]}))
    assert seen(dsn) == []
    assert await notes.select_value("SELECT count(*) FROM notes") == 4
    await notes.rollback()
    assert seen(dsn) == []


@proves(
    "`execute_many` commits your transaction.",
    "It sends `{begin}` and `{commit}` of its own, so everything before it is committed and "
    "`rollback()` undoes nothing.",
    adapter="stock",
)
async def test_execute_many_sends_its_own_begin_and_commit(notes, dsn, begin: str, commit: str):
    async with Wire(dsn) as wire:
        config = PsqlpyConfig(connection_config={"dsn": wire.dsn, "max_db_pool_size": 2})
        async with config.provide_session() as session:
            await session.begin()
            await session.execute(ADD, 1)
            before = len(wire.sent)
            await session.execute_many(ADD, [(2,), (3,)])
            words = bytes(wire.sent[before:])
            assert 0 <= words.find(begin.encode() + b"\0") < words.find(commit.encode() + b"\0")
            assert seen(dsn) == [1, 2, 3]
            await session.rollback()
        await config.close_pool()
    assert seen(dsn) == [1, 2, 3]


@proves(
    "When `execute_many` fails, it rolls your transaction back, and the statements after it "
    "commit one by one.",
    adapter="stock",
)
async def test_a_failing_batch_rolls_the_transaction_back(notes, dsn):
    await notes.begin()
    await notes.execute(ADD, 1)
    assert await failure(notes.execute_many(ADD, [(2,), (2,)])) is not None
    for number in (3, 4):
        await notes.execute(ADD, number)
        assert seen(dsn)[-1] == number
    await notes.rollback()
    assert seen(dsn) == [3, 4]


@proves("Outside a transaction `execute_many` is all or nothing.")
async def test_a_batch_alone_is_all_or_nothing(notes, dsn):
    assert await failure(notes.execute_many(ADD, [(1,), (2,), (1,)])) is not None
    assert seen(dsn) == []
    await notes.execute_many(ADD, [(1,), (2,)])
    assert seen(dsn) == [1, 2]


@proves(
    "Inside psqlpy's own `session.connection.transaction()`, `execute_many` stays in the "
    "transaction and is rolled back with it."
)
async def test_a_batch_inside_psqlpys_own_transaction_is_rolled_back_with_it(notes, dsn):
    async def batch_in_psqlpys_transaction():
        async with notes.connection.transaction():
            await notes.execute_many(ADD, [(1,), (2,)])
            assert seen(dsn) == []
            raise LookupError

    with pytest.raises(LookupError):
        await batch_in_psqlpys_transaction()
    assert seen(dsn) == []


@proves(
    "`select_stream` rolls back the open transaction of its session when it ends.",
    "The writes before the stream are gone, the statements after it commit one by one, and "
    "nothing is raised.",
    adapter="stock",
)
async def test_a_stream_rolls_the_transaction_back_at_its_end(notes, dsn):
    async with notes.transaction():
        await notes.execute(ADD, 1)
        async for row in notes.select_stream("SELECT id FROM notes"):
            assert row == {"id": 1}
        for number in (2, 3):
            await notes.execute(ADD, number)
            assert seen(dsn)[-1] == number
    assert seen(dsn) == [2, 3]


@proves(
    "Read the rows with `select`, stream on a session of its own, or declare a cursor in SQL and "
    "fetch from `session.connection`:"
)
async def test_rows_are_read_inside_a_transaction_in_three_other_ways(notes, config, dsn):
    async with config.provide_session() as reader, notes.transaction():
        await notes.execute(ADD, 1)
        assert await notes.select("SELECT id FROM notes") == [{"id": 1}]
        async for _ in reader.select_stream("SELECT generate_series(1, 3) AS id"):
            assert seen(dsn) == []
        await notes.execute("DECLARE found CURSOR FOR SELECT id FROM notes")
        fetched = await notes.connection.fetch("FETCH 10 FROM found", [])
        assert fetched.result() == [{"id": 1}]
        await notes.execute("CLOSE found")
        assert seen(dsn) == []
    assert seen(dsn) == [1]
