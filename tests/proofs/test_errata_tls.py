"""Proofs of references/errata.md: TLS."""

from __future__ import annotations

from pathlib import Path

import psqlpy
import pytest
from certificates import Certificates, tls_front
from configuration_tools import keys_of, pool_failure, value
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig
from tls_tools import CA, MODES, NO_TLS, OTHER_CA, TLS, spoken


@proves(
    "B19 | `ssl_mode` takes six words, of which `verify-full` is the strictest | `SslMode` has "
    "{count} members; `{loose}` goes on in plaintext where the server has no TLS, `{strict}` does "
    "not",
    adapter="stock",
    table="claim | false | true",
)
async def test_the_strictest_mode(count: int, loose: str, strict: str) -> None:
    assert len(MODES) == count
    assert loose == "VerifyFull"
    assert await spoken(PsqlpyConfig, NO_TLS, ssl_mode=MODES[loose], ca_file=CA) == "plaintext"
    assert await spoken(PsqlpyConfig, NO_TLS, ssl_mode=MODES[strict], ca_file=CA) is None
    assert await spoken(PsqlpyConfig, TLS, ssl_mode=MODES[strict], ca_file=CA) == "TLS"


async def is_unknown(dsn: str, key: str) -> bool:
    """Whether psqlpy knows a name neither as a key nor as an option of a DSN."""
    error = await pool_failure(**{"dsn": dsn, key: "client.pem"})
    assert isinstance(error, TypeError)
    in_dsn = await pool_failure(dsn=f"{dsn}?{key}=client.pem")
    words = f"unexpected keyword argument '{key}'", f"unknown option `{key}`"
    return words[0] in str(error) and words[1] in str(in_dsn)


@proves(
    "B20 | `{sslcert}` is a key | unknown, in a DSN too; a client certificate cannot be shown",
    "B21 | `{sslkey}` is a key | unknown, in a DSN too",
    adapter="stock",
    table="claim | false | true",
)
async def test_client_certificates_cannot_be_shown(
    dsn: str, tmp_path: Path, sslcert: str, sslkey: str
) -> None:
    assert (sslcert, sslkey) == ("sslcert", "sslkey")
    for key in (sslcert, sslkey):
        assert await is_unknown(dsn, key)
    certificates, keys = Certificates.make(tmp_path), keys_of(dsn)
    context = certificates.server_context("localhost", wants_client=True)
    with tls_front(context, keys["host"], keys["port"]) as front:
        given = {**keys, "host": "localhost", "port": front.port}
        with pytest.raises(psqlpy.Error):
            await value("SELECT 42", **given, ca_file=str(certificates.ca_file))
        assert front.subjects == []


@proves(
    "B22 | `{theirs}` is a key | unknown, in a DSN too; the authority goes into `{ours}`",
    adapter="stock",
    table="claim | false | true",
)
async def test_the_key_of_the_authority(dsn: str, theirs: str, ours: str) -> None:
    assert theirs == "sslrootcert"
    assert await is_unknown(dsn, theirs)
    assert await spoken(PsqlpyConfig, TLS, ssl_mode=MODES["Require"], **{ours: CA}) == "TLS"
    assert await spoken(PsqlpyConfig, TLS, ssl_mode=MODES["Require"], **{ours: OTHER_CA}) is None
