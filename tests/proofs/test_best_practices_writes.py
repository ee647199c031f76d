"""Proofs of references/best-practices.md: batches and loads, errors, sessions of tasks."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import psqlpy
import pytest
import sqlspec.exceptions
from best_practices_tools import failure
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import SQLSpecError
from watching_tools import PID, ask

ADD = "INSERT INTO kept (id, name) VALUES ($1, $2)"
COUNT = "SELECT count(*) FROM kept"


@proves("By itself, all or nothing: `{method}`.")
async def test_a_batch_is_all_or_nothing(kept, dsn, method: str):
    add = getattr(kept, method)
    with pytest.raises(SQLSpecError):
        await add(ADD, [(1, "a"), (2, "b"), (1, "c")])
    assert ask(dsn, COUNT) == 0
    await add(ADD, [(1, "a"), (2, "b")])
    assert ask(dsn, COUNT) == 2


@proves(
    "Inside a transaction: one `INSERT ... SELECT * FROM {function}(...)`. `{method}` commits the "
    "transaction around it.",
    adapter="stock",
)
async def test_bulk_inside_a_transaction(kept, dsn, function: str, method: str):
    await kept.begin()
    statement = f"INSERT INTO kept (id, name) SELECT * FROM {function}($1::int[], $2::text[])"
    await kept.execute(statement, [1, 2], ["a", "b"])
    assert await kept.select_value(COUNT) == 2
    assert ask(dsn, COUNT) == 0
    await kept.rollback()
    assert ask(dsn, COUNT) == 0
    await kept.begin()
    await kept.execute("INSERT INTO kept VALUES (9, 'before')")
    await getattr(kept, method)(ADD, [(1, "a"), (2, "b")])
    assert ask(dsn, COUNT) == 3
    await failure(kept.rollback())


@proves(
    "SQLSpec picks the class by words in the message, names and row values included, and there is "
    "no SQLSTATE.",
    "Before you act on a class, look for the server's own phrase.",
    adapter="stock",
)
async def test_words_choose_the_class(kept):
    await kept.execute("INSERT INTO kept VALUES (1, 'a')")
    real = await failure(kept.execute("INSERT INTO kept VALUES (1, 'b')"))
    named = await failure(kept.execute("SELECT 1 FROM unique_items"))
    valued = await failure(kept.execute("SELECT 'unique constraint'::int"))
    for error in (real, named, valued):
        assert type(error) is sqlspec.exceptions.UniqueViolationError
    phrase = "violates unique constraint"
    assert [phrase in str(error) for error in (real, named, valued)] == [True, False, False]
    for error in (real, real.__cause__):
        assert [name for name in dir(error) if "sqlstate" in name or "code" in name] == []
        assert "23505" not in repr(error) + str(error) + repr(getattr(error, "__dict__", None))


@proves(
    "A failure to connect is a `{error}`, not a `{other}`: catch both at the edge of the program.",
    adapter="stock",
)
async def test_failures_to_connect(dsn, session, error: str, other: str):
    config = PsqlpyConfig(connection_config={"dsn": dsn + "_typo"})

    async def connect():
        async with config.provide_session():
            pass

    ours, theirs = getattr(sqlspec.exceptions, other), psqlpy.exceptions.Error
    assert f"{theirs.__module__}.{theirs.__name__}".replace("_internal.", "") == error
    raised = await failure(connect())
    assert isinstance(raised, theirs)
    assert not isinstance(raised, ours)
    of_a_statement = await failure(session.execute("SELECT * FROM nowhere"))
    assert isinstance(of_a_statement, ours)
    assert not isinstance(of_a_statement, theirs)
    assert ours.__mro__[1] is Exception


@proves("A session is {connections} connection with {transactions} transaction.")
async def test_what_a_session_is(config, connections: int, transactions: int):
    async with config.provide_session() as session, config.provide_session() as other:
        pids = {await session.select_value(PID) for _ in range(3)}
        assert len(pids) == connections
        assert await other.select_value(PID) not in pids
        await session.begin()
        xact = "SELECT pg_current_xact_id()::text"
        assert len({await session.select_value(xact) for _ in range(3)}) == transactions
        assert await other.select_value(xact) != await session.select_value(xact)
        await session.rollback()


@proves(
    "Tasks that share it run one after another, and the rollback of one undoes what the other "
    "wrote.",
    adapter="stock",
)
async def test_tasks_that_share_a_session(kept, dsn):
    nap = "SELECT extract(epoch FROM clock_timestamp())::float8 AS at, pg_sleep(0.02)::text"
    times = await asyncio.gather(*(kept.select_value(nap.replace("AS at", f"AS a{n}"))
                                   for n in range(3)), return_exceptions=True)  # fmt: skip
    starts = sorted(times)
    assert min(late - early for early, late in pairwise(starts)) >= 0.02

    async def write():
        await kept.execute(ADD, 1, "Mary")

    await kept.begin()
    await asyncio.create_task(write())
    assert await kept.select_value(COUNT) == 1
    await kept.rollback()
    assert ask(dsn, COUNT) == 0


@proves(
    "The same goes for a stream: `{stream}` rolls back the transaction of its session when it "
    "ends, so give it a session of its own.",
    adapter="stock",
)
async def test_a_stream_rolls_back(kept, config, dsn, stream: str):
    for is_shared, rows in ((True, 0), (False, 1)):
        async with config.provide_session() as own, kept.transaction():
            await kept.execute(ADD, 1, "Mary")
            reader = kept if is_shared else own
            async for _ in getattr(reader, stream)("SELECT id FROM users"):
                pass
        assert ask(dsn, COUNT) == rows
