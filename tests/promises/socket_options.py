"""The options of the sockets of this process, as the operating system has them."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """Keepalives and the user timeout of a connected socket; seconds, `user` milliseconds."""

    keepalive: bool
    idle: int
    interval: int
    retries: int
    user: int


def connected() -> dict[int, Options]:
    """Return the options of every connected IPv4 socket of this process, by its own port."""
    return {found.getsockname()[1]: _options(found) for found in _sockets()}


def _options(found: socket.socket) -> Options:
    tcp = socket.IPPROTO_TCP
    return Options(
        keepalive=bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)),
        idle=found.getsockopt(tcp, socket.TCP_KEEPIDLE),
        interval=found.getsockopt(tcp, socket.TCP_KEEPINTVL),
        retries=found.getsockopt(tcp, socket.TCP_KEEPCNT),
        user=found.getsockopt(tcp, socket.TCP_USER_TIMEOUT),
    )


def _sockets() -> Iterator[socket.socket]:
    for entry in list(Path("/proc/self/fd").iterdir()):
        with suppress(OSError):  # closed meanwhile, or not connected
            if not str(entry.readlink()).startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(entry.name))) as found:
                if found.family == socket.AF_INET:
                    found.getpeername()
                    yield found
