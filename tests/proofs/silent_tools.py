"""A server that accepts, and says nothing."""

from __future__ import annotations

import asyncio
from typing import Self


class Silent:
    """Counts its clients, and reads what they say."""

    def __init__(self) -> None:
        self.accepted = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._handle, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    @property
    def dsn(self) -> str:
        """Its connection string."""
        return f"postgresql://app:secret@127.0.0.1:{self._server.sockets[0].getsockname()[1]}/app"

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        await reader.read()
        writer.close()
