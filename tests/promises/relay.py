"""A TCP listener before a server: it counts its clients, can fall silent, and can be cut."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit


class Relay:
    """Hands on what it gets. While `is_mute` it takes bytes and passes nothing on, either way.

    place: "host:port" of the server.
    """

    def __init__(self, place: str) -> None:
        host, _, port = place.partition(":")
        self._place = host, int(port)
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self.accepted = 0
        self.swallowed = 0
        """Chunks that were taken and not passed on."""
        self.is_mute = False

    @classmethod
    def before(cls, dsn: str) -> Self:
        """Make a relay to the server of a connection string."""
        return cls(_place(dsn))

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._handle, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut()

    @property
    def port(self) -> int:
        assert self._server is not None
        return self._server.sockets[0].getsockname()[1]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def dsn(self, dsn: str, host: str = "127.0.0.1") -> str:
        """Return the connection string with the relay's address in place of the server's."""
        return dsn.replace(_place(dsn), f"{host}:{self.port}")

    def cut(self) -> None:
        """End all connections, and take no more."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        await self.join(reader, writer)

    async def join(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes = b""
    ) -> None:
        """Connect a client to the server; `first` is what the client has said already."""
        server_reader, server_writer = await asyncio.open_connection(*self._place)
        self._writers += [writer, server_writer]
        server_writer.write(first)
        await asyncio.gather(self._copy(reader, server_writer), self._copy(server_reader, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(65536):
                if self.is_mute:
                    self.swallowed += 1
                else:
                    writer.write(chunk)
                    await writer.drain()
        writer.close()


def _place(dsn: str) -> str:
    return urlsplit(dsn).netloc.rpartition("@")[2]
