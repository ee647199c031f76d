"""A TLS tunnel of the adapter's own: psqlpy talks plaintext to a private Unix socket.

psqlpy 0.13.1 has no client certificates, no verify-ca and no revocation lists. The tunnel listens
on a Unix socket in a directory that only this user can enter, connects to the real server for
each connection, asks for TLS as libpq does (PostgreSQL manual 54.2.10), lets Python's `ssl`
verify the server and show the certificate, and hands every byte on. It never falls back to
plaintext unless it was told that plaintext will do. A thread of its own serves it, so it works
whatever loop the program runs, and whether that loop is busy or not. May be unnecessary when
psqlpy takes `sslcert`, `sslkey` and `sslrootcert`.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import ssl
import struct
import tempfile
import threading
import weakref
from pathlib import Path

from psqlpy_adapter.hosts import Host
from psqlpy_adapter.settings import Settings
from psqlpy_adapter.sockets import SSL_REQUEST, dial

HIGH_WATER = 1 << 20
"""Bytes waiting on one side until the other is no longer read."""


class _Pipe(asyncio.Protocol):
    """One end of a connection; what arrives is written to the other end."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: _Pipe | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=HIGH_WATER)

    def data_received(self, data: bytes) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        # Neither side of the protocol half-closes: a side that has gone has nothing to read.
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()


class _Client(_Pipe):
    """The end towards psqlpy; what it says before the server is there is kept."""

    def __init__(self, tunnel: Tunnel, host: Host) -> None:
        super().__init__()
        self._tunnel = tunnel
        self._host = host
        self._early = bytearray()
        self._spoke = asyncio.Event()
        self._opening: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._opening = asyncio.get_running_loop().create_task(self._open())

    def data_received(self, data: bytes) -> None:
        self._spoke.set()
        if self.other is None:
            self._early += data
        else:
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._opening is not None:
            self._opening.cancel()
        super().connection_lost(exc)

    async def _open(self) -> None:
        assert self.transport is not None
        server = _Pipe()
        server.other = self
        try:
            await self._tunnel.connect(self._host, server)
        except (OSError, ssl.SSLError, TimeoutError) as error:
            self.transport.write(_fatal(f"TLS with {self._host} failed: {_reason(error)}"))
            # Who has not said a word yet would meet a broken pipe, and never read the reason.
            await self._spoke.wait()
            self.transport.close()
            return
        self.other = server
        super().data_received(bytes(self._early))
        self._early.clear()


class Tunnel:
    """Listens on one Unix socket for each host; `directory(host)` is psqlpy's "host" for it."""

    def __init__(self, settings: Settings, *, plaintext_will_do: bool = False) -> None:
        """Start the thread. Raises OSError where there are no Unix sockets.

        plaintext_will_do: hand plaintext on if the server says that it has no TLS (libpq's
        "prefer").
        """
        self._settings = settings
        self._context = settings.tls.context()
        self._plaintext_will_do = plaintext_will_do
        self._directories: dict[Host, Path] = {}
        self._lock = threading.Lock()
        # mkdtemp gives mode 0700. The path of a Unix socket holds 107 bytes at most.
        self._root = Path(tempfile.mkdtemp(prefix="psqlpy-tls-"))
        self._loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._loop.run_forever, name="psqlpy-tls", daemon=True)
        thread.start()
        self.close = weakref.finalize(self, _stop, self._loop, thread, self._root)
        """Stop listening, cut the connections, remove the sockets; also when the program ends."""

    def directory(self, host: Host) -> str:
        """The directory whose socket `.s.PGSQL.<port>` leads to `host`. Raises OSError."""
        with self._lock:
            if host not in self._directories:
                directory = self._root / str(len(self._directories))
                directory.mkdir(mode=0o700)
                tunnel = weakref.proxy(self)
                listening = self._loop.create_unix_server(
                    lambda: _Client(tunnel, host), directory / f".s.PGSQL.{host.port}"
                )
                asyncio.run_coroutine_threadsafe(listening, self._loop).result()
                self._directories[host] = directory
            return str(self._directories[host])

    async def connect(self, host: Host, server: asyncio.Protocol) -> None:
        """Connect `server` to `host` with TLS. Raises OSError, ssl.SSLError, TimeoutError."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._settings.connect_timeout):
            raw = await dial(host, self._settings)
            try:
                if not self._settings.tls.direct and not await self._asks_for_tls(raw):
                    await loop.create_connection(lambda: server, sock=raw)
                    return
                name = host.name
                await loop.create_connection(
                    lambda: server, sock=raw, ssl=self._context, server_hostname=name
                )
            except BaseException:
                raw.close()
                raise

    async def _asks_for_tls(self, raw: socket.socket) -> bool:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(raw, SSL_REQUEST)
        # One byte and no more: whatever follows in plaintext is not from the server
        # (CVE-2021-23222), and makes the handshake fail.
        answer = await loop.sock_recv(raw, 1)
        if answer == b"S":
            return True
        if answer == b"N" and self._plaintext_will_do:
            return False
        if answer == b"N":
            raise ConnectionError("the server does not support TLS")
        raise ConnectionError("the server closed the connection when it was asked for TLS")


def _reason(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "no answer within 'connect_timeout_sec'"
    return str(error) or type(error).__name__


def _fatal(message: str) -> bytes:
    """An ErrorResponse that ends the connection (PostgreSQL manual 54.7)."""
    fields = {"S": "FATAL", "V": "FATAL", "C": "08001", "M": message}
    body = b"".join(f"{key}{value}\0".encode() for key, value in fields.items()) + b"\0"
    return b"E" + struct.pack("!i", len(body) + 4) + body


def _stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread, root: Path) -> None:
    async def end() -> None:
        own = asyncio.current_task()
        for task in asyncio.all_tasks():
            if task is not own:
                task.cancel()

    with contextlib.suppress(TimeoutError, RuntimeError):
        asyncio.run_coroutine_threadsafe(end(), loop).result(timeout=5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(timeout=5)
    shutil.rmtree(root, ignore_errors=True)
