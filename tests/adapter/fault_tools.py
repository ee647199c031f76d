"""What the fault tests share: an observer past the adapter, and a link that can be cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import psqlpy_adapter

DEADLINE = 20.0
"""Seconds until a wait in a test is given up."""


@asynccontextmanager
async def observing(dsn: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """An asyncpg connection: what it sees does not depend on what is tested."""
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def until_at_work(observer: asyncpg.Connection[Any], pid: int, needle: str) -> None:
    """Wait until the backend runs a statement that contains `needle`: pg_sleep, until it sleeps.

    A backend that parses such a statement shows it as active, too.
    """
    query = (
        "SELECT query FROM pg_stat_activity WHERE pid = $1 AND state = 'active' "
        "AND (query NOT LIKE '%pg_sleep%' OR wait_event = 'PgSleep')"
    )
    async with asyncio.timeout(DEADLINE):
        while needle not in (await observer.fetchval(query, pid) or ""):
            pass  # every look is a round trip, in which the other tasks go on


async def terminate(observer: asyncpg.Connection[Any], pid: int) -> None:
    """End a backend, and wait for its end."""
    assert await observer.fetchval("SELECT pg_terminate_backend($1, 5000)", pid)


class Link:
    """A TCP proxy to a server, which can be cut: it then takes bytes and passes nothing on."""

    def __init__(self, dsn: str) -> None:
        place = urlsplit(dsn)
        self._target = (place.hostname, place.port)
        self._place = place
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.is_cut = False

    @property
    def dsn(self) -> str:
        """The address of the server by way of the link."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        credentials = self._place.netloc.rpartition("@")[0]
        return urlunsplit(self._place._replace(netloc=f"{credentials}@127.0.0.1:{port}"))

    async def __aenter__(self) -> Link:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(*self._target)
        for source, target in ((reader, server_writer), (server_reader, writer)):
            task = asyncio.ensure_future(self._pass_on(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                if not self.is_cut:
                    target.write(data)
                    await target.drain()
        except ConnectionError:
            pass
        finally:
            target.close()


@asynccontextmanager
async def whole_pool(dsn: str) -> AsyncIterator[psqlpy_adapter.PsqlpyConfig]:
    """A configuration of two connections; at the end both can be had at once, and they answer."""
    config = psqlpy_adapter.PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    yield config
    async with (
        asyncio.timeout(DEADLINE),
        config.provide_session() as one,
        config.provide_session() as other,
    ):
        assert await one.select_value("SELECT 1") == 1
        assert await other.select_value("SELECT 1") == 1
    await config.close_pool()
