"""A pooler in transaction mode: all clients share one connection to the server, in turns."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from typing import Self

import psycopg

_NAMES = {b"P": 0, b"B": 1, b"D": 0, b"C": 0}
"""Before the name of a statement in a message: so many other names; D and C begin with a kind."""


class Pooler:
    """tracks: give each client's prepared statements names of their own, as PgBouncer 1.21 does."""

    def __init__(self, dsn: str, *, tracks: bool) -> None:
        self._dsn = dsn
        self._tracks = tracks
        self._turn = asyncio.Lock()
        self._clients = 0

    async def __aenter__(self) -> Self:
        # psycopg logs in; what comes then is ours.
        self._login = psycopg.connect(self._dsn)
        shared = socket.socket(fileno=os.dup(self._login.pgconn.socket))
        self._server = await asyncio.open_connection(sock=shared)
        self._listener = await asyncio.start_server(self._handle, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listener.close()
        self._server[1].close()
        self._login.close()

    @property
    def dsn(self) -> str:
        """The connection string of the pooler."""
        host = self._dsn.rpartition("@")[2].partition("/")[0]
        return self._dsn.replace(host, f"127.0.0.1:{self._listener.sockets[0].getsockname()[1]}")

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients += 1
        own = b"c%d_" % self._clients if self._tracks else b""
        with suppress(asyncio.IncompleteReadError, OSError):
            length = int.from_bytes(await reader.readexactly(4), "big")
            if await reader.readexactly(length - 4) == (80877103).to_bytes(4, "big"):
                writer.write(b"N")
                length = int.from_bytes(await reader.readexactly(4), "big")
                await reader.readexactly(length - 4)
            writer.write(_message(b"R", bytes(4)) + _message(b"K", bytes(8)))
            writer.write(_message(b"S", b"client_encoding\0UTF8\0") + _message(b"Z", b"I"))
            while await self._transaction(reader, writer, own):
                pass
        writer.close()

    async def _transaction(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, own: bytes
    ) -> bool:
        """Hand on what comes, until no transaction is open; False when the client goes."""
        batch = await _batch(reader, own)
        async with self._turn:
            while batch:
                self._server[1].write(batch)
                kind = body = b""
                while kind != b"Z":
                    kind, body = await _read(self._server[0])
                    writer.write(_message(kind, body))
                if body == b"I":
                    return True
                batch = await _batch(reader, own)
        return False


async def _batch(reader: asyncio.StreamReader, own: bytes) -> bytes:
    """The messages up to the next one that the server answers with "ready"."""
    batch = b""
    while True:
        kind, body = await _read(reader)
        if kind == b"X":
            return b""
        batch += _message(kind, _renamed(kind, body, own))
        if kind in (b"S", b"Q"):
            return batch


def _renamed(kind: bytes, body: bytes, own: bytes) -> bytes:
    if kind not in _NAMES or not own or (kind in b"DC" and body[:1] != b"S"):
        return body
    start = 1 if kind in b"DC" else 0
    for _ in range(_NAMES[kind]):
        start = body.index(b"\0", start) + 1
    # A statement without a name stays without.
    return body if body[start : start + 1] == b"\0" else body[:start] + own + body[start:]


async def _read(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    kind = await reader.readexactly(1)
    length = int.from_bytes(await reader.readexactly(4), "big")
    return kind, await reader.readexactly(length - 4)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + (len(body) + 4).to_bytes(4, "big") + body
