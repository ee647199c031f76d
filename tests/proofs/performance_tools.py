"""What proofs of performance.md count: CPU time, and queries that do not wait for answers."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from statistics import median
from time import process_time
from typing import Any

from relay import Relay


async def cpu_times(*works: Callable[[], Awaitable[Any]], rounds: int = 5) -> list[float]:
    """The CPU time of this process for each work: medians of interleaved rounds."""
    taken: list[list[float]] = [[] for _ in works]
    for number in range(rounds + 1):
        for work, times in zip(works, taken, strict=True):
            begun = process_time()
            await work()
            if number:  # the first round prepares
                times.append(process_time() - begun)
    return [median(times) for times in taken]


def encoded(rows: list[tuple[int, str, str]]) -> bytes:
    """Rows in PostgreSQL's binary COPY format."""
    parts = [b"PGCOPY\n\xff\r\n\0", bytes(8)]
    for number, first, second in rows:
        a, b = first.encode(), second.encode()
        parts.append(struct.pack(f"!hiqi{len(a)}s", 3, 8, number, len(a), a))
        parts.append(struct.pack(f"!i{len(b)}s", len(b), b))
    return b"".join([*parts, struct.pack("!h", -1)])


class Holding(Relay):
    """A relay that can hold the server's answers back, from the first Bind on."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.binds = 0
        self._is_holding = False
        self._passes = asyncio.Event()
        self._passes.set()

    async def join(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes = b""
    ) -> None:
        back, onward = await asyncio.open_connection(*self._place)
        self._writers += [writer, onward]

        async def up() -> None:
            head = await reader.readexactly(4)
            onward.write(head + await reader.readexactly(int.from_bytes(head, "big") - 4))
            while True:
                head = await reader.readexactly(5)
                body = await reader.readexactly(int.from_bytes(head[1:], "big") - 4)
                if head[:1] == b"B":
                    self.binds += 1
                    if self._is_holding:
                        self._passes.clear()
                onward.write(head + body)

        async def down() -> None:
            while chunk := await back.read(65536):
                await self._passes.wait()
                writer.write(chunk)

        with suppress(asyncio.IncompleteReadError, OSError):
            await asyncio.gather(up(), down())
        writer.close()

    async def unanswered(self, call: Awaitable[Any], expected: int, seconds: float = 5) -> int:
        """How many queries a call sends before the first is answered; it ends at those expected."""
        self.binds, self._is_holding = 0, True
        task = asyncio.ensure_future(call)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.binds < expected:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
        found, self._is_holding = self.binds, False
        self._passes.set()
        await task
        return found
