"""Proofs of references/transactions.md: scripts, and BEGIN as SQL."""

from __future__ import annotations

import psqlpy
import pytest
import sqlspec.exceptions
from proveskill import proves
from psqlpy import ConnRecyclingMethod
from sqlspec.adapters.psqlpy import PsqlpyConfig
from transactions_tools import ADD, clear
from watching_tools import becomes, failure, pid_of, seen, state


@pytest.fixture
async def notes(session):
    await clear(session)
    return session


TWICE = "INSERT INTO notes VALUES (1); INSERT INTO notes VALUES (1)"


@proves("`execute_script` commits statement by statement.", "Put it into `transaction()`.")
async def test_a_script_leaves_what_ran_before_its_error_unless_it_is_in_a_block(notes, dsn):
    with pytest.raises(sqlspec.exceptions.UniqueViolationError):
        async with notes.transaction():
            await notes.execute_script(TWICE)
    assert seen(dsn) == []
    assert await failure(notes.execute_script(TWICE)) is not None
    assert seen(dsn) == [1]


MULTIPLE = "cannot insert multiple commands into a prepared statement"


@proves("`execute` takes one statement:")
async def test_execute_takes_one_statement(notes, dsn):
    assert MULTIPLE in str(await failure(notes.execute(TWICE)))
    assert seen(dsn) == []


@proves(
    "`execute_script` does not split after the word `{word}`: `ON CONFLICT {same} ...` or a "
    "`{block}` block followed by another statement fails with the same message.",
    adapter="stock",
)
async def test_a_script_is_not_split_after_do(notes, dsn, word: str, same: str, block: str):
    texts = {
        "UPDATE": "UPDATE notes SET id = 2; INSERT INTO notes VALUES (1)",
        "DO": "INSERT INTO notes VALUES (1) ON CONFLICT DO NOTHING; INSERT INTO notes VALUES (2)",
        "DO block": "DO $$ BEGIN NULL; END $$; INSERT INTO notes VALUES (1)",
    }
    for text in (texts[word], texts[same], texts[f"{block} block"]):
        assert MULTIPLE in str(await failure(notes.execute_script(text)))
    assert seen(dsn) == []
    await notes.execute_script(texts["UPDATE"])
    assert seen(dsn) == [1]


@proves(
    "For such a script use `session.connection.execute_batch`, which sends the text as it is; its "
    "errors are psqlpy's own."
)
async def test_execute_batch_sends_the_text_as_it_is(notes, dsn):
    await notes.execute("CREATE TABLE IF NOT EXISTS texts (sent text)")
    text = (
        "INSERT INTO texts VALUES (1) ON CONFLICT DO NOTHING;"
        " DO $$ BEGIN NULL; END $$;  INSERT INTO texts SELECT current_query() -- the end"
    )
    await notes.connection.execute_batch(text)
    assert seen(dsn, "SELECT sent FROM texts") == ["1", text]
    with pytest.raises(psqlpy.exceptions.Error) as caught:
        await notes.connection.execute_batch(TWICE)
    assert not isinstance(caught.value, sqlspec.exceptions.SQLSpecError)


@proves(
    "Function bodies in `$$` are split rightly, those in `BEGIN ATOMIC` are not:", adapter="stock"
)
async def test_bodies_in_dollars_are_split_rightly_and_atomic_ones_are_not(session, dsn):
    head = "CREATE FUNCTION {} RETURNS int LANGUAGE sql "
    await session.execute_script(head.format("one()") + "AS $$ SELECT 0; SELECT 1 $$; SELECT one()")
    assert seen(dsn, "SELECT one()") == [1]
    atomic = head.format("two()") + "BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT two()"
    assert "syntax error at end of input" in str(await failure(session.execute_script(atomic)))
    await session.connection.execute_batch(atomic)
    assert seen(dsn, "SELECT two()") == [2]


async def leave_open(dsn, method, careless):
    """Let a session leave with a transaction open; return its pid and a config on the pool."""
    config = PsqlpyConfig(
        connection_config={"dsn": dsn, "max_db_pool_size": 2, "conn_recycling_method": method}
    )
    async with config.provide_session() as session:
        pid = await pid_of(session)
        await careless(session)
    return pid, config


async def send_begin(session):
    await session.execute("BEGIN")


async def send_script(session):
    await failure(session.execute_script("BEGIN; SELECT 1 / 0; COMMIT"))


@proves(
    'The session does not know of a transaction that you open with `execute("BEGIN")`, so its '
    "exit does not end it.",
    "The connection returns to the pool inside the open transaction.",
    "The next session writes into it, and its writes are not committed.",
    adapter="stock",
)
async def test_a_begin_as_sql_swallows_the_writes_of_the_next_session(notes, dsn):
    pid, config = await leave_open(dsn, ConnRecyclingMethod.Fast, send_begin)
    assert await becomes(dsn, pid, "idle in transaction") == "idle in transaction"
    async with config.provide_session() as innocent:
        assert await pid_of(innocent) == pid
        await innocent.execute(ADD, 1)
        assert await innocent.select("SELECT id FROM notes") == [{"id": 1}]
    assert seen(dsn) == []
    await config.close_pool()
    assert seen(dsn) == []


@proves("`connection.in_transaction()` does not see it either.", "Ask the server:")
async def test_only_the_server_knows_of_a_begin_as_sql(session, dsn):
    await send_begin(session)
    assert await session.connection.in_transaction() is False
    assert await becomes(dsn, await pid_of(session), "idle in transaction") == "idle in transaction"
    await session.rollback()
    assert await becomes(dsn, await pid_of(session), "idle") == "idle"


@proves(
    "A script that holds `BEGIN; ...; COMMIT` and fails in between leaves an aborted transaction: "
    "with `{fast}` and `{verified}` recycling every statement of the next session fails, with "
    "`{clean}` the connection is replaced.",
    adapter="stock",
)
async def test_a_failed_script_leaves_an_aborted_transaction(
    dsn, fast: str, verified: str, clean: str
):
    async def next_session(method):
        pid, config = await leave_open(dsn, getattr(ConnRecyclingMethod, method), send_script)
        left = await becomes(dsn, pid, "idle in transaction (aborted)")
        async with config.provide_session() as session:
            failures = [
                str(await failure(session.execute(text))) for text in ("SELECT 1", "SHOW work_mem")
            ]
        is_kept = state(dsn, pid) is not None
        await config.close_pool()
        return left, failures, is_kept

    for method in (fast, verified):
        left, failures, is_kept = await next_session(method)
        assert left == "idle in transaction (aborted)"
        assert is_kept
        assert all("current transaction is aborted" in text for text in failures)
    left, failures, is_kept = await next_session(clean)
    assert (left, failures[0], is_kept) == ("idle in transaction (aborted)", "None", False)


@proves("No recycling method ends an open transaction that has not failed.", adapter="stock")
async def test_no_recycling_method_ends_a_transaction_begun_as_sql(dsn):
    methods = [name for name in dir(ConnRecyclingMethod) if name[0].isupper()]
    assert len(methods) == 3
    for method in methods:
        pid, config = await leave_open(dsn, getattr(ConnRecyclingMethod, method), send_begin)
        async with config.provide_session() as session:
            assert await pid_of(session) == pid
            assert await becomes(dsn, pid, "idle in transaction") == "idle in transaction"
        await config.close_pool()
