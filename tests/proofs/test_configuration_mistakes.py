"""Proofs of references/configuration.md: keys that psqlpy refuses, and when a mistake shows."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import psqlpy
import pytest
import sqlspec.exceptions
from certificates import Certificates, tls_front
from configuration_taps import Tap
from configuration_tools import failure, greeting, keys_of, pool_failure, value
from proveskill import proves
from psqlpy.exceptions import BaseConnectionPoolError
from sqlspec.adapters.psqlpy import PsqlpyConfig, PsqlpyPoolParams

REFUSED = "Connection refused"
NOWHERE = {"dsn": "postgresql://app:secret@127.0.0.1:1/app"}


async def is_unknown(key: str) -> bool:
    message = f"ConnectionPool.__new__() got an unexpected keyword argument '{key}'"
    error = await pool_failure(**{**NOWHERE, key: "x"})
    return isinstance(error, TypeError) and str(error) == message


@proves(
    "SQLSpec's `{name}` lists {count} keys that psqlpy does not know.",
    "Every one of them keeps the pool from opening:",
    adapter="stock",
)
async def test_keys_that_keep_the_pool_from_opening(name: str, count: int) -> None:
    listed = PsqlpyPoolParams.__annotations__
    assert PsqlpyPoolParams.__name__ == name
    assert len([key for key in listed if await is_unknown(key)]) == count


@proves(
    "Names from other drivers end the same way: `min_size`, `max_size`, `pool_size`, `timeout`, "
    "`hostaddr`.",
    adapter="stock",
)
async def test_names_of_other_drivers() -> None:
    for key in ("min_size", "max_size", "pool_size", "timeout", "hostaddr"):
        assert await is_unknown(key)


@proves("Instead of `{theirs}`, use `{ours}`.", adapter="stock")
async def test_the_name_of_the_file_of_authorities(theirs: str, ours: str, tmp_path: Path) -> None:
    certificates = Certificates.make(tmp_path)
    said = await greeting(username="u", password="x", **{ours: str(certificates.ca_file)})
    assert said == {"tls": "requested"}
    assert await is_unknown(theirs)
    assert theirs == "sslrootcert"


@proves(
    "For `{certificate}` and `{key}` there is nothing: psqlpy has no client certificates.",
    adapter="stock",
)
async def test_there_are_no_client_certificates(
    dsn: str, tmp_path: Path, certificate: str, key: str
) -> None:
    """The server before which the keys fail takes the same client without asking for one."""
    certificates = Certificates.make(tmp_path)
    keys = keys_of(dsn)
    for wants_client in (True, False):
        context = certificates.server_context("localhost", wants_client=wants_client)
        with tls_front(context, keys["host"], keys["port"]) as front:
            place = {**keys, "host": "localhost", "port": front.port}
            error = await failure(**place, ca_file=str(certificates.ca_file))
        assert (error is not None) is wants_client
    assert {certificate, key} == {"sslcert", "sslkey"}
    for name in (certificate, key):
        assert await is_unknown(name)
        assert "unknown option" in str(await pool_failure(dsn=f"{dsn}?{name}=x"))


@proves(
    "Drop `{key}`: a connection is always {encoding}, even if `options` asks for another encoding.",
    adapter="stock",
)
async def test_the_encoding_is_always_the_same(dsn: str, key: str, encoding: str) -> None:
    assert await is_unknown(key)
    show = f"SHOW {key}"
    assert await value(show, dsn=dsn) == encoding
    assert await value(show, dsn=dsn, options="-c client_encoding=LATIN1") == encoding


def mistakes(dsn: str) -> dict[str, dict[str, Any]]:
    keys = keys_of(dsn)
    return {
        "unknown key": {"dsn": dsn, "min_size": 5},
        "string for an enum": {"dsn": dsn, "ssl_mode": "require"},
        "float for an int": {"dsn": dsn, "connect_timeout_sec": 0.5},
        "`max_db_pool_size` below 2": {"dsn": dsn, "max_db_pool_size": 1},
        "`_nanosec` without `_sec`": {"dsn": dsn, "connect_timeout_nanosec": 5},
        "DSN that cannot be parsed": {"dsn": "postgresql://localhost:port/app"},
        "`ca_file` that cannot be read": {"dsn": dsn, "ca_file": "/nowhere/ca.pem"},
        "no host": {**keys, "host": None},
        "refused": NOWHERE,
        "unknown host": {**keys, "host": "nowhere.invalid"},
        "wrong password": {**keys, "password": "wrong"},
        "no such database": {**keys, "db_name": "nowhere"},
    }


@proves("{names} | `{error}`", table="Mistake | Exception", adapter="stock")
async def test_the_exception_of_a_mistake(dsn: str, names: str, error: str) -> None:
    for name in names.split(", "):
        assert type(await failure(**mistakes(dsn)[name])).__name__ == error


@proves(
    "None of these is a `{ours}`.",
    "All but `{builtin}` derive from `psqlpy.{base}`:",
    "`PsqlpyConfig(...)` raises none of the errors below, and `provide_pool()` connects to "
    "nothing.",
    adapter="stock",
)
async def test_mistakes_are_no_errors_of_sqlspec(
    dsn: str, ours: str, builtin: str, base: str
) -> None:
    others = set()
    for keys in mistakes(dsn).values():
        PsqlpyConfig(connection_config=keys)
        error = await failure(**keys)
        assert error is not None
        assert not isinstance(error, getattr(sqlspec.exceptions, ours))
        if not isinstance(error, getattr(psqlpy, base)):
            others.add(type(error).__name__)
    assert others == {builtin}
    assert ours == "SQLSpecError"
    async with Tap.before(dsn) as tap:
        await PsqlpyConfig(connection_config={"dsn": tap.dsn(dsn)}).provide_pool()
        assert tap.accepted == 0


@proves(
    "Open a session before you take traffic:",
    "The pool alone says nothing about the server:",
    adapter="stock",
)
async def test_a_session_shows_what_the_pool_does_not() -> None:
    config = PsqlpyConfig(connection_config=NOWHERE)
    assert (await config.provide_pool()).status().size == 0
    with pytest.raises(BaseConnectionPoolError, match=REFUSED):
        async with config.provide_session():
            pass
    await config.close_pool()


@proves(
    "A larger `{key}` does not help here: a refused connection fails at once.",
    adapter="stock",
)
async def test_a_refused_connection_fails_at_once(key: str) -> None:
    began = time.monotonic()
    assert REFUSED in str(await failure(**NOWHERE, **{key: 3600}))
    assert time.monotonic() - began < 10
