"""Fronts: listeners that stand before a server and behave like one of another kind.

The TLS front takes TLS connections only, the plain front refuses TLS; both hand every byte on
to the server behind. The silent front accepts and never answers.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress

from proveskill.servers._address import Address

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

SSL_REQUEST = 80877103
ENCRYPTION_REQUEST = 80877104
"""The client asks for GSSAPI encryption, which no front has."""
CANCEL_REQUEST = 80877102
HEADER = struct.Struct("!ii")
"""Length and code, with which every opening message begins."""
CHUNK = 65536
"""Bytes that are handed on at a time."""
TLS_ONLY = "this server takes TLS connections only, and this one has no encryption"


class Fronts:
    """Listeners on free ports of 127.0.0.1, all served by one thread that ends with the process."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="fronts", daemon=True).start()

    def tls(self, server: Address, context: ssl.SSLContext) -> int:
        """Open a front that speaks TLS as `context` has it; return its port. OSError."""

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            opening = await _opening(reader, writer)
            code = HEADER.unpack(opening)[1]
            if code == SSL_REQUEST:
                writer.write(b"S")
                await writer.start_tls(context)
                await _hand_on(reader, writer, server, b"")
            elif code == CANCEL_REQUEST:
                await _hand_on(reader, writer, server, opening)
            else:
                writer.write(_fatal("28000", TLS_ONLY))
                await writer.drain()

        return self._open(handle)

    def plain(self, server: Address) -> int:
        """Open a front that refuses TLS; return its port. Raises OSError."""

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            opening = await _opening(reader, writer)
            while HEADER.unpack(opening)[1] == SSL_REQUEST:
                writer.write(b"N")
                opening = await _opening(reader, writer)
            await _hand_on(reader, writer, server, opening)

        return self._open(handle)

    def silent(self) -> int:
        """Open a front that reads and never answers; return its port. Raises OSError."""

        async def handle(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            while await reader.read(CHUNK):
                continue

        return self._open(handle)

    def _open(self, handle: Handler) -> int:
        async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # A client that leaves in the middle, or does not trust the certificate, is usual.
            with suppress(OSError, EOFError):
                await handle(reader, writer)
            writer.close()

        opening = asyncio.start_server(guarded, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(opening, self._loop).result()
        port: int = server.sockets[0].getsockname()[1]
        return port


async def _opening(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """The first eight bytes of a message that is not about GSSAPI. Raises EOFError."""
    opening = await reader.readexactly(HEADER.size)
    while HEADER.unpack(opening)[1] == ENCRYPTION_REQUEST:
        writer.write(b"N")
        opening = await reader.readexactly(HEADER.size)
    return opening


async def _hand_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server: Address, first: bytes
) -> None:
    """Carry bytes both ways until one side has ended. Raises OSError."""
    host, port = server.endpoint
    if host.startswith("/"):
        opened = asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
    else:
        opened = asyncio.open_connection(host, port)
    server_reader, server_writer = await opened
    server_writer.write(first)
    ways = [
        asyncio.create_task(_copy(reader, server_writer)),
        asyncio.create_task(_copy(server_reader, writer)),
    ]
    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    for way in ways:
        way.cancel()
    server_writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()


def _fatal(code: str, message: str) -> bytes:
    """An error message of the PostgreSQL protocol that ends the connection."""
    fields = {"S": "FATAL", "V": "FATAL", "C": code, "M": message}
    body = b"".join(f"{key}{value}\0".encode() for key, value in fields.items()) + b"\0"
    return b"E" + struct.pack("!i", len(body) + 4) + body
