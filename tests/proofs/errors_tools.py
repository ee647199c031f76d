"""Ways to fail: each returns the errors that it led to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from observing import until_asleep
from watching_tools import failure, pid_of

SERIALIZABLE = "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"
TWIN = "INSERT INTO users (name, email) VALUES ('A', 'ada@example.com')"
Way = Callable[[Any, Any], Awaitable[Sequence[Exception | None]]]


def sending(*statements: str) -> Way:
    """Make a way to fail of statements, each sent by itself."""

    async def send(session: Any, _: Any) -> list[Exception | None]:
        return [await failure(session.execute(statement)) for statement in statements]

    return send


def fetching(query: str, *values: Any, methods: Sequence[str] = ("select_one",)) -> Way:
    """Make a way to fail of a query, by each method."""

    async def fetch(session: Any, _: Any) -> list[Exception | None]:
        return [await failure(getattr(session, method)(query, *values)) for method in methods]

    return fetch


async def timeouts(session: Any, other: Any) -> list[Exception | None]:
    await other.begin()
    await other.execute("LOCK TABLE products")
    found = []
    for setting, query in (
        ("statement_timeout", "SELECT pg_sleep(5)"),
        ("lock_timeout", "SELECT id FROM products"),
    ):
        await session.begin()
        await session.execute(f"SET LOCAL {setting} = '20ms'")
        found.append(await failure(session.execute(query)))
        await session.rollback()
    return found


async def cancelled(session: Any, other: Any) -> list[Exception | None]:
    pid = await pid_of(session)
    task = asyncio.create_task(failure(session.execute("SELECT pg_sleep(30)::text")))
    await until_asleep(other, pid)
    await other.execute("SELECT pg_cancel_backend($1)", pid)
    return [await task]


async def deadlock(session: Any, other: Any) -> list[Exception | None]:
    row = "SELECT id FROM users WHERE id = $1 FOR UPDATE"
    for s, first in ((session, 1), (other, 2)):
        await s.begin()
        await s.execute("SET LOCAL deadlock_timeout = '20ms'")
        await s.execute(row, first)
    crossing = failure(session.execute(row, 2)), failure(other.execute(row, 1))
    return [error for error in await asyncio.gather(*crossing) if error is not None]


async def conflict(session: Any, other: Any) -> list[Exception | None]:
    await session.begin()
    await session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    await session.select_value("SELECT count(*) FROM users")
    await other.execute("UPDATE users SET age = age WHERE id = 1")
    return [await failure(session.execute("UPDATE users SET age = age WHERE id = 1"))]


async def at_commit(session: Any, other: Any) -> list[Exception | None]:
    for s, row in ((session, 1), (other, 2)):
        await s.begin()
        await s.execute(SERIALIZABLE)
        await s.select_value("SELECT sum(age) FROM users")
        await s.execute("UPDATE users SET age = age WHERE id = $1", row)
    await session.commit()
    found = [await failure(other.commit())]
    await session.execute("CREATE TABLE IF NOT EXISTS later (id int UNIQUE INITIALLY DEFERRED)")
    await session.begin()
    await session.execute("INSERT INTO later VALUES (1), (1)")
    return [*found, await failure(session.commit())]


async def privilege(session: Any, _: Any) -> list[Exception | None]:
    await session.begin()
    await session.execute("SET LOCAL ROLE pg_monitor")
    return [await failure(session.select("SELECT name FROM users"))]


async def lost(session: Any, other: Any) -> list[Exception | None]:
    pid = await pid_of(session)
    await other.execute("SELECT pg_terminate_backend($1, 5000)", pid)
    return [await failure(session.execute("SELECT 1")) for _ in range(2)]


ONE = ("select_one", "select_value")
SITUATIONS: dict[str, Way] = {
    "duplicate key": sending(TWIN),
    "foreign key, check, NOT NULL violated": sending(
        "INSERT INTO events (id, user_id, timestamp) VALUES (9, 99, now())",
        "INSERT INTO checked VALUES (0)",
        "INSERT INTO users (name) VALUES (NULL)",
    ),
    "syntax error": sending("SELECT FROM WHERE"),
    "missing table or column, division by zero, two statements in one execute": sending(
        "SELECT * FROM nowhere", "SELECT nothing FROM users", "SELECT 1 / 0", "SELECT 1; SELECT 2"
    ),
    "statement_timeout, lock_timeout": timeouts,
    "pg_cancel_backend": cancelled,
    "deadlock": deadlock,
    "serialization failure in a statement": conflict,
    "serialization failure or duplicate found at COMMIT": at_commit,
    "privilege missing": privilege,
    "connection lost during a session": lost,
    "result type psqlpy cannot decode": fetching("SELECT '[1,5)'::int4range"),
    "select_one, select_value without a row": fetching(
        "SELECT name FROM users WHERE id = 0", methods=ONE
    ),
    "select_one, select_value with several rows": fetching("SELECT name FROM users", methods=ONE),
    "number of parameters is wrong": fetching("SELECT $1::int, $2::int", 1),
}
