"""Proofs of references/tls.md: the strict setting, and who sees that a connection is encrypted."""

from __future__ import annotations

import psqlpy
import pytest
from proveskill import proves
from psqlpy import SslMode
from relay import Relay
from sqlspec.adapters.psqlpy import PsqlpyConfig
from tls_tools import BY_ADDRESS, CA, MODES, NO_TLS, OTHER_CA, TLS, ask, is_strict, spoken

IS_ENCRYPTED = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


@proves("Set `SslMode.{mode}` and `{authority}`:")
async def test_the_checked_setting_connects_and_checks(mode: str, authority: str) -> None:
    keys = {"ssl_mode": MODES[mode], authority: CA}
    assert await spoken(PsqlpyConfig, TLS, **keys) == "TLS"
    assert await spoken(PsqlpyConfig, TLS, **keys | {authority: OTHER_CA}) is None
    assert await spoken(PsqlpyConfig, NO_TLS, **keys) is None


@proves("This pair is the only setting that does all three:", adapter="stock")
async def test_no_other_pair_refuses_all_three() -> None:
    pairs = [(name, ca) for name in ("none", *MODES) for ca in (None, CA)]
    strict = [
        (name, ca)
        for name, ca in pairs
        if await is_strict(PsqlpyConfig, ssl_mode=MODES.get(name), ca_file=ca)
    ]
    assert strict == [("Require", CA)]


@proves("It refuses a server that has no TLS.")
async def test_a_server_without_tls_is_refused() -> None:
    with pytest.raises(Exception, match="server does not support TLS"):
        await ask(PsqlpyConfig, dsn=NO_TLS, ssl_mode=SslMode.Require, ca_file=CA)


@proves("It refuses a certificate that another authority signed.")
async def test_another_authority_is_refused() -> None:
    with pytest.raises(Exception, match="unable to get local issuer certificate"):
        await ask(PsqlpyConfig, dsn=TLS, ssl_mode=SslMode.Require, ca_file=OTHER_CA)


@proves("It refuses a certificate for another host name.", adapter="stock")
async def test_another_host_name_is_refused() -> None:
    with pytest.raises(psqlpy.Error, match="IP address mismatch"):
        await ask(PsqlpyConfig, dsn=BY_ADDRESS, ssl_mode=SslMode.Require, ca_file=CA)


@proves("In a DSN, `{query}` together with the key `{key}` is as strict.", adapter="stock")
async def test_the_mode_in_a_dsn_is_as_strict(query: str, key: str) -> None:
    assert await is_strict(PsqlpyConfig, query, **{key: CA})


@proves("The key `{key}` wins over the DSN's `{query}`.", adapter="stock")
async def test_the_key_wins_over_the_dsn(key: str, query: str) -> None:
    disabled = f"{NO_TLS}?{query}=disable"
    assert await spoken(PsqlpyConfig, disabled, ca_file=CA) == "plaintext"
    assert await spoken(PsqlpyConfig, disabled, ca_file=CA, **{key: SslMode.Require}) is None
    required = f"{TLS}?{query}=require"
    assert await spoken(PsqlpyConfig, required, ca_file=CA) == "TLS"
    assert await spoken(PsqlpyConfig, required, ca_file=CA, **{key: SslMode.Disable}) == "plaintext"


@proves(
    "A missing or empty CA file raises `{name}`, which is a `psqlpy.{base}`, when the pool opens.",
    adapter="stock",
)
async def test_a_missing_or_empty_authority_raises(name: str, base: str, tmp_path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    for file in (tmp_path / "missing.pem", empty):
        keys = {"dsn": TLS, "ssl_mode": SslMode.Require, "ca_file": str(file)}
        config = PsqlpyConfig(connection_config=keys)
        with pytest.raises(psqlpy.Error) as raised:
            await config.provide_pool()
        assert raised.type.__name__ == name
        # Of the classes above it, that under which psqlpy offers all of its errors.
        assert [c.__name__ for c in raised.type.__mro__ if vars(psqlpy).get(c.__name__) is c] == [
            base
        ]


@proves(
    "Ask the server at start-up:",
    "Behind a proxy that ends TLS this sees the proxy's own connection: "
    "there it says `{says}`, although your part is encrypted.",
)
async def test_a_proxy_that_ends_tls_hides_it_from_the_server(says: bool) -> None:
    """TLS_DATABASE_URL is such a proxy; a relay before it reads what this side sends."""
    assert await ask(PsqlpyConfig, IS_ENCRYPTED, dsn=NO_TLS) is False
    async with Listening.before(TLS) as relay:
        url = relay.dsn(TLS, "localhost")
        found = await ask(PsqlpyConfig, IS_ENCRYPTED, dsn=url, ssl_mode=SslMode.Require, ca_file=CA)
        assert found is says
        assert relay.heard
        assert b"pg_stat_ssl" not in relay.heard
    async with Listening.before(NO_TLS) as relay:
        await ask(PsqlpyConfig, IS_ENCRYPTED, dsn=relay.dsn(NO_TLS))
        assert b"pg_stat_ssl" in relay.heard


class Listening(Relay):
    """A relay that keeps what passes through it."""

    heard = b""

    async def _copy(self, reader, writer) -> None:
        while chunk := await reader.read(65536):
            self.heard += chunk
            writer.write(chunk)
        writer.close()
