"""Proofs of references/configuration.md: keys that set options of sockets, and their defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from configuration_tools import failure, kind_of, options, pool_failure
from proveskill import proves
from psqlpy.exceptions import ConnectionPoolConfigurationError

FIELDS = {"TCP_KEEPIDLE": "idle", "TCP_KEEPINTVL": "interval", "TCP_KEEPCNT": "retries"}
SYSTEM = {"TCP_KEEPIDLE": "time", "TCP_KEEPINTVL": "intvl", "TCP_KEEPCNT": "probes"}
PROBES = {
    "keepalives_idle_sec": ("idle", {"keepalives_idle_sec": 50}),
    "keepalives_idle_nanosec": (
        "idle",
        {"keepalives_idle_nanosec": 10**9, "keepalives_idle_sec": 0},
    ),
    "keepalives_interval_sec": ("interval", {"keepalives_interval_sec": 51}),
    "keepalives_interval_nanosec": (
        "interval",
        {"keepalives_interval_nanosec": 10**9, "keepalives_interval_sec": 0},
    ),
    "keepalives_retries": ("retries", {"keepalives_retries": 5}),
}
"""Key -> the option that it sets, and keys that set it."""


def of_the_system(option: str) -> int:
    return int(Path(f"/proc/sys/net/ipv4/tcp_keepalive_{SYSTEM[option]}").read_text())


@proves(
    "`{key}` | `{kind}` | the OS's | `{option}`",
    adapter="stock",
    table="Key | Type | Default | What it does",
)
async def test_a_keepalive_key_sets_an_option(dsn: str, key: str, kind: str, option: str) -> None:
    found = await options(dsn, keepalives=True, **{key: 77})
    assert getattr(found, FIELDS[option]) == 77
    assert getattr(await options(dsn), FIELDS[option]) == of_the_system(option)
    assert await kind_of(key) == kind


@proves(
    "`{key}` | `{kind}` | {default} | needs `{other}`",
    adapter="stock",
    table="Key | Type | Default | What it does",
)
async def test_nanoseconds_of_a_keepalive_key(
    dsn: str, key: str, kind: str, default: int, other: str
) -> None:
    assert isinstance(await pool_failure(dsn=dsn, **{key: 10**9}), ConnectionPoolConfigurationError)
    field = PROBES[key][0]
    assert getattr(await options(dsn, keepalives=True, **{other: 7}), field) == 7 + default
    more = await options(dsn, keepalives=True, **{other: 7, key: 10**9})
    assert getattr(more, field) == 8
    assert await kind_of(key) == kind


@proves(
    "`{key}` | `{kind}` | {default} (off) | socket option `{option}`",
    "`{again}` is {zero} (off) unless you set it.",
    adapter="stock",
    table="Key | Type | Default | What it does",
)
async def test_the_user_timeout(
    dsn: str, key: str, kind: str, default: int, option: str, again: str, zero: int
) -> None:
    field = {"TCP_USER_TIMEOUT": "user"}[option]
    assert getattr(await options(dsn), field) == default == zero
    assert getattr(await options(dsn, **{key: 30}), field) == 30_000
    assert getattr(await options(dsn, **{again: 30}), field) == 30_000
    assert await kind_of(key) == kind


@proves("`tcp_user_timeout_nanosec` | `{kind}` | {default} | is added to `{other}`",
        adapter="stock", table="Key | Type | Default | What it does")  # fmt: skip
async def test_nanoseconds_of_the_user_timeout(
    dsn: str, kind: str, default: int, other: str
) -> None:
    assert (await options(dsn, **{other: 7})).user == 7_000 + default
    found = await options(dsn, **{other: 7, "tcp_user_timeout_nanosec": 5 * 10**8})
    assert found.user == 7_500
    assert await kind_of("tcp_user_timeout_nanosec") == kind


@proves(
    "`{key}` | `{kind}` | {default} | `{enables}` makes the next {count} count",
    "`keepalives: {enables_again}` is what makes the other keepalive keys count:",
    "Without `keepalives: {without}` they are dropped in silence, and `keepalives: {disables}` "
    "does not turn keepalive off.",
    "Only the DSN can:",
    adapter="stock",
    table="Key | Type | Default | What it does",
)
async def test_what_makes_keepalive_keys_count(
    dsn: str,
    key: str,
    kind: str,
    default: bool,
    enables: bool,
    count: int,
    enables_again: bool,
    without: bool,
    disables: bool,
) -> None:
    assert {enables, enables_again, without} == {True}
    system = await options(dsn)
    assert system.keepalive == default
    dropped = []
    for name, (field, keys) in PROBES.items():
        wanted = keys.get(name.replace("nanosec", "sec")) or 1
        assert getattr(await options(dsn, **{key: enables}, **keys), field) == wanted
        if await options(dsn, **keys) == system:
            dropped.append(name)
    assert len(dropped) == count
    assert await options(dsn, keepalives=disables) == system
    assert await options(dsn, keepalives=disables, keepalives_idle_sec=50) == system
    assert not (await options(f"{dsn}?keepalives=0")).keepalive
    assert await kind_of(key) == kind


@proves("In a DSN, `keepalives_idle=60` counts on its own.")
async def test_a_keepalive_option_of_a_connection_string(dsn: str) -> None:
    assert (await options(f"{dsn}?keepalives_idle=60")).idle == 60


@proves(
    "{idle} s idle, {interval} s interval and {probes} probes are Linux's defaults: setting them "
    "changes nothing.",
    adapter="stock",
)
async def test_the_defaults_of_linux(dsn: str, idle: int, interval: int, probes: int) -> None:
    system = await options(dsn)
    assert (system.idle, system.interval, system.retries) == (idle, interval, probes)
    keys = {"keepalives_idle_sec": idle, "keepalives_interval_sec": interval}
    again = await options(dsn, keepalives=True, **keys, keepalives_retries=probes)
    assert again == system


@proves(
    "A `_nanosec` key needs its `_sec` key; `_sec: {zero}` will do, for keepalives only with a "
    "whole second of nanoseconds.",
    adapter="stock",
)
async def test_nanoseconds_need_seconds(dsn: str, zero: int) -> None:
    for name in ("connect_timeout", "tcp_user_timeout", "keepalives_idle", "keepalives_interval"):
        alone: dict[str, Any] = {"dsn": dsn, f"{name}_nanosec": 10**9}
        with pytest.raises(ConnectionPoolConfigurationError, match=f"{name}_sec"):
            raise await pool_failure(**alone) or AssertionError(name)
        assert await failure(**alone, **{f"{name}_sec": zero}, keepalives=True) is None
    user = await options(dsn, tcp_user_timeout_sec=zero, tcp_user_timeout_nanosec=5 * 10**8)
    assert user.user == 500
    idle = {"keepalives": True, "keepalives_idle_sec": zero}
    assert (await options(dsn, **idle, keepalives_idle_nanosec=10**9)).idle == 1
    assert await failure(dsn=dsn, **idle, keepalives_idle_nanosec=5 * 10**8) is not None
