"""What proofs of replicas-and-poolers.md connect with."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self
from urllib.parse import urlsplit

import psqlpy
from pooler_tools import Pooler
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import SQLSpecError

IS_STANDBY = "SELECT pg_is_in_recovery()"


def address(dsn: str) -> str:
    """The "host:port" of a connection string, or several with commas."""
    return dsn.rpartition("@")[2].partition("/")[0]


def on(dsn: str, *hosts: str, **options: str) -> str:
    """The connection string with other hosts ("host:port"), and with options."""
    words = "&".join(f"{name}={value}" for name, value in options.items())
    return dsn.replace(address(dsn), ",".join(hosts)) + (f"?{words}" if words else "")


def of(dsn: str, *hosts: str, **more: Any) -> dict[str, Any]:
    """The keys of a connection string on other hosts, without a dsn."""
    place = urlsplit(on(dsn, "127.0.0.1:1"))
    return {
        "username": place.username,
        "password": place.password,
        "db_name": place.path[1:],
        "hosts": [host.partition(":")[0] for host in hosts],
        "ports": [int(host.partition(":")[2]) for host in hosts],
        **more,
    }


@asynccontextmanager
async def opened(features: dict[str, Any] | None = None, **keys: Any) -> AsyncIterator[Any]:
    """A config of two connections, unless the keys say otherwise."""
    keys = {"max_db_pool_size": 2, **keys}
    config = PsqlpyConfig(connection_config=keys, driver_features=features)
    try:
        yield config
    finally:
        await config.close_pool()


async def ask(config: Any, query: str = IS_STANDBY, *values: Any, **role: Any) -> Any:
    """The answer to a query in a session of its own: by default, whether it is on a standby."""
    async with config.provide_session(**role) as session:
        return await session.select_value(query, *values)


async def answer(query: str = IS_STANDBY, **keys: Any) -> Any:
    """The answer to a query on a connection with these keys."""
    async with opened(**keys) as config:
        return await ask(config, query)


async def at_once(config: Any, count: int, query: str = IS_STANDBY) -> list[Any]:
    """The answers of so many sessions that are open at the same time."""
    return await asyncio.gather(*(ask(config, query) for _ in range(count)))


@contextmanager
def refusing() -> Iterator[str]:
    """A "host:port" where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{free.getsockname()[1]}"


class Switching(Pooler):
    """A pooler with two server connections: the next transaction of a client is on the other."""

    async def __aenter__(self) -> Self:
        self._other = await Pooler(self._dsn, tracks=False).__aenter__()
        await super().__aenter__()
        self._turn = _Turns(self, self._server, self._other._server)
        return self

    async def __aexit__(self, *error: object) -> None:
        await super().__aexit__(*error)
        await self._other.__aexit__(*error)


class _Turns(asyncio.Lock):
    def __init__(self, pooler: Switching, *servers: Any) -> None:
        super().__init__()
        self._pooler, self._servers = pooler, servers
        self._last: dict[Any, int] = {}

    async def __aenter__(self) -> None:
        await super().__aenter__()
        client = asyncio.current_task()
        self._last[client] = 1 - self._last.get(client, 0)
        self._pooler._server = self._servers[self._last[client]]


async def execute(session: Any) -> None:
    await session.execute("INSERT INTO pooled VALUES ($1)", 1)


async def transaction(session: Any) -> None:
    async with session.transaction():
        await execute(session)


async def execute_many(session: Any) -> None:
    await session.execute_many("INSERT INTO pooled VALUES ($1)", [(1,), (2,)])


async def execute_script(session: Any) -> None:
    await session.execute_script("INSERT INTO pooled VALUES (1); INSERT INTO pooled VALUES (2)")


async def pipeline(session: Any) -> None:
    async with session.connection.transaction() as block:
        await block.pipeline([("INSERT INTO pooled VALUES ($1)", [1])] * 2)


async def select_stream(session: Any) -> None:
    async with session.select_stream("SELECT generate_series(1, 9)", chunk_size=3) as stream:
        [row async for row in stream]


async def copy_records_to_table(session: Any) -> None:
    await session.connection.copy_records_to_table("pooled", [(1,)], columns=["id"])


CALLS = {
    call.__name__: call
    for call in (
        *(execute, transaction, execute_many, execute_script, pipeline),
        *(select_stream, copy_records_to_table),
    )
}


async def error_of(dsn: str, call: str, *, sets_mode: bool = False) -> str | None:
    """What goes wrong in three sessions that make a call, one after another.

    sets_mode: with `pooler_mode`, and without the key that keeps such a pool from opening.
    """
    features = {"pooler_mode": "transaction"} if sets_mode else None
    async with opened(features, dsn=dsn) as config:
        if sets_mode:
            del config.connection_config["max_cached_statement_lifetime"]
        try:
            for _ in range(3):
                async with config.provide_session() as session:
                    await CALLS[call](session)
        except (psqlpy.Error, SQLSpecError) as error:
            return str(error)
    return None
