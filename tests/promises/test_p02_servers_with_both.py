"""P02, before a server that takes TLS and plaintext: each mode speaks what libpq speaks to it."""

import asyncio
from contextlib import suppress

import psqlpy
import pytest
from certificates import SSL_REQUEST, Certificates
from harness import Breaks, promise
from relay import Relay


class Both(Relay):
    """Takes TLS and plaintext, and notes in `spoken` which it was."""

    def __init__(self, place, context):
        super().__init__(place)
        self.context = context
        self.spoken = []

    async def join(self, reader, writer, first=b""):
        with suppress(OSError, asyncio.IncompleteReadError):
            first = await reader.readexactly(8)
            is_tls = int.from_bytes(first[4:], "big") == SSL_REQUEST
            if is_tls:
                writer.write(b"S")
                await writer.drain()
                await writer.start_tls(self.context)
                first = await reader.readexactly(8)
            self.spoken.append("tls" if is_tls else "plaintext")
            await super().join(reader, writer, first)


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    certificates = Certificates.make(tmp_path_factory.mktemp("certificates"))
    return certificates.server_context("localhost", wants_client=False)


async def spoken_by(adapter, dsn, context, mode):
    place = dsn.rpartition("@")[2].partition("/")[0]
    async with Both(place, context) as front:
        keys = {"dsn": front.dsn(dsn, "localhost"), "ssl_mode": mode, "max_db_pool_size": 2}
        config = adapter.config(connection_config=keys)
        async with config.provide_session() as session:
            assert await session.select_value("SELECT 42") == 42
        await config.close_pool()
        return front.spoken[-1]


@promise("P02", stock=Breaks(AssertionError, "'plaintext' == 'tls'"))
async def test_prefer_speaks_tls_to_a_server_that_takes_both(adapter, dsn, context):
    assert await spoken_by(adapter, dsn, context, psqlpy.SslMode.Prefer) == "tls"


@pytest.mark.parametrize(("mode", "spoken"), [
    (psqlpy.SslMode.Disable, "plaintext"),
    (psqlpy.SslMode.Allow, "plaintext"),
    (psqlpy.SslMode.Require, "tls"),
], ids=str)  # fmt: skip
@promise("P02", stock=None)
async def test_the_other_modes_speak_what_libpq_speaks_to_it(adapter, dsn, context, mode, spoken):
    assert await spoken_by(adapter, dsn, context, mode) == spoken
