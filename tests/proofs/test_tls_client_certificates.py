"""Proofs of references/tls.md: client certificates."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import psqlpy
import pytest
from certificates import Certificates, tls_front
from proveskill import proves
from psqlpy import SslMode
from psqlpy_adapter import PsqlpyConfig as DropIn

DSN = os.environ["DATABASE_URL"]
PLACE = urlsplit(DSN)
BY_ADDRESS = os.environ["TLS_DATABASE_URL"].replace("localhost", "127.0.0.1")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("certificates"))


def address(port: int) -> str:
    return DSN.replace(PLACE.netloc.rpartition("@")[2], f"localhost:{port}")


async def answer(**keys) -> int:
    """Log in with psqlpy itself."""
    pool = psqlpy.ConnectionPool(**keys)
    async with pool.acquire() as connection:
        return (await connection.fetch("SELECT 42 AS n")).result()[0]["n"]


@proves(
    "psqlpy cannot present a client certificate: a server that demands one cannot be reached.",
    "Log in with a password, over `{mode}` and `{key}`.",
)
async def test_a_server_that_demands_a_certificate_is_out_of_reach(
    certificates, mode: str, key: str
) -> None:
    keys = {"ssl_mode": getattr(SslMode, mode), key: str(certificates.ca_file)}
    for wants_client in (True, False):
        context = certificates.server_context("localhost", wants_client=wants_client)
        with tls_front(context, PLACE.hostname, PLACE.port) as front:
            if wants_client:
                with pytest.raises(psqlpy.Error):
                    await answer(dsn=address(front.port), **keys)
                assert front.subjects == []
            else:
                assert PLACE.password
                assert await answer(dsn=address(front.port), **keys) == 42
                assert front.subjects == [None]
    # The pair is the strict one: without TLS it does not connect.
    with pytest.raises(psqlpy.Error, match="server does not support TLS"):
        await answer(dsn=os.environ["NO_TLS_DATABASE_URL"], **keys)


@proves("The keys of libpq are refused by psqlpy, as arguments and in a DSN:")
def test_libpqs_keys_are_refused() -> None:
    for key in ("sslcert", "sslkey", "sslrootcert"):
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{key}'"):
            psqlpy.ConnectionPool(dsn=DSN, **{key: "client.pem"})
        with pytest.raises(psqlpy.Error, match=f"unknown option `{key}`"):
            psqlpy.ConnectionPool(dsn=f"{DSN}?{key}=client.pem")


@proves("`{libpq}` is called `{key}` in psqlpy.")
async def test_psqlpys_name_of_the_authority(certificates, libpq: str, key: str) -> None:
    url, ca = os.environ["TLS_DATABASE_URL"], os.environ["TLS_CA_FILE"]
    assert await answer(dsn=url, ssl_mode=SslMode.Require, **{key: ca}) == 42
    other = str(certificates.ca_file)
    with pytest.raises(psqlpy.Error, match="unable to get local issuer certificate"):
        await answer(dsn=url, ssl_mode=SslMode.Require, **{key: other})
    # The drop-in takes libpq's name for the same.
    config = DropIn(connection_config={"dsn": url, "ssl_mode": "verify-full", libpq: ca})
    assert config.settings.tls.ca_file == ca


@proves(
    "On the drop-in each mode checks what libpq checks, `{mode}` with a `ca_file` the host name "
    "too, and client certificates work."
)
async def test_the_drop_in_shows_a_certificate(mode: str, certificates) -> None:
    """Libpq's verify-ca does not look at the name, verify-full does, prefer takes plaintext."""
    keys = {
        "sslrootcert": str(certificates.ca_file),
        "sslcert": str(certificates.client_certificate),
        "sslkey": str(certificates.client_key),
    }
    with tls_front(certificates.server_context("elsewhere"), PLACE.hostname, PLACE.port) as front:
        url = address(front.port)
        assert await log_in(dsn=url, ssl_mode="verify-ca", **keys) == 42
        assert front.subjects == ["client"]
        for strict in ("verify-full", mode):
            with pytest.raises(Exception, match="Hostname"):
                await log_in(dsn=url, ssl_mode=strict, **keys)
    with pytest.raises(Exception, match="would be ignored"):
        await log_in(dsn=url, ssl_mode="prefer", **keys)
    # Without the file it looks at neither the authority nor the name, as libpq does.
    assert await log_in(dsn=BY_ADDRESS, ssl_mode=mode) == 42
    assert await log_in(dsn=os.environ["NO_TLS_DATABASE_URL"], ssl_mode="prefer") == 42


async def log_in(**keys) -> int:
    """Log in with the drop-in."""
    config = DropIn(connection_config=keys)
    try:
        async with config.provide_session() as session:
            return await session.select_value("SELECT 42")
    finally:
        await config.close_pool()
