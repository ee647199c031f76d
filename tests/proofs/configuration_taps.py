"""Relays that keep what clients of a server say, hide its end, or lose packets."""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import socket
import struct
import termios
from contextlib import suppress
from typing import Any

import psqlpy
from relay import Relay
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import SQLSpecError
from watching_tools import PID, until

BLACK_HOLE = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))
"""A socket filter that drops every packet: the peer gets no answer, not even to a packet."""
_ATTACH_FILTER, _TCP_MD5SIG = 26, 14


class Tap(Relay):
    """A relay that keeps what clients said since `said` was emptied.

    While `hides_ends` it does not tell a client that its server is gone until the client speaks.
    """

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.said: list[bytes] = []
        self.hides_ends = False
        self.ended = 0
        self.sockets: list[socket.socket] = []

    async def join(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes = b""
    ) -> None:
        server_reader, server_writer = await asyncio.open_connection(*self._place)
        self._writers += [writer, server_writer]
        self.sockets.append(writer.get_extra_info("socket"))
        is_over = False

        async def up() -> None:
            with suppress(OSError):
                while chunk := await reader.read(65536):
                    self.said.append(chunk)
                    if is_over:
                        break
                    server_writer.write(chunk)
                    await server_writer.drain()
            writer.transport.abort()
            server_writer.close()

        async def down() -> None:
            nonlocal is_over
            with suppress(OSError):
                while chunk := await server_reader.read(65536):
                    if not self.hides_ends:
                        writer.write(chunk)
                        await writer.drain()
            is_over = True
            self.ended += 1
            if not self.hides_ends:
                writer.close()

        await asyncio.gather(up(), down())

    async def lose_packets(self) -> None:
        """From now on drop what clients send, before it is acknowledged.

        What was sent to them is acknowledged first: sent again, it would set their clocks back.
        """
        await until(lambda: not any(map(_unacknowledged, self.sockets)))
        program = struct.pack("HP", 1, ctypes.addressof(BLACK_HOLE))
        for found in self.sockets:
            try:
                found.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, program)
            except PermissionError:  # where only root may: wait for signatures that nobody sends
                _want_signatures(found, b"secret")
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def cut(self) -> None:
        """Break the connections; clients take no signed farewell, so it is not signed."""
        for found in self.sockets:
            with suppress(OSError):
                _want_signatures(found, b"")
        super().cut()


def _unacknowledged(found: socket.socket) -> int:
    """How many bytes a socket has sent, or is to send, that its peer has not acknowledged."""
    return int(struct.unpack("i", fcntl.ioctl(found, termios.TIOCOUTQ, bytes(4)))[0])


def _want_signatures(found: socket.socket, key: bytes) -> None:
    """Drop what a peer does not sign (RFC 2385, tcp(7)); an empty key ends that."""
    peer = struct.pack("=HH4s", socket.AF_INET, 0, socket.inet_aton(found.getpeername()[0]))
    wanted = struct.pack("=128sBBHI80s", peer, 0, 0, len(key), 0, key)
    found.setsockopt(socket.IPPROTO_TCP, _TCP_MD5SIG, wanted)


async def event_through(tap: Tap, channel: Any) -> tuple[Any, bytes]:
    """Send events until one arrives; return it, and what clients have said through the tap."""

    async def first_event() -> Any:
        async for message in channel.iter_events("news", poll_interval=0.05):
            return message.payload
        raise AssertionError("the channel was closed")

    task = asyncio.ensure_future(first_event())
    async with asyncio.timeout(10):
        while not task.done():
            await channel.publish("news", {"sent": True})
            await asyncio.wait([task], timeout=0.02)
    await channel.shutdown()
    return await task, b"".join(tap.said).lower()


async def borrowings(dsn: str, session: Any, method: dict[str, Any]) -> tuple[int, bool]:
    """How often a client speaks to take a used connection, and whether a dead one is lent."""
    async with Tap.before(dsn) as tap:
        config = PsqlpyConfig(
            connection_config={"dsn": tap.dsn(dsn), "max_db_pool_size": 2} | method
        )
        async with config.provide_session() as found:
            await found.select_value(PID)
        tap.said.clear()
        async with config.provide_session() as found:
            spoken = len(tap.said)
            pid = await found.select_value(PID)
        tap.hides_ends = True
        await session.select_value("SELECT pg_terminate_backend($1, 5000)", pid)
        await until(lambda: tap.ended > 0)
        tap.hides_ends = False
        try:
            async with config.provide_session() as found:
                is_lent = await found.select_value(PID) == pid
        except (SQLSpecError, psqlpy.Error):
            is_lent = True
        await config.close_pool()
        return spoken, is_lent
