"""Proofs of references/configuration.md: the table of the keys, and what wins over a DSN."""

from __future__ import annotations

from typing import Any

import psqlpy
import psutil
from configuration_tools import (
    database_of,
    failure,
    greeting,
    keys_of,
    kind_of,
    options,
    own_address,
    pool_failure,
    value,
)
from proveskill import proves
from psqlpy import TargetSessionAttrs
from psqlpy.exceptions import BaseConnectionPoolError, ConnectionPoolConfigurationError
from sqlspec.adapters.psqlpy import PsqlpyConfig

SOMEBODY = {"username": "somebody", "password": "x", "db_name": "there"}


@proves(
    "`dsn`, or `{first}`, `{second}`, `{third}` | `{kind}` | none | the whole address",
    adapter="stock",
    table="Key | Type | Default | What it does",
)
async def test_the_names_of_the_connection_string(
    dsn: str, first: str, second: str, third: str, kind: str
) -> None:
    assert len({"dsn", first, second, third}) == 4
    for name in ("dsn", first, second, third):
        assert await value("SELECT current_database()", **{name: dsn}) == database_of(dsn)
        assert await kind_of(name) == kind
    assert isinstance(await failure(), BaseConnectionPoolError)


@proves(
    "`{key}` | `{kind}` | none | required without a `{other}`",
    adapter="stock",
    table="Key | Type | Default | What it does",
)
async def test_a_host_is_required(dsn: str, key: str, kind: str, other: str) -> None:
    keys = keys_of(dsn)
    assert await failure(**keys) is None
    assert await failure(**{other: dsn}) is None
    assert "host and hostaddr are missing" in str(await failure(**{**keys, key: None}))
    assert await kind_of(key) == kind


@proves(
    "`port` | `{kind}` | {default} | ", adapter="stock", table="Key | Type | Default | What it does"
)
async def test_a_port_has_a_default(kind: str, default: int) -> None:
    said = await greeting(own_address(), default, port=None, **SOMEBODY)
    assert said["user"] == "somebody"
    assert await kind_of("port") == kind


@proves(
    "`{hosts}`, `{ports}` | `{kind}` | none | several servers: Replicas",
    adapter="stock",
    table="Key | Type | Default | What it does",
)
async def test_several_hosts_are_tried(dsn: str, hosts: str, ports: str, kind: str) -> None:
    keys = keys_of(dsn)
    places = {hosts: ["127.0.0.1", keys.pop("host")], ports: [1, keys.pop("port")]}
    assert await value("SELECT 42", **keys, **places) == 42
    assert [await kind_of(hosts), await kind_of(ports)] == [kind, kind]


@proves(
    "`username`, or `{alias}` | `{kind}` | the OS user | ",
    adapter="stock",
    table="Key | Type | Default | What it does",
)
async def test_the_user(alias: str, kind: str) -> None:
    assert (await greeting(**{**SOMEBODY, "username": None, alias: "me"}))["user"] == "me"
    assert await greeting(password="x", db_name="there") != await greeting(**SOMEBODY)
    assert alias != "username"
    assert [await kind_of("username"), await kind_of(alias)] == [kind, kind]


@proves("`{key}` | `{kind}` | none | ", section="configuration#look-up-a-connection-key",
        adapter="stock", table="Key | Type | Default | What it does")  # fmt: skip
async def test_the_password(dsn: str, key: str, kind: str) -> None:
    keys = keys_of(dsn)
    assert await failure(**keys) is None
    assert "password missing" in str(await failure(**{**keys, key: None}))
    assert await kind_of(key) == kind


@proves(
    "`db_name`, or `{first}`, `{second}`, `{third}` | `{kind}` | the user's name | ",
    adapter="stock",
    table="Key | Type | Default | What it does",
)
async def test_the_database(dsn: str, first: str, second: str, third: str, kind: str) -> None:
    assert len({"db_name", first, second, third}) == 4
    for name in ("db_name", first, second, third):
        assert (await greeting(**{**SOMEBODY, "db_name": None, name: "here"}))["database"] == "here"
        assert await kind_of(name) == kind
    default = await value("SELECT current_database()", **{**keys_of(dsn), "db_name": None})
    assert default == keys_of(dsn)["username"]


@proves(
    "`{key}` | `{kind}` | none | server parameters: `{form}`",
    adapter="stock",
    table="Key | Type | Default | What it does",
)
async def test_the_options(key: str, kind: str, form: str, dsn: str) -> None:
    said = await greeting(**SOMEBODY)
    assert "options" not in said
    assert await kind_of(key) == kind
    filled = form.replace("name", "lock_timeout").replace("value", "7000")
    assert await value("SHOW lock_timeout", dsn=dsn, **{key: filled}) == "7s"


@proves(
    "`{key}` | `{kind}` | empty | ", adapter="stock", table="Key | Type | Default | What it does"
)
async def test_the_application_name(key: str, kind: str, dsn: str) -> None:
    query = "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()"
    assert await value(query, dsn=dsn) == ""
    assert await value(query, dsn=dsn, **{key: "billing"}) == "billing"
    assert await kind_of(key) == kind


@proves(
    "`{key}` | `{kind}` | none | is merged into the other keys",
    adapter="stock",
    table="Key | Type | Default | What it does",
)
async def test_extra_keys_are_merged(dsn: str, key: str, kind: str) -> None:
    keys = {"dsn": dsn, "application_name": "billing", key: {"options": "-c lock_timeout=7s"}}
    show = "SELECT current_setting('application_name') || current_setting('lock_timeout')"
    assert await value(show, **keys) == "billing7s"
    assert await value("SHOW lock_timeout", dsn=dsn) == "0"
    assert await kind_of(key) == kind


@proves(
    "`{key}` | `{kind}` | none | CA certificates, PEM",
    adapter="stock",
    table="Key | Type | Default | What it does",
)
async def test_a_file_of_authorities(key: str, kind: str, tmp_path: Any) -> None:
    """With certificates TLS is requested; without the key it is not."""
    import trustme

    good, bad = tmp_path / "ca.pem", tmp_path / "ca.der"
    trustme.CA().cert_pem.write_to_path(good)
    bad.write_bytes(b"-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
    assert await greeting(**SOMEBODY, **{key: str(good)}) == {"tls": "requested"}
    assert (await greeting(**SOMEBODY))["user"] == "somebody"
    assert type(await pool_failure(**{key: str(bad)})).__name__ == "SSLError"
    assert await kind_of(key) == kind


@proves("`{key}` | `{kind}` | {a_core} a CPU core | most connections; at least {least}",
        adapter="stock", table="Key | Type | Default | What it does")  # fmt: skip
async def test_the_size_of_the_pool(dsn: str, key: str, kind: str, a_core: int, least: int) -> None:
    pool = await PsqlpyConfig(connection_config={"dsn": dsn}).provide_pool()
    assert pool.status().max_size == a_core * psutil.cpu_count(logical=False)
    error = await pool_failure(dsn=dsn, **{key: least - 1})
    assert isinstance(error, ConnectionPoolConfigurationError)
    pool = await PsqlpyConfig(connection_config={"dsn": dsn, key: least}).provide_pool()
    assert pool.status().max_size == least
    taken = [await pool.connection() for _ in range(least)]
    assert pool.status().available == 0
    for connection in taken:
        connection.close()
    pool.close()
    assert await kind_of(key) == kind


WRONG_BESIDE_DSN = {
    "username": "nobody",
    "password": "wrong",
    "db_name": "nowhere",
    "host": "192.0.2.1",
    "hosts": ["192.0.2.1", "192.0.2.2"],
    "port": 1,
    "ports": [1, 2],
    "target_session_attrs": TargetSessionAttrs.ReadOnly,
}
ALIASES = {"user": "nobody", "database": "nowhere", "dbname": "nowhere", "db": "nowhere"}


@proves(
    "Beside a `dsn`, {count} keys and their aliases are ignored in silence: {names} and {last}.",
    adapter="stock",
)
async def test_keys_that_are_ignored_beside_a_connection_string(
    dsn: str, count: int, names: str, last: str
) -> None:
    named = {name.strip("`") for name in (*names.split(", "), last)}
    assert named == WRONG_BESIDE_DSN.keys()
    assert len(named) == count
    where = "SELECT current_user || ' ' || current_database()"
    wanted = f"{keys_of(dsn)['username']} {database_of(dsn)}"
    for key, wrong in (WRONG_BESIDE_DSN | ALIASES).items():
        assert await value(where, dsn=dsn, **{key: wrong}) == wanted


@proves(
    "The other keys do apply beside a `dsn`, and win over the DSN's own option.",
    "`{options}` replaces the DSN's `options` as a whole:",
    adapter="stock",
)
async def test_keys_that_win_over_the_connection_string(dsn: str, options: str) -> None:
    both = f"{dsn}?application_name=dsn&options=-c%20statement_timeout%3D5000&sslmode=prefer"
    assert await value("SHOW application_name", dsn=both) == "dsn"
    assert await value("SHOW application_name", dsn=both, application_name="key") == "key"
    assert await value("SHOW statement_timeout", dsn=both) == "5s"
    replaced = {"dsn": both, options: "-c lock_timeout=1000"}
    assert await value("SHOW lock_timeout", **replaced) == "1s"
    assert await value("SHOW statement_timeout", **replaced) == "0"
    error = await failure(dsn=both, ssl_mode=psqlpy.SslMode.Require)
    assert "does not support TLS" in str(error)


@proves(
    "The other keys do apply beside a `dsn`, and win over the DSN's own option.", adapter="stock"
)
async def test_limits_win_over_the_connection_string(dsn: str) -> None:
    both = f"{dsn}?tcp_user_timeout=9&keepalives_idle=9&keepalives_interval=9&keepalives_retries=9"
    found = await options(both)
    assert (found.user, found.idle, found.interval, found.retries) == (9000, 9, 9, 9)
    probes = {"keepalives_idle_sec": 8, "keepalives_interval_sec": 8, "keepalives_retries": 8}
    found = await options(both, tcp_user_timeout_sec=8, keepalives=True, **probes)
    assert (found.user, found.idle, found.interval, found.retries) == (8000, 8, 8, 8)
