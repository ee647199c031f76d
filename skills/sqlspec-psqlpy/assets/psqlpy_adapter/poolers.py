"""Poolers in transaction mode: whether prepared statements survive behind them.

psqlpy prepares every statement under a name. Behind a pooler that lends a server for a
transaction at a time and does not track names (PgBouncer before 1.21, or `max_prepared_statements
= 0`) the execution can reach a server that never saw the name, and then half of a program's
statements fail. SQLSpec's own answer (`prepared=False`) still prepares under a name, and its
pool does not open at all. Here the pooler is asked when the pool opens: one that does not track is
refused before the first statement. May be unnecessary when psqlpy offers unnamed statements.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable

import psqlpy
from sqlspec.exceptions import DatabaseConnectionError

from psqlpy_adapter.carrying import sent
from psqlpy_adapter.pooled import close

ROUNDS = 5
"""How often two connections compare their servers."""
LIMIT = 10.0
"""Seconds that the comparison may take."""
_OWN_NAME = re.compile(r"s\d+")
CURE = (
    "behind it, psqlpy's prepared statements fail now and then. Use PgBouncer 1.21 or later with "
    "max_prepared_statements > 0, or the pooler's session mode (pooler_mode='session'), or connect "
    "to the server itself"
)


async def check_pooler(connect: Callable[[], Awaitable[psqlpy.Connection]]) -> None:
    """Raise DatabaseConnectionError when prepared statements get lost behind the pooler.

    Two connections that ever have the same backend stand behind a pooler. A pooler that tracks
    prepared statements gives them names of its own, so psqlpy's names do not reach the server.
    """
    first = await connect()
    second = None
    try:
        second = await connect()
        async with asyncio.timeout(LIMIT):
            if await _share_a_server(first, second) and not await _are_renamed(first):
                raise DatabaseConnectionError(
                    f"the pooler does not keep track of prepared statements: {CURE}"
                )
    except psqlpy.Error as error:
        if "prepared statement" not in str(error):
            raise DatabaseConnectionError(f"the pooler cannot be asked: {error}") from error
        raise DatabaseConnectionError(
            f"the pooler does not keep track of prepared statements ({error}): {CURE}"
        ) from error
    finally:
        close(first)
        if second is not None:
            close(second)


async def _share_a_server(first: psqlpy.Connection, second: psqlpy.Connection) -> bool:
    seen: tuple[set[int], set[int]] = (set(), set())
    for _ in range(ROUNDS):
        for connection, servers in zip((first, second), seen, strict=True):
            # Without parameters and not prepared, psqlpy uses the unnamed statement.
            found = await sent(connection.fetch("SELECT pg_backend_pid() AS pid", prepared=False))
            servers.add(found.result()[0]["pid"])
        if seen[0] & seen[1]:
            return True
    return False


async def _are_renamed(connection: psqlpy.Connection) -> bool:
    mark = uuid.uuid4().hex
    query = f"SELECT name FROM pg_prepared_statements WHERE statement LIKE '%{mark}%'"
    found = (await sent(connection.fetch(query, []))).result()
    return not any(_OWN_NAME.fullmatch(row["name"]) for row in found)
