"""What the proofs of pooling and concurrency look at: pools, backends, messages to a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from relay import Relay
from watching_tools import ask


@contextmanager
def later(seconds: float) -> Iterator[None]:
    """Put the clock of the running loop forward: timeouts end."""
    loop = asyncio.get_running_loop()
    clock = loop.time
    loop.time = lambda: clock() + seconds  # type: ignore[method-assign]
    try:
        yield
    finally:
        del loop.time  # type: ignore[method-assign]


@asynccontextmanager
async def cancellable() -> AsyncIterator[None]:
    """Make a cancellation again of what psqlpy makes of it: the wrapper that the text shows."""
    try:
        yield
    except TypeError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError from error
        raise


def backends(dsn: str, name: str) -> int:
    """How many connections of an application the server has."""
    query = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE application_name = %s AND datname = current_database()"
    )
    return int(ask(dsn, query, name))


def is_in_transaction(dsn: str, pid: int) -> bool:
    """Whether a backend that runs no query is in a transaction."""
    query = "SELECT state LIKE 'idle in transaction%%' FROM pg_stat_activity WHERE pid = %s"
    return bool(ask(dsn, query, pid))


def terminate(dsn: str, pid: int) -> bool:
    """End a backend, and wait for its end."""
    return bool(ask(dsn, "SELECT pg_terminate_backend(%s, 5000)", pid))


class Tap(Relay):
    """A relay that keeps the packets of the clients: what they sent without an answer between.

    It passes answers on while `answers` is set.
    """

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.packets: list[bytes] = []
        self.answers = asyncio.Event()
        self.answers.set()

    def sent(self) -> str:
        """The types of the messages in the packets, a letter each: B for Bind, Q for Query."""
        data, types = b"".join(self.packets), ""
        while len(data) >= 5:
            types += chr(data[0])
            data = data[1 + int.from_bytes(data[1:5], "big") :]
        return types

    async def join(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes = b""
    ) -> None:
        """Connect a client to the server."""
        server_reader, server_writer = await asyncio.open_connection(*self._place)
        self._writers += [writer, server_writer]
        kept, held = _Kept(reader, self.packets), _Held(server_reader, self.answers)
        await asyncio.gather(
            super()._copy(kept, server_writer),  # type: ignore[arg-type]
            super()._copy(held, writer),  # type: ignore[arg-type]
        )


class _Kept:
    def __init__(self, reader: asyncio.StreamReader, packets: list[bytes]) -> None:
        self._reader = reader
        self._packets = packets

    async def read(self, size: int) -> bytes:
        chunk = await self._reader.read(size)
        if chunk:
            self._packets.append(chunk)
        return chunk


class _Held:
    def __init__(self, reader: asyncio.StreamReader, may_pass: asyncio.Event) -> None:
        self._reader = reader
        self._may_pass = may_pass

    async def read(self, size: int) -> bytes:
        chunk = await self._reader.read(size)
        await self._may_pass.wait()
        return chunk
