"""Proofs of references/drop-in.md: the configuration."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import psqlpy
import pytest
from dropin_tools import answer, opened
from proveskill import proves
from psqlpy_adapter import PsqlpyConfig
from socket_options import connected
from sqlspec.exceptions import ConnectionTimeoutError, DatabaseConnectionError

AUTHORITY = os.environ["TLS_CA_FILE"]


@proves("Enumerations are words or psqlpy's enums.")
async def test_words_and_enums_have_the_same_effect(dsn) -> None:
    for clean in ("clean", psqlpy.ConnRecyclingMethod.Clean):
        async with opened(dsn, max_db_pool_size=1, conn_recycling_method=clean) as config:
            await answer(config, "SELECT set_config('lock_timeout', '7s', false)")
            assert await answer(config, "SHOW lock_timeout") == "0"
    for read_only in ("read-only", psqlpy.TargetSessionAttrs.ReadOnly):
        async with opened(dsn, target_session_attrs=read_only) as config:
            with pytest.raises(DatabaseConnectionError):
                await answer(config)
    for random in ("random", psqlpy.LoadBalanceHosts.Random):
        async with opened(dsn, load_balance_hosts=random) as config:
            assert await answer(config) == 42
    for disable in ("disable", psqlpy.SslMode.Disable):
        async with opened(os.environ["TLS_DATABASE_URL"], ssl_mode=disable) as config:
            with pytest.raises(DatabaseConnectionError, match="no encryption"):
                await answer(config)


@proves(
    "A wrong key or word is refused with `{error}` when the config is made; "
    "the message names the key and what is allowed."
)
def test_what_is_wrong_is_refused_with_what_is_allowed(error: str, dsn) -> None:
    wrong = {
        "ssl_mode": ("required", "'verify-full'; did you mean 'require'"),
        "min_size": (5, "is no key of connection_config; did you mean 'min_db_pool_size'"),
        "max_db_pool_size": (0, "from 1 to 10000"),
        "conn_recycling_method": ("cleen", "'fast', 'verified', 'clean', 'auto'"),
        "username": ("other", "given in 'dsn' and beside it"),
    }
    for key, (value, allowed) in wrong.items():
        with pytest.raises(Exception, match=f"'{key}'") as raised:
            PsqlpyConfig(connection_config={"dsn": dsn, key: value})
        assert raised.type.__name__ == error
        assert allowed in str(raised.value)


@proves("Without `{dsn_key}` and `{host_key}` it connects to {place}.")
async def test_the_place_without_a_host(dsn_key: str, host_key: str, place: str, dsn) -> None:
    parts = urlsplit(dsn)
    keys = {
        "username": parts.username, "password": parts.password, "db_name": parts.path[1:],
        "max_db_pool_size": 2,
    }  # fmt: skip
    config = PsqlpyConfig(connection_config={**keys, "port": parts.port})
    assert await answer(config, "SELECT current_database()") == parts.path[1:]
    await config.close_pool()
    with pytest.raises(DatabaseConnectionError, match=f" {place}:1: "):
        await answer(PsqlpyConfig(connection_config={**keys, "port": 1}))
    for given in ({dsn_key: dsn}, {**keys, host_key: "127.0.0.1", "port": parts.port}):
        config = PsqlpyConfig(connection_config=given)
        assert await answer(config, "SELECT current_database()") == parts.path[1:]
        await config.close_pool()


@proves(
    "Keys inside a DSN count like keyword keys, so libpq's names work there too "
    "(`sslrootcert`, `{limit}`, `{count}`)."
)
async def test_libpqs_names_count_inside_a_dsn(limit: str, count: str, dsn) -> None:
    url = f"{os.environ['TLS_DATABASE_URL']}?sslmode=verify-full&sslrootcert="
    async with opened(url + AUTHORITY) as config:
        assert await answer(config) == 42
    async with opened(url + os.environ["TLS_OTHER_CA_FILE"]) as config:
        with pytest.raises(DatabaseConnectionError, match="certificate verify failed"):
            await answer(config)
    async with opened(f"{os.environ['SILENT_DATABASE_URL']}?{limit}=0.05") as config:
        with pytest.raises(ConnectionTimeoutError):
            await answer(config)
    async with opened(f"{dsn}?{count}=5") as config:
        port = await answer(config, "SELECT inet_client_port()")
        assert connected()[port].retries == 5


@proves(
    "`sslrootcert`, `sslmode` | {default} | other names of `ca_file`, `ssl_mode`",
    table="`connection_config` | Default | Meaning",
)
async def test_other_names_of_keys(default: str | None) -> None:
    url = os.environ["TLS_DATABASE_URL"]
    assert PsqlpyConfig(connection_config={"dsn": url}).settings.tls.ca_file == default
    for mode, authority in (("sslmode", "sslrootcert"), ("ssl_mode", "ca_file")):
        async with opened(url, **{mode: "verify-full", authority: AUTHORITY}) as config:
            assert await answer(config) == 42
        async with opened(url, **{mode: "disable"}) as config:
            with pytest.raises(DatabaseConnectionError, match="no encryption"):
                await answer(config)


@proves("A configuration that stock took and ignored is refused: contradictions between `dsn` "
        "and keys, `ca_file` without a mode that uses it.")  # fmt: skip
def test_what_would_be_ignored_is_refused(dsn) -> None:
    for keys in ({"username": "other"}, {"db_name": "other"}, {"host": "other"}, {"port": 1}):
        with pytest.raises(Exception, match="given in 'dsn' and beside it"):
            PsqlpyConfig(connection_config={"dsn": dsn, **keys})
    for mode in (None, "disable", "allow", "prefer"):
        with pytest.raises(Exception, match="'ca_file' would be ignored"):
            PsqlpyConfig(connection_config={"dsn": dsn, "ca_file": AUTHORITY, "ssl_mode": mode})


@proves(
    "GSSAPI, service and password files, `{key}`, encodings other than {encoding}: "
    "refused with the reason;"
)
def test_what_psqlpy_cannot_do_is_refused_with_the_reason(key: str, encoding: str, dsn) -> None:
    refused = {
        "gssencmode": "psqlpy has no GSSAPI",
        "krbsrvname": "psqlpy has no GSSAPI",
        "service": "reads no service file",
        "passfile": "reads no password file",
        key: "psqlpy answers whatever the server asks for",
        "client_encoding": "psqlpy speaks nothing else",
    }
    for name, reason in refused.items():
        with pytest.raises(Exception, match=reason):
            PsqlpyConfig(connection_config={"dsn": dsn, name: "require"})
    PsqlpyConfig(connection_config={"dsn": dsn, "client_encoding": encoding})
