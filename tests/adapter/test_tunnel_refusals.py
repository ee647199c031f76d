"""What a client of the TLS tunnel reads when the server refuses."""

from __future__ import annotations

import asyncio
from pathlib import Path

import trustme
from psqlpy_adapter.settings import read_settings
from psqlpy_adapter.tunnel import Tunnel


async def test_a_client_that_speaks_late_reads_why_the_server_was_refused(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(authority))
    given_up = asyncio.Event()

    async def without_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(b"N")
        await reader.read()  # until the tunnel closes the connection
        given_up.set()
        writer.close()

    server = await asyncio.start_server(without_tls, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    settings = read_settings(
        {
            "dsn": f"postgresql://u:p@127.0.0.1:{port}/d",
            "ssl_mode": "verify-full",
            "ca_file": str(authority),
        }
    )
    tunnel = Tunnel(settings)
    try:
        directory = await asyncio.to_thread(tunnel.directory, settings.hosts[0])
        reader, writer = await asyncio.open_unix_connection(f"{directory}/.s.PGSQL.{port}")
        await given_up.wait()
        for _ in range(10):  # the turns in which the tunnel could close the socket
            await asyncio.sleep(0)
        writer.write(b"\0\0\0\x08\0\x03\0\0")
        await writer.drain()
        answer = await reader.read()
        writer.close()
    finally:
        await asyncio.to_thread(tunnel.close)
        server.close()
    assert answer.startswith(b"E")
    assert b"the server does not support TLS" in answer
