"""Proofs of references/configuration.md: what makes up the address of a server."""

from __future__ import annotations

import asyncio
import os
import pwd
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psqlpy
import pytest
from configuration_taps import Tap
from configuration_tools import (
    database_of,
    failure,
    greeting,
    keys_of,
    own_address,
    pool_failure,
    value,
)
from proveskill import proves
from psqlpy.exceptions import BaseConnectionPoolError, ConnectionPoolBuildError
from sqlspec.adapters.psqlpy import PsqlpyConfig

PASSWORD = "p@ss/word"
WHERE = "SELECT current_user || ' ' || current_database()"


@pytest.fixture
async def role(session: Any) -> AsyncIterator[str]:
    """A user with the password p@ss/word."""
    name = f"configuration_{secrets.token_hex(4)}"
    await session.execute_script(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
    yield name
    await session.execute_script(f"DROP ROLE {name}")


@proves(
    "`{long}://...`, `{short}://...` and `{host}=... {user}=... {password}=... {dbname}=...` are "
    "understood."
)
async def test_the_forms_of_a_connection_string(
    dsn: str, long: str, short: str, host: str, user: str, password: str, dbname: str
) -> None:
    keys = keys_of(dsn)
    words = (
        f"{host}={keys['host']} {user}={keys['username']} {password}={keys['password']} "
        f"{dbname}={keys['db_name']} port={keys['port']}"
    )
    assert len({long, short}) == 2
    for text in (f"{long}:{dsn.partition(':')[2]}", f"{short}:{dsn.partition(':')[2]}", words):
        assert await value(WHERE, dsn=text) == f"{keys['username']} {keys['db_name']}"


@proves("Percent-encode a password that goes into a URL.")
async def test_a_password_in_a_url_is_decoded(dsn: str, role: str) -> None:
    keys = keys_of(dsn)
    place = f"{keys['host']}:{keys['port']}/{keys['db_name']}"
    url = f"postgresql://{role}:{quote(PASSWORD, safe='')}@{place}"
    assert await value("SELECT current_user", dsn=url) == role
    assert await failure(dsn=f"postgresql://{role}:{PASSWORD}@{place}") is not None


@proves("The password stays as it is: no percent-encoding here.")
async def test_a_password_of_its_own_is_not_decoded(dsn: str, role: str) -> None:
    keys = {**keys_of(dsn), "username": role}
    assert await value("SELECT current_user", **{**keys, "password": PASSWORD}) == role
    assert await failure(**{**keys, "password": quote(PASSWORD, safe="")}) is not None


@proves(
    "Put the user and the password into the DSN: `PGUSER`, `PGPASSWORD` and `PGHOST` are not read.",
    "A password is never looked up elsewhere, and a missing one fails when the server asks for it:",
    adapter="stock",
)
async def test_the_environment_is_not_read(
    dsn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keys = keys_of(dsn)
    passwords = tmp_path / "pgpass"
    passwords.write_text(f"*:*:*:*:{keys['password']}\n")
    passwords.chmod(0o600)
    monkeypatch.setenv("PGUSER", keys["username"])
    monkeypatch.setenv("PGPASSWORD", keys["password"])
    monkeypatch.setenv("PGHOST", keys["host"])
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    place = f"{keys['host']}:{keys['port']}/{keys['db_name']}"
    assert "no PostgreSQL user name" in str(await failure(dsn=f"postgresql://:x@{place}"))
    assert "host and hostaddr are missing" in str(await failure(dsn="user=a password=b dbname=c"))
    assert "password missing" in str(await failure(dsn=f"postgresql://{keys['username']}@{place}"))
    async with Tap.before(dsn) as tap:
        error = await failure(**{**keys, "host": "127.0.0.1", "port": tap.port, "password": None})
        assert "password missing" in str(error)
        # The startup went out; the server's question for a password was not answered.
        assert len(tap.said) == 1
        assert b"user\0" in tap.said[0]


@proves(
    "The DSN has its own option names: `{theirs}`, not `{ours}`.",
    "It takes some options of libpq, but neither its TLS files nor psqlpy's keyword names:",
    adapter="stock",
)
async def test_a_connection_string_has_option_names_of_its_own(
    dsn: str, theirs: str, ours: str
) -> None:
    assert await pool_failure(dsn=f"{dsn}?{theirs}=5") is None
    assert not isinstance(await pool_failure(dsn=dsn, **{ours: 5}), TypeError)
    for option in (ours, "sslrootcert", "sslcert", "sslkey", "ca_file", "max_db_pool_size"):
        with pytest.raises(ConnectionPoolBuildError, match=f"unknown option `?{option}"):
            psqlpy.ConnectionPool(dsn=f"{dsn}?{option}=5")


@proves("`{user}` means `{username}`; `{first}`, `{second}` and `{third}` mean `{db_name}`.")
async def test_other_names_of_user_and_database(
    dsn: str, user: str, username: str, first: str, second: str, third: str, db_name: str
) -> None:
    keys = keys_of(dsn)
    wanted = f"{keys['username']} {keys['db_name']}"
    assert len({user, username, first, second, third, db_name}) == 6
    for name in (user, username):
        given = {**keys, "username": None, name: keys["username"]}
        assert await value(WHERE, **given) == wanted
    for name in (first, second, third, db_name):
        given = {**keys, "db_name": None, name: keys["db_name"]}
        assert await value(WHERE, **given) == wanted


@proves(
    "`host` has no default.", "A configuration of pool keys alone cannot connect:", adapter="stock"
)
async def test_a_host_must_be_given(dsn: str) -> None:
    with pytest.raises(BaseConnectionPoolError, match="both host and hostaddr are missing"):
        await value("SELECT 1", max_db_pool_size=2, connect_timeout_sec=30)
    without = {**keys_of(dsn), "host": None}
    assert "both host and hostaddr are missing" in str(await failure(**without))


@proves("A key whose value is `None` counts as absent.")
async def test_none_counts_as_absent(dsn: str) -> None:
    absent = dict.fromkeys(
        ("host", "hosts", "username", "options", "application_name", "ssl_mode", "ca_file")
    )
    given = {**absent, "dsn": dsn, "keepalives": None, "connect_timeout_nanosec": None}
    assert await value("SHOW application_name", **given) == ""


@proves("Without `username` the name of the operating system's user is taken.", adapter="stock")
async def test_the_default_user_is_that_of_the_operating_system() -> None:
    said = await greeting(db_name="there", password="x")
    assert said["user"] == pwd.getpwuid(os.getuid()).pw_name


@proves("Without `db_name` the database with the user's name is opened.")
async def test_the_default_database_has_the_name_of_the_user(dsn: str) -> None:
    user = keys_of(dsn)["username"]
    assert database_of(dsn) != user
    assert await value(WHERE, **{**keys_of(dsn), "db_name": None}) == f"{user} {user}"


@proves("Without `port` it is {port}.")
async def test_the_default_port(port: int) -> None:
    keys = {"username": "somebody", "password": "x", "db_name": "there", "ssl_mode": None}
    said = await greeting(own_address(), port, port=None, **keys)
    assert said["user"] == "somebody"


@proves("Keys go into `{place}`, not into the call:")
async def test_keys_are_no_arguments_of_the_call(dsn: str, place: str) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        PsqlpyConfig(dsn=dsn)
    config = PsqlpyConfig(**{place: {"dsn": dsn}})
    async with asyncio.timeout(10), config.provide_session() as session:
        assert await session.select_value("SELECT current_database()") == database_of(dsn)
    await config.close_pool()
