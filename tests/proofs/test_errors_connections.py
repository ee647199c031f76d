"""Proofs of references/errors.md: servers that cannot be reached, values, lost connections."""

from __future__ import annotations

import asyncio
import uuid
from decimal import Decimal

import psqlpy.exceptions
import pytest
from proveskill import proves
from psqlpy import ConnRecyclingMethod
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import SQLSpecError
from watching_tools import Wire, becomes, failure, pid_of, seen, until

FIND = "SELECT name FROM users WHERE id = $1"


def name_of(error):
    return type(error).__name__


async def first_session(**connection_config):
    config = PsqlpyConfig(connection_config=connection_config)
    async with config.provide_session():
        pass
    await config.close_pool()


@proves(
    "`PsqlpyConfig(...)` checks nothing.",
    "Mistakes in it and connection failures appear at the first session, as psqlpy errors or "
    "`{other}`.",
    "Open one session at start-up:",
    adapter="stock",
)
async def test_mistakes_and_failures_appear_at_the_first_session(dsn, other: str):
    base, _, _ = dsn.rpartition("/")
    connections = (
        {"dsn": "postgresql://u:p@127.0.0.1:1/d"},
        {"dsn": f"{base}/no_such_database"},
        {"dsn": "nonsense"},
        {"dsn": dsn, "max_db_pool_size": 1},
    )
    mistakes = ({"dsn": dsn, "ssl_mode": "require"}, {"dsn": dsn, "no_such_key": 1})
    for keys in (*connections, *mistakes):
        PsqlpyConfig(connection_config=keys)
    for keys in connections:
        assert isinstance(await failure(first_session(**keys)), psqlpy.exceptions.Error)
    for keys in mistakes:
        assert name_of(await failure(first_session(**keys))) == other
    assert await failure(first_session(dsn=dsn)) is None


@proves(
    "A server that accepts the connection and never answers raises nothing: see Configuration.",
    adapter="stock",
)
async def test_a_silent_server_raises_nothing(silent):
    limit = {"connect_timeout_sec": 0, "connect_timeout_nanosec": 50_000_000}
    waiting = asyncio.create_task(first_session(dsn=silent.dsn, **limit))
    await until(lambda: silent.accepted == 1)
    done, _ = await asyncio.wait([waiting], timeout=0.1)
    assert done == set()
    waiting.cancel()
    await asyncio.wait([waiting])


@proves("psqlpy encodes each parameter for the type the server expects.")
async def test_a_value_is_encoded_for_the_servers_type(dsn):
    async with Wire(dsn) as wire:
        pool = psqlpy.ConnectionPool(dsn=wire.dsn, max_db_pool_size=2)
        async with pool.acquire() as connection:
            for kind, size in (("int2", 2), ("int4", 4), ("int8", 8)):
                before = len(wire.sent)
                await connection.fetch(f"SELECT $1::{kind}", [258])
                encoded = size.to_bytes(4) + (258).to_bytes(size)
                assert encoded in bytes(wire.sent[before:])
        pool.close()


@proves(
    "A value that does not fit raises a Python error before it is sent, or a server error about "
    "its binary format:",
    adapter="stock",
)
async def test_a_value_that_does_not_fit_fails_in_python_or_at_the_server(dsn):
    async with Wire(dsn) as wire:
        config = PsqlpyConfig(connection_config={"dsn": wire.dsn, "max_db_pool_size": 2})
        async with config.provide_session() as session:
            for query, value, kind in (
                (FIND, "a needle", TypeError),
                (FIND, 2**40, OverflowError),
                ("SELECT id FROM users WHERE name = $1", 1, TypeError),
            ):
                assert type(await failure(session.select(query, value))) is kind
            assert b"a needle" not in wire.sent
            raised = await failure(session.select(FIND, 1.5))
            assert "incorrect binary data format" in str(raised)
            assert isinstance(raised, SQLSpecError)
            assert await session.select(FIND, 1) == [{"name": "Ada"}]
        await config.close_pool()


@proves(
    "Convert at the edge of the program, where the value comes in: `int(text)`, "
    "`uuid.UUID(text)`, `Decimal(text)`."
)
async def test_converted_texts_go_in_again_and_again(session):
    key = "7d444840-9dc0-11d1-b245-5ffdce74fad2"
    for query, value in (
        (FIND, int("1")),
        ("SELECT id FROM accounts WHERE id = $1", uuid.UUID(key)),
        ("SELECT name FROM products WHERE price = $1", Decimal("19.99")),
    ):
        for _ in range(2):
            assert await failure(session.select(query, value)) is None
    assert await session.select(FIND, int("1")) == [{"name": "Ada"}]


async def terminate(dsn, session):
    pid = await pid_of(session)
    assert seen(dsn, "SELECT pg_terminate_backend(%s, 5000)", pid) == [True]
    return pid


@proves(
    "A session whose connection dies stays dead.",
    "Leave it and open a new one; the pool replaces the connection:",
)
async def test_a_dead_session_stays_dead_and_a_new_one_works(dsn, config):
    async with config.provide_session() as lost:
        pid = await terminate(dsn, lost)
        for _ in range(3):
            with pytest.raises(SQLSpecError):
                await lost.select_value("SELECT 1")
    async with config.provide_session() as session:
        assert await pid_of(session) != pid


@proves(
    "Match the message again, since `{name}` also stands for a missing privilege and for any "
    'message with the word "{word}", and `begin()` or `commit()` on a dead connection raises '
    "`{end}` itself.",
    adapter="stock",
)
async def test_classes_do_not_tell_a_lost_connection(
    dsn, session, config, name: str, word: str, end: str
):
    raised = await failure(session.select(f"SELECT * FROM my_{word}_log"))
    assert name_of(raised) == name
    await session.begin()
    await session.execute("SET LOCAL ROLE pg_monitor")
    refused = await failure(session.select("SELECT name FROM users"))
    assert type(refused).__base__.__name__ == name
    for call in ("begin", "commit"):
        async with config.provide_session() as lost:
            await terminate(dsn, lost)
            await failure(lost.select_value("SELECT 1"))
            assert name_of(await failure(getattr(lost, call)())) == end


@proves(
    "Retry only work that may run twice, since a lost COMMIT leaves open whether it took effect."
)
async def test_the_error_of_a_lost_commit_does_not_say_whether_it_took_effect(session, dsn):
    await session.execute("CREATE TABLE IF NOT EXISTS notes (id int PRIMARY KEY)")
    errors = []
    async with Wire(dsn) as wire:
        for is_delivered in (False, True):
            config = PsqlpyConfig(connection_config={"dsn": wire.dsn, "max_db_pool_size": 2})
            async with config.provide_session() as lost:
                pid = await pid_of(lost)
                await lost.begin()
                await lost.execute("INSERT INTO notes VALUES ($1)", int(is_delivered))
                wire.is_cut = not is_delivered
                wire.loses_answer = b"COMMIT\0"
                errors.append(await failure(lost.commit()))
                wire.is_cut, wire.loses_answer = False, None
            assert await becomes(dsn, pid, None) is None
            await config.close_pool()
    assert seen(dsn) == [1]
    assert [isinstance(error, SQLSpecError) for error in errors] == [True, True]
    assert repr(errors[0]) == repr(errors[1])


@proves(
    "Pause between attempts: with `{method}` recycling the pool can hand out the dead connection "
    "once more (Pooling).",
    adapter="stock",
)
async def test_the_pool_hands_out_a_dead_connection(dsn, method: str):
    async with Wire(dsn) as wire:
        keys = {"conn_recycling_method": getattr(ConnRecyclingMethod, method)}
        config = PsqlpyConfig(connection_config={"dsn": wire.dsn, "max_db_pool_size": 2, **keys})
        async with config.provide_session() as session:
            pid = await pid_of(session)
            wire.is_cut = True
            assert seen(dsn, "SELECT pg_terminate_backend(%s, 5000)", pid) == [True]
        async with config.provide_session() as session:
            assert name_of(await failure(session.execute("SELECT 1"))) == "DatabaseConnectionError"
        await config.close_pool()
