"""A batch in one statement: its order, its bounds, and what is left when it fails."""

from __future__ import annotations

import asyncio

import pytest
from psqlpy_adapter import batch_columns
from psqlpy_adapter.batches import in_block
from psqlpy_adapter.copying import source
from sqlspec.exceptions import DataError, SQLSpecError


@pytest.mark.parametrize(
    "special",
    [
        "CREATE RULE r AS ON INSERT TO t DO ALSO INSERT INTO log VALUES (1)",
        "CREATE TRIGGER g BEFORE INSERT ON t EXECUTE FUNCTION touch()",
        "ALTER TABLE t ADD parent int REFERENCES t (id)",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE t ALTER note SET DEFAULT newest()",
        "ALTER TABLE t ADD CHECK (newest() IS NOT NULL)",
        "ALTER TABLE t RENAME TO base; CREATE VIEW t AS SELECT * FROM base",
    ],
)
async def test_a_table_that_does_things_of_its_own_gets_single_statements(
    session, way, seen, special
):
    await session.execute_script("""
        CREATE TABLE t (id int PRIMARY KEY, note text); CREATE TABLE log (n int);
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE FUNCTION newest() RETURNS text STABLE LANGUAGE sql
        AS 'SELECT coalesce(max(id), 0)::text FROM t';
    """)
    await session.execute_script(special)
    await session.execute_many("INSERT INTO t (id) VALUES ($1)", [(n,) for n in range(20)])
    assert seen == [False]
    assert await session.select_value("SELECT count(*) FROM t") == 20


async def test_a_partitioned_table_and_serial_columns_take_rows_in_order(session, seen):
    await session.execute_script("""
        CREATE TABLE t (n int, id serial) PARTITION BY LIST (n);
        CREATE TABLE odd PARTITION OF t FOR VALUES IN (1);
        CREATE TABLE even PARTITION OF t DEFAULT;
    """)
    sets = [(n % 2,) for n in range(1_000)]
    result = await session.execute_many("INSERT INTO t (n) VALUES ($1) RETURNING n, id", sets)
    assert seen == [True]
    assert result.all() == [{"n": n, "id": id_} for id_, (n,) in enumerate(sets, 1)]


async def test_long_batches_are_sent_in_bounded_messages(session, way, seen, monkeypatch):
    monkeypatch.setattr(batch_columns, "BYTES", 10_000)
    monkeypatch.setattr(source, "SLICE_BYTES", 10_000)
    await session.execute("CREATE TABLE t (n int, v text)")
    sets = [(n, "x" * (n % 300)) for n in range(2_000)]
    insert = "INSERT INTO t (n, v) VALUES ($1, $2)"
    result = await session.execute_many(insert, [*sets, (2_000, "y" * 50_000)])
    assert seen == [True]
    assert result.rows_affected == 2_001
    assert await session.select_value("SELECT sum(length(v)) FROM t WHERE n < 2000") == sum(
        len(text) for _, text in sets
    )


async def test_a_failing_message_takes_the_whole_batch_with_it(session, way, monkeypatch):
    monkeypatch.setattr(batch_columns, "BYTES", 10_000)
    monkeypatch.setattr(source, "SLICE_BYTES", 10_000)
    await session.execute("CREATE TABLE t (n int PRIMARY KEY, v text)")
    sets = [(n, "x" * 100) for n in range(2_000)]
    with pytest.raises(SQLSpecError):
        await session.execute_many("INSERT INTO t (n, v) VALUES ($1, $2)", [*sets, (3, "")])
    assert await session.select_value("SELECT count(*) FROM t") == 0


async def test_a_returning_batch_survives_a_change_of_its_table(session):
    await session.execute("CREATE TABLE t (n int)")
    insert = "INSERT INTO t (n) VALUES ($1) RETURNING *"
    sets = [(n,) for n in range(20)]
    await session.execute_many(insert, sets)
    await session.execute("ALTER TABLE t ADD extra int DEFAULT 3")
    result = await session.execute_many(insert, sets)
    assert result.all() == [{"n": n, "extra": 3} for n in range(20)]


@pytest.mark.parametrize(
    "statement", ["INSERT INTO t (n) VALUES ($1)", "DELETE FROM t WHERE n = $1"]
)
@pytest.mark.parametrize("delay", [0, 0.001, 0.005, 0.02])
async def test_a_cancelled_batch_leaves_nothing_and_a_usable_session(
    session, way, statement, delay
):
    await session.execute_script("CREATE TABLE t (n int); INSERT INTO t VALUES (-1), (5)")
    sets = [(n,) for n in range(5_000)]
    task = asyncio.ensure_future(session.execute_many(statement, sets))
    await asyncio.sleep(delay)
    task.cancel()
    (outcome,) = await asyncio.gather(task, return_exceptions=True)
    kept = await session.select_value("SELECT count(*) FROM t")
    if isinstance(outcome, asyncio.CancelledError):
        assert kept == 2
    else:
        assert kept == 2 + outcome.rows_affected * (1 if "INSERT" in statement else -1)
    assert session.lane.idle
    assert not await in_block(session)


async def test_a_cancelled_batch_in_a_transaction_leaves_it_to_its_owner(session):
    await session.execute("CREATE TABLE t (n int)")
    await session.begin()
    task = asyncio.ensure_future(
        session.execute_many("INSERT INTO t (n) SELECT $1 FROM pg_sleep(0.01)", [(1,)] * 1_000)
    )
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await session.rollback()
    assert await session.select_value("SELECT count(*) FROM t") == 0


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("text", "x", "a\0b"),
        ("text", "x", "\ud800"),
        ("int", "7", "7\0"),
        ("int", "7", "\ud800"),
        ("float4", 0.5, 1e39),
    ],
)
@pytest.mark.parametrize("at", [0, 19])
async def test_a_set_that_does_not_fit_is_named_and_nothing_is_sent(
    session, way, name, good, bad, at
):
    await session.execute(f"CREATE TABLE t (v {name})")
    sets = [(good,)] * 20
    sets[at] = (bad,)
    await session.begin()
    with pytest.raises(DataError, match=rf"^parameter set {at}: parameter \$1: "):
        await session.execute_many("INSERT INTO t (v) VALUES ($1)", sets)
    assert await session.select_value("SELECT count(*) FROM t") == 0  # the transaction goes on
    await session.rollback()
