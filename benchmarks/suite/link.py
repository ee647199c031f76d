"""A slow link: a process that hands on what it gets after a delay, in order, at full bandwidth.

Run as a program it listens before a server, prints its port, and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import os
import selectors
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit


class Delayed(asyncio.Protocol):
    """One end of a connection: what it gets it gives to its peer, later."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self.peer: asyncio.Transport | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Keep what came until it is due."""
        self._waiting.append((self._loop.time() + self._seconds, data))
        if self._timer is None and self.peer is not None:
            self._timer = self._loop.call_at(self._waiting[0][0], self.pass_on)

    def pass_on(self) -> None:
        """Send what is due, and come again for the rest."""
        self._timer = None
        now = self._loop.time()
        while self._waiting and self.peer is not None:
            due, data = self._waiting[0]
            if due > now:
                self._timer = self._loop.call_at(due, self.pass_on)
                return
            self.peer.write(data)
            self._waiting.popleft()

    def connection_lost(self, exc: Exception | None) -> None:
        """Close the other side, after what is under way."""
        if self.peer is not None:
            self._loop.call_later(self._seconds + 0.01, self.peer.close)


class Front(Delayed):
    """The client's end, which connects to the server."""

    def __init__(self, place: tuple[str, int], seconds: float) -> None:
        super().__init__(seconds)
        self._place = place

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connect to the server."""
        super().connection_made(transport)
        self._task = self._loop.create_task(self._connect())

    async def _connect(self) -> None:
        back = Delayed(self._seconds)
        back.peer = self.transport
        transport, _ = await self._loop.create_connection(lambda: back, *self._place)
        self.peer = transport
        self.pass_on()


async def serve(host: str, port: int, seconds: float) -> None:
    """Relay until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Front((host, port), seconds), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Run the relay: HOST PORT SECONDS-EACH-WAY [CORE]."""
    if len(sys.argv) > 4:
        os.sched_setaffinity(0, {int(sys.argv[4])})
    # select() waits to the microsecond, epoll in Python only to the millisecond.
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    asyncio.set_event_loop(loop)
    loop.run_until_complete(serve(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))


@contextmanager
def slow_link(url: str, round_trip: float, core: int | None = None) -> Iterator[str]:
    """Give the address of the server behind a link with so many seconds of round trip."""
    place = urlsplit(url).netloc.rpartition("@")[2]
    host, _, port = place.partition(":")
    command = [sys.executable, __file__, host, port or "5432", str(round_trip / 2)]
    command += [] if core is None else [str(core)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield url.replace(place, f"127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.stdin.close()


if __name__ == "__main__":
    main()
