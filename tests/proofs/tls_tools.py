"""What a proof about TLS connects with, and somebody in between.

TLS_DATABASE_URL takes TLS only, NO_TLS_DATABASE_URL plaintext only.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from typing import Any

from certificates import SSL_REQUEST
from psqlpy import SslMode
from relay import Relay

TLS, NO_TLS = os.environ["TLS_DATABASE_URL"], os.environ["NO_TLS_DATABASE_URL"]
CA, OTHER_CA = os.environ["TLS_CA_FILE"], os.environ["TLS_OTHER_CA_FILE"]
BY_ADDRESS = TLS.replace("localhost", "127.0.0.1")
"""A name that is not that of the certificate."""
MODES = {name: getattr(SslMode, name) for name in dir(SslMode) if name[0].isupper()}
"""The modes of psqlpy by the names that it gives them."""
VERIFYING = {"VerifyCa", "VerifyFull"}


async def ask(make: Any, query: str = "SELECT 42", **keys: Any) -> Any:
    """Connect by a new config of a class, and return the answer to a query."""
    config = make(connection_config={"max_db_pool_size": 2, **keys})
    try:
        async with config.provide_session() as session:
            return await session.select_value(query)
    finally:
        await config.close_pool()


async def spoken(make: Any, url: str, **keys: Any) -> str | None:
    """Return what was spoken to one of the two servers, or None where nothing came about."""
    try:
        await ask(make, dsn=url, **keys)
    except Exception as error:  # noqa: BLE001 - of any class, and told apart by the server's words
        return "plaintext" if "no encryption" in str(error) else None
    return "plaintext" if url.startswith(NO_TLS) else "TLS"


async def is_strict(make: Any, query: str = "", **keys: Any) -> bool:
    """Whether settings refuse no TLS, another authority and another name, and work otherwise."""
    other = keys if keys.get("ca_file") is None else {**keys, "ca_file": OTHER_CA}
    tries = [(TLS, keys), (NO_TLS, keys), (TLS, other), (BY_ADDRESS, keys)]
    expected = "TLS"
    for url, given in tries:
        if await spoken(make, url + query, **given) != expected:
            return False
        expected = None
    return True


class Between(Relay):
    """Says that there is no TLS, and speaks TLS to the server itself.

    `heard` is what it reads, `asked` whether it was asked for TLS.
    """

    def __init__(self) -> None:
        super().__init__(TLS.rpartition("@")[2].partition("/")[0])
        self.heard = b""
        self.asked = False

    async def join(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes = b""
    ) -> None:
        """Answer the request for TLS with no, and hand on what comes then."""
        first = await reader.readexactly(8)
        if int.from_bytes(first[4:], "big") == SSL_REQUEST:
            self.asked = True
            writer.write(b"N")
            first = b""
        server_reader, server_writer = await asyncio.open_connection(*self._place)
        server_writer.write((8).to_bytes(4, "big") + SSL_REQUEST.to_bytes(4, "big"))
        await server_reader.readexactly(1)
        await server_writer.start_tls(ssl.create_default_context(cafile=CA))
        self._writers += [writer, server_writer]
        server_writer.write(first)
        self.heard += first

        async def listen() -> None:
            while chunk := await reader.read(65536):
                self.heard += chunk
                server_writer.write(chunk)
            server_writer.close()

        await asyncio.gather(listen(), self._copy(server_reader, writer))
