"""Proofs of references/drop-in.md: encryption and client certificates."""

from __future__ import annotations

import asyncio
import os
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from certificates import Certificates, encrypted_key, revocations, serial_of, tls_front
from dropin_tools import address, answer, opened
from proveskill import proves
from sqlspec.exceptions import DatabaseConnectionError, ImproperConfigurationError

TLS, NO_TLS = os.environ["TLS_DATABASE_URL"], os.environ["NO_TLS_DATABASE_URL"]
CA, OTHER_CA = os.environ["TLS_CA_FILE"], os.environ["TLS_OTHER_CA_FILE"]
BY_ADDRESS = TLS.replace("localhost", "127.0.0.1")
VERIFYING = ("verify-ca", "verify-full")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("certificates"))


async def connects(url: str, **keys: str) -> bool:
    """Whether the drop-in connects; what it refuses to be made with counts as no."""
    try:
        async with opened(url, **keys) as config:
            return await answer(config) == 42
    except (DatabaseConnectionError, ImproperConfigurationError):
        return False


def libpq_connects(url: str, **keys: str) -> bool:
    try:
        with psycopg.connect(url, **keys):
            return True
    except psycopg.Error:
        return False


@proves(
    "Each `ssl_mode` means what libpq means by it; no mode that verifies ever speaks plaintext.",
    "Only `require` with a `ca_file` is stricter: it checks the host name too.",
)
async def test_each_mode_does_what_libpq_does() -> None:
    tries = [(TLS, None), (NO_TLS, None)]
    cases = [(mode, *one) for mode in ("disable", "allow", "prefer", "require") for one in tries]
    tries = [(TLS, CA), (TLS, OTHER_CA), (BY_ADDRESS, CA), (NO_TLS, CA), (TLS, None)]
    cases += [(mode, *one) for mode in ("require", *VERIFYING) for one in tries]
    for mode, url, authority in cases:
        keys = {"sslmode": mode} | ({"sslrootcert": authority} if authority else {})
        libpq = await asyncio.to_thread(libpq_connects, url, **keys)
        if (mode, url, authority) == ("require", BY_ADDRESS, CA):
            assert libpq
            libpq = False
        assert await connects(url, **keys) is libpq, (url, keys)
    for mode in VERIFYING:
        assert not await connects(NO_TLS, sslmode=mode, sslrootcert=CA)


@proves(
    'Client certificates work: `"{certificate}"`, `"{key}"`, `"{password}"`, `"{revoked}"`.',
    "`sslcert`, `sslkey`, `sslpassword`, `sslcrl`, `{negotiation}` | {default} | "
    "client certificates, revocation, direct TLS",
    table="`connection_config` | Default | Meaning",
)
async def test_a_client_shows_its_certificate(
    certificate: str, key: str, password: str, revoked: str, negotiation: str, default: str | None,
    certificates, dsn, tmp_path,
) -> None:  # fmt: skip
    assert default is None
    place = urlsplit(dsn)
    (tmp_path / "client.key").write_bytes(encrypted_key(certificates.client_key, "sesame"))
    keys = {
        "ssl_mode": "verify-full", "sslrootcert": str(certificates.ca_file),
        certificate: str(certificates.client_certificate),
        key: str(tmp_path / "client.key"), password: "sesame",
    }  # fmt: skip
    server = certificates.authority.issue_cert("localhost")
    context = certificates.server_context("localhost")
    server.configure_cert(context)
    lists = {}
    for name, serials in (("none", ()), ("own", (serial_of(server),))):
        lists[name] = tmp_path / f"{name}.pem"
        lists[name].write_bytes(revocations(certificates.authority, *serials))
    with tls_front(context, place.hostname, place.port) as front:
        url = dsn.replace(address(dsn), f"localhost:{front.port}")
        assert await connects(url, **keys, **{revoked: str(lists["none"])})
        assert front.subjects == ["client"]
        with pytest.raises(DatabaseConnectionError, match="certificate revoked"):
            async with opened(url, **keys, **{revoked: str(lists["own"])}) as config:
                await answer(config)
    with pytest.raises(ImproperConfigurationError, match="sslkey"):
        async with opened(url, **keys | {password: "wrong"}):
            pass
    context.set_alpn_protocols(["postgresql"])
    with tls_front(context, place.hostname, place.port, direct=True) as front:
        url = dsn.replace(address(dsn), f"localhost:{front.port}")
        assert await connects(url, **keys, **{negotiation: "direct"})
        assert front.subjects == ["postgresql"]


@proves(
    "What psqlpy cannot do itself goes through a TLS tunnel of the adapter "
    "on a private Unix socket."
)
async def test_the_tunnel_is_a_private_socket() -> None:
    """psqlpy itself cannot check the authority without the name of the host, as verify-ca does."""
    keys = {"ssl_mode": "verify-ca", "ca_file": CA}
    async with opened(BY_ADDRESS, **keys) as config, config.provide_session() as session:
        [directory] = {Path(host) for host in session.connection.hosts}
        assert directory.is_dir()
        assert directory.parent.stat().st_mode & 0o777 == 0o700
        assert [file.is_socket() for file in directory.iterdir()] == [True]
    assert not directory.exists()
    keys = {"ssl_mode": "verify-full", "ca_file": CA}
    async with opened(TLS, **keys) as config, config.provide_session() as session:
        assert session.connection.hosts == ["localhost"]


@proves('`"{key}": "{word}"` trusts the operating system\'s authorities.')
async def test_the_authorities_of_the_system(key: str, word: str, monkeypatch) -> None:
    """OpenSSL takes the place of the system's authorities from the environment."""
    for authority, trusted in ((CA, True), (OTHER_CA, False)):
        monkeypatch.setenv(ssl.get_default_verify_paths().openssl_cafile_env, authority)
        assert await connects(TLS, **{"ssl_mode": "verify-full", key: word}) is trusted
