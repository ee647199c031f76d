"""Sockets that the adapter itself opens: to a server behind the tunnel, and to ask for TLS."""

from __future__ import annotations

import asyncio
import socket
import struct

from psqlpy_adapter.hosts import Host
from psqlpy_adapter.settings import Settings

TCP_USER_TIMEOUT = getattr(socket, "TCP_USER_TIMEOUT", None)
SSL_REQUEST = struct.pack("!ii", 8, 80877103)


async def dial(host: Host, settings: Settings) -> socket.socket:
    """A connected socket with the keepalives and limits of the settings. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host.address or host.name, host.port, type=socket.SOCK_STREAM)
    failure: OSError | None = None
    for family, kind, protocol, _, address in found:
        raw = socket.socket(family, kind, protocol)
        try:
            raw.setblocking(False)
            _set_options(raw, settings)
            await loop.sock_connect(raw, address)
        except OSError as error:
            raw.close()
            failure = error
        except BaseException:
            raw.close()
            raise
        else:
            return raw
    raise failure or OSError(f"{host.name} has no address")


def _set_options(raw: socket.socket, settings: Settings) -> None:
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    kept = settings.keepalives
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, kept.enabled)
    if kept.enabled:
        options = {
            "TCP_KEEPIDLE": kept.idle,
            "TCP_KEEPINTVL": kept.interval,
            "TCP_KEEPCNT": kept.retries,
        }
        for name, value in options.items():
            if value is not None and hasattr(socket, name):
                number = max(1, round(value))
                raw.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), number)
    if settings.tcp_user_timeout is not None and TCP_USER_TIMEOUT is not None:
        milliseconds = round(settings.tcp_user_timeout * 1000)
        raw.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, milliseconds)


async def has_tls(host: Host, settings: Settings) -> bool:
    """Whether the server takes TLS (PostgreSQL manual 54.2.10). Raises OSError."""
    return await _asked(host, settings) == b"S"


async def answers(host: Host, settings: Settings) -> None:
    """Return when the server says anything; the caller sets a limit. Raises OSError."""
    if not await _asked(host, settings):
        raise ConnectionError("the server closed the connection")


async def _asked(host: Host, settings: Settings) -> bytes:
    loop = asyncio.get_running_loop()
    raw = await dial(host, settings)
    try:
        await loop.sock_sendall(raw, SSL_REQUEST)
        return await loop.sock_recv(raw, 1)
    finally:
        raw.close()
