"""What a client says to the server, as it passes a relay."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

from relay import Relay


class Recorder(Relay):
    """A relay that keeps what clients send, a list of bytes for each connection."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.sent: list[bytearray] = []

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sent.append(bytearray())
        tapped = _Tap(reader, self.sent[-1])
        self.accepted += 1
        await self.join(tapped, writer)  # type: ignore[arg-type]

    def messages(self, start: int = 0) -> list[tuple[str, bytes]]:
        """Return kind and body of each message of the last connection, from a byte on."""
        data, found = bytes(self.sent[-1][start:]), []
        while len(data) >= 5:
            (length,) = struct.unpack_from("!i", data, 1)
            found.append((chr(data[0]), data[5 : length + 1]))
            data = data[length + 1 :]
        return found


class _Tap:
    def __init__(self, reader: asyncio.StreamReader, seen: bytearray) -> None:
        self._reader, self._seen = reader, seen

    async def read(self, size: int) -> bytes:
        chunk = await self._reader.read(size)
        self._seen += chunk
        return chunk


def formats_of_parameters(bind: bytes) -> list[int]:
    """Return the format codes of a Bind message: 0 for text, 1 for binary."""
    _, _, rest = bind.split(b"\0", 2)
    (count,) = struct.unpack_from("!h", rest)
    return list(struct.unpack_from(f"!{count}h", rest, 2))


async def messages_of(recorder: Recorder, call: Any) -> list[tuple[str, bytes]]:
    """Await a call; return the messages that were sent meanwhile."""
    start = len(recorder.sent[-1])
    await call
    return recorder.messages(start)
