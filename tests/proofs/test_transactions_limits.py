"""Proofs of references/transactions.md: settings, limits, queues."""

from __future__ import annotations

import asyncio
from time import monotonic

import psycopg
import pytest
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import SQLSpecError
from watching_tools import becomes, failure, pid_of, seen

HELD = "SELECT id FROM jobs WHERE id = 1 FOR UPDATE"


@pytest.fixture
async def jobs(session):
    """Two new jobs."""
    await session.execute("CREATE TABLE IF NOT EXISTS jobs (id int PRIMARY KEY, kind text)")
    await session.execute("DELETE FROM jobs")
    await session.execute("INSERT INTO jobs VALUES (1, 'new'), (2, 'new')")
    return session


@proves("`SET LOCAL` in a transaction ends with it.")
async def test_a_local_setting_ends_with_the_transaction(session):
    for end in (session.commit, session.rollback):
        await session.begin()
        await session.execute("SET LOCAL work_mem = '64MB'")
        assert await session.select_value("SHOW work_mem") == "64MB"
        await end()
        assert await session.select_value("SHOW work_mem") == "4MB"


@proves(
    "For a value from a variable use `set_config(name, value, true)`.",
    "Name and value must be `{kind}`.",
)
async def test_a_local_setting_takes_its_value_from_a_variable(session, kind: str):
    values = {"str": ("work_mem", "64MB"), "int": (5, 64)}
    async with session.transaction():
        await session.execute("SELECT set_config($1, $2, true)", *values[kind])
        assert await session.select_value("SHOW work_mem") == "64MB"
    assert await session.select_value("SHOW work_mem") == "4MB"
    assert "syntax error" in str(await failure(session.execute("SET LOCAL work_mem = $1", "64MB")))
    for name, value in ((5, "64MB"), ("work_mem", 64)):
        with pytest.raises((TypeError, SQLSpecError)):
            await session.execute("SELECT set_config($1, $2, true)", name, value)


@proves("Outside a transaction `SET LOCAL` does nothing, without an error:")
async def test_a_local_setting_outside_a_transaction_is_lost(session):
    assert await failure(session.execute("SET LOCAL work_mem = '64MB'")) is None
    assert await session.select_value("SHOW work_mem") == "4MB"


@proves(
    "Plain `SET` outlives your session: the connection goes back to the pool with it, and the "
    "next session inherits it.",
    "A commit keeps it too.",
)
async def test_a_plain_setting_is_inherited_by_the_next_session(config):
    async with config.provide_session() as first:
        pid = await pid_of(first)
        async with first.transaction():
            await first.execute("SET work_mem = '64MB'")
        assert await first.select_value("SHOW work_mem") == "64MB"
    async with config.provide_session() as second:
        assert await pid_of(second) == pid
        assert await second.select_value("SHOW work_mem") == "64MB"


@proves("Settings for every session belong in `{key}`, see Pooling.")
@proves("Limits for every statement of a program belong in `{key}`, see Configuration.")
async def test_options_set_every_session(dsn, key: str):
    settings = "-c work_mem=5MB -c statement_timeout=150"
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2, key: settings})
    async with config.provide_session() as first, config.provide_session() as second:
        for session in (first, second):
            assert await session.select_value("SHOW work_mem") == "5MB"
        slow = [failure(session.execute("SELECT pg_sleep(5)")) for session in (first, second)]
        for raised in await asyncio.gather(*slow):
            assert "due to statement timeout" in str(raised)
    await config.close_pool()


@proves(
    "Set `{statement}` and `{lock}` with `SET LOCAL`.",
    "Both end in `{name}`; `str(error)` says which.",
)
async def test_statements_and_lock_waits_are_limited(
    jobs, other, statement: str, lock: str, name: str
):
    await other.begin()
    await other.execute(HELD)
    for setting, query, message in (
        (statement, "SELECT pg_sleep(5)", "due to statement timeout"),
        (lock, HELD, "due to lock timeout"),
    ):
        await jobs.begin()
        await jobs.execute(f"SET LOCAL {setting} = '20ms'")
        raised = await failure(jobs.execute(query))
        assert (type(raised).__name__, message in str(raised)) == (name, True)
        await jobs.rollback()
        assert await jobs.select_value(f"SHOW {setting}") == "0"


@proves("`{word}` waits not at all:")
async def test_nowait_fails_at_once(jobs, other, word: str):
    await other.begin()
    await other.execute(HELD)
    begun = monotonic()
    async with asyncio.timeout(5):
        raised = await failure(jobs.execute(f"{HELD} {word}"))
    assert "could not obtain lock on row" in str(raised)
    assert monotonic() - begun < 1


async def idle_too_long(config, dsn, limit="10ms"):
    """Begin in a session, hold the lock, wait until the server ends it; yield from in between."""
    async with config.provide_session() as slow:
        pid = await pid_of(slow)
        await slow.begin()
        await slow.execute(HELD)
        await slow.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{limit}'")
        yield slow
        await becomes(dsn, pid, None)
        yield slow


@proves(
    "A transaction that waits for something outside the database holds its locks.",
    "The session is dead; the pool replaces its connection.",
)
async def test_an_idle_transaction_holds_its_locks_until_it_is_ended(jobs, dsn, config):
    steps = idle_too_long(config, dsn, "200ms")
    slow = await anext(steps)
    pid = await pid_of(slow)
    assert "could not obtain lock" in str(await failure(jobs.execute(f"{HELD} NOWAIT")))
    await anext(steps)
    assert await jobs.select(f"{HELD} NOWAIT") == [{"id": 1}]
    for _ in range(2):
        with pytest.raises(SQLSpecError):
            await slow.execute("SELECT 1")
    assert await anext(steps, None) is None
    async with config.provide_session() as fresh:
        assert await pid_of(fresh) not in (pid, await pid_of(jobs))


@proves(
    "`idle_in_transaction_session_timeout` ends it: the next statement fails with `{statement}`, "
    "and `commit()` and the exit of `transaction()` with a plain `{end}`.",
    adapter="stock",
)
async def test_an_ended_session_fails_with_two_classes(jobs, dsn, config, statement: str, end: str):
    steps = idle_too_long(config, dsn)
    await anext(steps)
    slow = await anext(steps)
    assert type(await failure(slow.execute("SELECT 1"))).__name__ == statement
    assert type(await failure(slow.commit())).__name__ == end
    await failure(anext(steps))

    async def block():
        async with config.provide_session() as session, session.transaction():
            pid = await pid_of(session)
            await session.execute("SET LOCAL idle_in_transaction_session_timeout = '10ms'")
            assert await becomes(dsn, pid, None) is None

    assert type(await failure(block())).__name__ == end


CLAIM = """
    UPDATE jobs SET kind = 'claimed'
    WHERE id = (SELECT id FROM jobs WHERE kind = $1 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id
"""
NEXT = "SELECT id FROM jobs WHERE kind = $1 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"


@proves("One statement claims a row, skips rows that others hold, and commits:")
async def test_a_claim_skips_rows_that_others_hold(jobs, other, dsn):
    await other.begin()
    await other.execute(HELD)
    assert await jobs.select_value_or_none(CLAIM, "new") == 2
    assert seen(dsn, "SELECT id FROM jobs WHERE kind = 'claimed'") == [2]
    assert await jobs.select_value_or_none(CLAIM, "new") is None


@proves(
    "To give the row back when the worker dies, keep the lock while you work: "
    "`SELECT ... FOR UPDATE SKIP LOCKED` and the final `UPDATE` in one `transaction()`."
)
async def test_a_row_is_given_back_when_its_worker_dies(jobs, other, dsn):
    worker = psycopg.connect(dsn)
    assert worker.execute(NEXT.replace("$1", "'new'")).fetchone() == (1,)
    worker.execute("UPDATE jobs SET kind = 'done' WHERE id = 1")
    async with other.transaction():
        assert await other.select_value(NEXT, "new") == 2
    assert seen(dsn, "SELECT pg_terminate_backend(%s, 5000)", worker.info.backend_pid) == [True]
    worker.close()
    async with other.transaction():
        assert await other.select_value(NEXT, "new") == 1
        await other.execute("UPDATE jobs SET kind = 'done' WHERE id = 1")
    assert seen(dsn, "SELECT id FROM jobs WHERE kind = 'done'") == [1]


@proves("Without a transaction the lock ends with the SELECT, and both workers get the same row:")
async def test_a_lock_outside_a_transaction_ends_with_its_statement(jobs, other):
    assert [await s.select_value(NEXT, "new") for s in (jobs, other)] == [1, 1]
