"""Cancelled at any of its awaits, under compiled callers, every operation ends as asyncio's do.

SQLSpec is compiled by mypyc, whose coroutines hand a cancellation on as `throw(type, value, None)`.
psqlpy's take one argument; a TypeError comes out instead of the CancelledError, and mypyc's frames
crash the interpreter on that exchange. So none of psqlpy's awaitables may be awaited as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator
from typing import Any

import psqlpy_adapter
import psycopg
import pyarrow as pa
import pytest

ITEMS = pa.table({"id": list(range(100)), "name": ["x"] * 100})


class Compiled:
    """Awaits as a coroutine compiled by mypyc does; its task is cancelled at one of its awaits."""

    def __init__(self, awaitable: Awaitable[Any], number: int) -> None:
        self.awaitable = awaitable
        self.number = number
        self.seen = 0

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self.awaitable.__await__()
        advance: Callable[[], Any] = steps.__next__
        while True:
            try:
                waiter = advance()
            except StopIteration as end:
                return end.value
            if self.seen == self.number:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            self.seen += 1
            try:
                sent = yield waiter
            except BaseException as error:  # noqa: BLE001  (handed on, as mypyc does)
                advance = _throwing(steps, error)
            else:
                advance = _sending(steps, sent)


def _throwing(steps: Any, error: BaseException) -> Callable[[], Any]:
    return lambda: steps.throw(type(error), error, None)


def _sending(steps: Any, value: Any) -> Callable[[], Any]:
    return lambda: steps.send(value)


async def open_a_pool(config: Any) -> None:
    fresh = psqlpy_adapter.PsqlpyConfig(connection_config=dict(config.connection_config))
    try:
        async with fresh.provide_session():
            pass
    finally:
        await fresh.close_pool()


async def borrow_after_a_while(config: Any) -> None:
    """The pool asks a connection that was idle for long whether it still lives."""
    for pooled in config.connection_instance._idle:
        pooled.state.answered -= 3600
    async with config.provide_session():
        pass


async def borrow_a_connection(config: Any) -> None:
    async with config.provide_connection() as connection:
        await asyncio.ensure_future(_fetch(connection))


async def _fetch(connection: Any) -> None:
    await connection.fetch("SELECT 1")


def in_session(operate: Callable[[Any], Awaitable[Any]]) -> Callable[[Any], Awaitable[None]]:
    async def run(config: Any) -> None:
        async with config.provide_session() as session:
            await operate(session)

    return run


async def select_something_new(session: Any) -> None:
    select_something_new.count += 1
    await session.select(
        f"SELECT id, {select_something_new.count} AS n FROM users WHERE id > $1", 0
    )


select_something_new.count = 0


async def select_again(session: Any) -> None:
    for _ in range(3):
        await session.select_value("SELECT count(*) FROM users WHERE id > $1", 0)


async def write(session: Any) -> None:
    await session.execute("UPDATE users SET age = $1 WHERE id = $2", (36, 1))
    await session.execute("UPDATE users SET age = $1 WHERE id = $2 RETURNING id", (36, 1))


async def write_many(session: Any) -> None:
    await session.execute_many("INSERT INTO item VALUES ($1, $2)", [(i, "x") for i in range(50)])


async def run_a_script(session: Any) -> None:
    await session.execute_script("SELECT 1; SELECT 2; CREATE TEMP TABLE t (id int); DROP TABLE t")


async def commit_a_transaction(session: Any) -> None:
    await session.begin()
    await session.execute("UPDATE users SET age = 37 WHERE id = 1")
    await session.commit()


async def nest_transactions(session: Any) -> None:
    async with session.transaction(), session.transaction():
        await session.execute("UPDATE users SET age = 38 WHERE id = 1")


async def stream(session: Any) -> None:
    async with session.select_stream("SELECT id FROM users ORDER BY id", chunk_size=1) as rows:
        assert [row["id"] async for row in rows] == [1, 2, 3]


async def load(session: Any) -> None:
    await session.load_from_arrow("item", ITEMS, overwrite=True)


async def read_many_rows(session: Any) -> None:
    """The second time the server packs them."""
    for _ in range(3):
        assert len(await session.select("SELECT n FROM generate_series(1, 1500) AS n")) == 1500


async def read_arrow(session: Any) -> None:
    await session.select_to_arrow("SELECT id, name FROM users")


OPERATIONS: dict[str, Callable[[Any], Awaitable[None]]] = {
    "open a pool": open_a_pool,
    "borrow after a while": borrow_after_a_while,
    "borrow a connection": borrow_a_connection,
    "select something new": in_session(select_something_new),
    "select again": in_session(select_again),
    "write": in_session(write),
    "write many": in_session(write_many),
    "run a script": in_session(run_a_script),
    "commit a transaction": in_session(commit_a_transaction),
    "nest transactions": in_session(nest_transactions),
    "stream": in_session(stream),
    "load": in_session(load),
    "read many rows": in_session(read_many_rows),
    "read arrow": in_session(read_arrow),
}
TRIES = 5
"""How often an operation ends before the await that is asked for: psqlpy may answer at once."""
TRIES_OF_FIRST = 500
"""The same for the first await, which every operation has: where server and client share a core
for a while, a connection that is asked nothing answers at once many times in a row."""
MOST_AWAITS = 100


async def cancelled_at_each_await(
    make: Callable[[], Coroutine[Any, Any, Any]],
) -> AsyncIterator[str]:
    """Cancel a coroutine, made anew each time, at its first await, at its second, and so on.

    Yields "cancelled", or else what came of it, for each.
    """
    for number in range(MOST_AWAITS):
        for _ in range(TRIES if number else TRIES_OF_FIRST):
            compiled = Compiled(make(), number)
            task = asyncio.ensure_future(_awaited(compiled))
            async with asyncio.timeout(20):
                await asyncio.wait([task])
            if compiled.seen > number:
                break
        else:
            return
        yield "cancelled" if task.cancelled() else f"{number}: {task.exception()!r}"


@pytest.mark.parametrize("name", OPERATIONS)
async def test_cancelled_at_any_await_it_is_cancelled_and_the_pool_goes_on(dsn, name):
    config = psqlpy_adapter.PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    async with config.provide_session() as session:
        await session.execute("CREATE TABLE item (id int8, name text)")
    outcomes = []
    try:
        async for outcome in cancelled_at_each_await(lambda: OPERATIONS[name](config)):
            outcomes.append(outcome)
            async with asyncio.timeout(20), config.provide_session() as session:
                assert await session.select_value("SELECT count(*) FROM users") == 3
        assert outcomes
        assert set(outcomes) == {"cancelled"}
        async with asyncio.timeout(20):
            async with config.provide_session(), config.provide_session():
                """Both connections of the pool are there."""
    finally:
        await config.close_pool()


async def test_cancelled_while_connections_are_opened_none_stays_open(dsn):
    async def hook(connection):
        await connection.execute("SELECT set_config('a.hook', 'run', false)")

    async def opening():
        config = psqlpy_adapter.PsqlpyConfig(
            connection_config={
                "dsn": dsn,
                "min_db_pool_size": 2,
                "application_name": "opened and cancelled",
                "target_session_attrs": "read-write",
                "conn_recycling_method": "clean",
            },
            driver_features={"on_connection_create": hook},
        )
        try:
            async with config.provide_session() as session:
                assert await session.select_value("SELECT current_setting('a.hook')") == "run"
        finally:
            await config.close_pool()

    outcomes = [outcome async for outcome in cancelled_at_each_await(opening)]
    assert outcomes
    assert set(outcomes) == {"cancelled"}
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'opened and cancelled'"
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as other:
        async with asyncio.timeout(60):
            while (await (await other.execute(count)).fetchone()) != (0,):
                """The server has not seen yet that the last ones were closed."""


async def _awaited(compiled: Compiled) -> None:
    await compiled
