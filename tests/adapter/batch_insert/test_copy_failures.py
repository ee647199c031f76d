"""When an INSERT of parameters is a COPY, it fails, and waits for locks, as the INSERT does."""

from __future__ import annotations

import asyncio
import sys

import pytest
from fault_tools import DEADLINE
from psqlpy_adapter import copy_insert
from sqlspec.exceptions import SQLSpecError


async def until_blocked(owner):
    """Wait until another session waits for the table that the owner has locked."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 't'::regclass"
    async with asyncio.timeout(DEADLINE):
        while not await owner.select_value(waiting):
            pass  # every look is a round trip, in which the other tasks go on


@pytest.mark.parametrize(
    ("broken", "sqlstate"),
    [
        ((None, 1), "23502"),
        ((3, 1), "23505"),
        ((-1, 1), "23514"),
        ((99, 7), "23503"),
    ],
)
async def test_a_broken_constraint_is_the_error_that_an_insert_raises(
    session, copied, monkeypatch, broken, sqlstate
):
    await session.execute_script("""
        CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1);
        CREATE TABLE t (id int PRIMARY KEY CHECK (id >= 0), parent int REFERENCES parent);
    """)
    sets = [*((n, 1) for n in range(20)), broken]
    errors = []
    for least in (1, sys.maxsize):
        monkeypatch.setattr(copy_insert, "SETS", least)
        with pytest.raises(SQLSpecError) as caught:
            await session.execute_many("INSERT INTO t (id, parent) VALUES ($1, $2)", sets)
        errors.append((type(caught.value), caught.value.sqlstate))
    assert errors[0] == errors[1]
    assert errors[0][1] == sqlstate
    assert await session.select_value("SELECT count(*) FROM t") == 0
    assert copied == [None]  # the first raised


async def test_a_failure_in_a_transaction_leaves_it_to_its_owner(session, copied):
    await session.execute("CREATE TABLE t (id int PRIMARY KEY)")
    await session.begin()
    await session.execute("INSERT INTO t VALUES (100)")
    with pytest.raises(SQLSpecError):
        await session.execute_many("INSERT INTO t (id) VALUES ($1)", [(n % 19,) for n in range(20)])
    await session.rollback()
    assert await session.select_value("SELECT count(*) FROM t") == 0
    await session.execute_many("INSERT INTO t (id) VALUES ($1)", [(n,) for n in range(20)])
    assert copied == [20]


async def test_in_a_read_only_transaction_the_error_is_that_of_an_insert(session, copied):
    await session.execute_script("CREATE TABLE t (n int); CREATE TEMPORARY TABLE mine (n int)")
    await session.execute_script("BEGIN; SET TRANSACTION READ ONLY")
    sets = [(1,)] * 20
    assert (await session.execute_many("INSERT INTO mine VALUES ($1)", sets)).rows_affected == 20
    with pytest.raises(SQLSpecError) as caught:
        await session.execute_many("INSERT INTO t VALUES ($1)", sets)
    assert caught.value.sqlstate == "25006"
    await session.rollback()
    assert copied == [None, None]


async def test_a_locked_table_is_waited_for_no_longer_than_lock_timeout(session, copied, config):
    await session.execute("CREATE TABLE t (n int)")
    insert, sets = "INSERT INTO t (n) VALUES ($1)", [(n,) for n in range(20)]
    async with config.provide_session() as other:
        await other.begin()
        await other.execute("LOCK TABLE t")
        await session.execute("SET lock_timeout = '50ms'")
        with pytest.raises(SQLSpecError) as caught:
            await session.execute_many(insert, sets)
        assert caught.value.sqlstate == "55P03"
        await session.execute("RESET lock_timeout")
        waiting = asyncio.ensure_future(session.execute_many(insert, sets))
        await until_blocked(other)
        await other.commit()
        assert (await waiting).rows_affected == 20
    assert copied == [20]


async def test_a_table_that_begins_to_do_things_of_its_own_while_it_is_waited_for_is_noticed(
    session, copied, config
):
    await session.execute_script("""
        CREATE TABLE t (n int); CREATE TABLE log (n int);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN INSERT INTO log VALUES (1); RETURN NULL; END';
    """)
    async with config.provide_session() as other:
        await other.begin()
        await other.execute("CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION note()")
        insert = session.execute_many("INSERT INTO t (n) VALUES ($1)", [(n,) for n in range(20)])
        waiting = asyncio.ensure_future(insert)
        await until_blocked(other)
        await other.commit()
        await waiting
    assert copied == [None]
    assert await session.select_value("SELECT count(*) FROM log") == 20
