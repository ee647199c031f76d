"""What proofs see from outside of a session: rows, backends, errors, bytes on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import Any, Self
from urllib.parse import urlsplit

import psycopg

PID = "SELECT pg_backend_pid()"
_observers: dict[str, psycopg.Connection[Any]] = {}


def seen(dsn: str, query: str = "SELECT id FROM notes ORDER BY id", *values: Any) -> list[Any]:
    """Return the first column of a query as another client sees it: of committed rows.

    That client is past SQLSpec and psqlpy. It keeps its connection: a new one is 20 times slower.
    """
    observer = _observers.get(dsn)
    if observer is None or observer.closed:
        # What it asks may be asked again after a table was made anew: nothing is prepared.
        observer = psycopg.connect(dsn, autocommit=True, prepare_threshold=None)
        _observers[dsn] = observer
    return [row[0] for row in observer.execute(query, values).fetchall()]


def ask(dsn: str, query: str, *values: Any) -> Any:
    """Return the value that such a client gets for a query, or None when there is no row."""
    return next(iter(seen(dsn, query, *values)), None)


async def until(condition: Callable[[], Any], pause: float = 0.002) -> Any:
    """Wait until a condition holds, ten seconds at most, and return its value."""
    async with asyncio.timeout(10):
        while not (value := condition()):  # noqa: ASYNC110 - any condition
            await asyncio.sleep(pause)
    return value


def state(dsn: str, pid: int) -> str | None:
    """Return what pg_stat_activity says of a backend: None when there is none."""
    found = seen(dsn, "SELECT state FROM pg_stat_activity WHERE pid = %s", pid)
    return found[0] if found else None


async def becomes(dsn: str, pid: int, wanted: str | None) -> str | None:
    """Return a backend's state, as soon as it is the one wanted, or after two seconds.

    A client hears of a result before the backend says that it is idle.
    """
    deadline = monotonic() + 2
    while (found := state(dsn, pid)) != wanted and monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    return found


async def pid_of(session: Any) -> int:
    """Return the id of a session's backend."""
    return await session.select_value(PID)


async def failure(work: Awaitable[Any]) -> Exception | None:
    """Return what awaiting raises."""
    try:
        await work
    except Exception as error:  # noqa: BLE001 - to be looked at
        return error
    return None


class Wire:
    """A link to the server that keeps what clients send, and breaks when told to.

    is_cut: the client hears nothing more, not even the end, until it sends something: then its
        connection breaks.
    loses_answer: a message of the server with these bytes does not arrive, and it breaks.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._place = urlsplit(dsn)
        self.sent = bytearray()
        self.is_cut = False
        self.loses_answer: bytes | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    @property
    def dsn(self) -> str:
        """The connection string that leads through the link."""
        port = self._server.sockets[0].getsockname()[1]
        return self._dsn.replace(
            f"@{self._place.hostname}:{self._place.port}", f"@127.0.0.1:{port}"
        )

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, onward = await asyncio.open_connection(self._place.hostname, self._place.port)

        async def forward() -> None:
            with suppress(OSError):
                while (chunk := await reader.read(65536)) and not onward.is_closing():
                    self.sent += chunk
                    if self.is_cut:
                        break
                    onward.write(chunk)
            writer.close()
            onward.close()

        async def backward() -> None:
            with suppress(OSError):
                while chunk := await back.read(65536):
                    if self.loses_answer is not None and self.loses_answer in chunk:
                        break
                    if not self.is_cut:
                        writer.write(chunk)
            if not self.is_cut:
                writer.close()
            onward.close()

        await asyncio.gather(forward(), backward())
