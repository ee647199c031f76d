"""What a session says to the server, as it passes a relay."""

from __future__ import annotations

import asyncio
import re
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from relay import Relay
from sqlspec.adapters.psqlpy import PsqlpyConfig, PsqlpyDriver


class Wire(Relay):
    """A relay that keeps what its one client sends."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self._said = bytearray()
        self._has_begun = False

    async def join(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes = b""
    ) -> None:
        read = reader.read

        async def heard(size: int = -1) -> bytes:
            chunk = await read(size)
            self._said += chunk
            return chunk

        reader.read = heard  # type: ignore[method-assign]
        await super().join(reader, writer, first)

    def forget(self) -> None:
        """Forget what was said until now."""
        self._said.clear()
        self._has_begun = True

    def messages(self) -> list[tuple[str, bytes]]:
        """Return kind and body of each message."""
        found, rest = [], bytes(self._said)
        if not self._has_begun:  # the first message has no kind
            rest = rest[int.from_bytes(rest[:4], "big") :]
        while len(rest) >= 5:
            (length,) = struct.unpack_from("!i", rest, 1)
            found.append((chr(rest[0]), rest[5 : length + 1]))
            rest = rest[length + 1 :]
        return found

    def texts(self) -> list[str]:
        """Return the SQL of each statement that was prepared (Parse) or sent as it is (Query)."""
        return [
            body.split(b"\0")[kind == "P"].decode()  # a Parse has the statement's name before it
            for kind, body in self.messages()
            if kind in "PQ"
        ]

    def limits(self) -> list[int]:
        """Return the sizes of the chunks of rows that were asked for, by Execute or by FETCH."""
        found = []
        for kind, body in self.messages():
            if kind == "E" and (size := struct.unpack("!i", body[-4:])[0]):
                found.append(size)
            elif kind in "PQ" and (fetch := re.search(rb"FETCH FORWARD (\d+)", body)):
                found.append(int(fetch[1]))
        return found

    def copied(self) -> list[bytes]:
        """Return the pieces of COPY data."""
        return [body for kind, body in self.messages() if kind == "d"]


@asynccontextmanager
async def overheard(dsn: str) -> AsyncIterator[tuple[PsqlpyDriver, Wire]]:
    """Open a session that can be listened to, from now on."""
    async with Wire.before(dsn) as wire:
        config = PsqlpyConfig(connection_config={"dsn": wire.dsn(dsn), "max_db_pool_size": 2})
        async with config.provide_session() as session:
            await session.select_value("SELECT 1")
            wire.forget()
            yield session, wire
        await config.close_pool()
