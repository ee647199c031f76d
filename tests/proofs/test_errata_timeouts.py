"""Proofs of references/errata.md: timeouts and keepalives."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from configuration_tools import failure, full_queue, options, pool_failure, value
from proveskill import proves
from silent_tools import Silent
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import QueryTimeoutError
from watching_tools import until


async def waits(config: PsqlpyConfig, seconds: float, begun: Any) -> bool:
    """Whether a session is still waited for some seconds after the wait has begun."""

    async def open_session() -> None:
        async with config.provide_session():
            pass

    task = asyncio.create_task(open_session())
    await until(begun)
    await asyncio.wait({task}, timeout=seconds)
    is_waiting = not task.done()
    task.cancel()
    await asyncio.wait({task})
    return is_waiting


@proves(
    "B10 | `{key}` bounds the way to a session | it ends the TCP connect, not the login and not "
    "the wait for a full pool",
    adapter="stock",
    table="claim | false | true",
)
async def test_what_the_connect_timeout_ends(dsn: str, silent: Silent, key: str) -> None:
    with full_queue() as lost:
        assert "connection timed out" in str(await failure(dsn=lost, **{key: 0}))
    config = PsqlpyConfig(connection_config={"dsn": silent.dsn, key: 0})
    assert await waits(config, 0.1, lambda: silent.accepted == 1)
    await config.close_pool()
    keys = {"dsn": dsn, "max_db_pool_size": 2, key: 0, "connect_timeout_nanosec": 200_000_000}
    config = PsqlpyConfig(connection_config=keys)
    async with config.provide_session(), config.provide_session():
        pool = await config.provide_pool()
        assert await waits(config, 0.25, lambda: pool.status().waiting == 1)
    await config.close_pool()


@proves(
    "B11 | `connect_timeout_nanosec` is a limit by itself | it needs `{b11}`; alone it raises "
    "`{b11_error}`",
    "B13 | `tcp_user_timeout_nanosec` is a limit by itself | it needs `{b13}`; alone it raises "
    "`{b13_error}`",
    adapter="stock",
    table="claim | false | true",
)
async def test_nanoseconds_need_seconds(
    dsn: str, b11: str, b11_error: str, b13: str, b13_error: str
) -> None:
    rows = (
        ("connect_timeout_nanosec", b11, b11_error),
        ("tcp_user_timeout_nanosec", b13, b13_error),
    )
    for key, other, error in rows:
        keys = {"dsn": dsn, key: 5 * 10**8}
        assert type(await pool_failure(**keys)).__name__ == error
        assert await value("SELECT 42", **keys, **{other: 5}) == 42


@proves(
    "B14 | `keepalives` switches keepalive on and off | it is on anyway, and `{off}` does not turn "
    "it off; `?{option}={zero}` in the DSN does",
    adapter="stock",
    table="claim | false | true",
)
async def test_what_turns_keepalive_off(dsn: str, off: bool, option: str, zero: int) -> None:
    assert (await options(dsn)).keepalive
    assert await options(dsn, keepalives=off) == await options(dsn)
    assert off is False
    assert not (await options(f"{dsn}?{option}={zero}")).keepalive


@proves(
    "B15 | `keepalives_idle_sec` works by itself | it counts only beside `{b15}: {b15_value}`",
    "B16 | `keepalives_interval_sec` works by itself | it counts only beside `{b16}: {b16_value}`",
    "B17 | `keepalives_retries` works by itself | it counts only beside `{b17}: {b17_value}`",
    adapter="stock",
    table="claim | false | true",
)
async def test_keys_that_count_only_beside_another(
    dsn: str, b15: str, b15_value: bool, b16: str, b16_value: bool, b17: str, b17_value: bool
) -> None:
    system = await options(dsn)
    rows = (
        ("keepalives_idle_sec", "idle", b15, b15_value),
        ("keepalives_interval_sec", "interval", b16, b16_value),
        ("keepalives_retries", "retries", b17, b17_value),
    )
    for key, field, other, beside in rows:
        assert await options(dsn, **{key: 7}) == system
        assert getattr(await options(dsn, **{key: 7, other: beside}), field) == 7
        assert await options(dsn, **{key: 7, other: not beside}) == system


@proves(
    "G6 | {idle} s, {interval} s and {probes} probes protect a connection | they are Linux's "
    "defaults: the socket stays as it was",
    adapter="stock",
    table="claim | false | true",
)
async def test_the_defaults_of_linux(dsn: str, idle: int, interval: int, probes: int) -> None:
    system = await options(dsn)
    keys = {"keepalives_idle_sec": idle, "keepalives_interval_sec": interval}
    found = await options(dsn, keepalives=True, **keys, keepalives_retries=probes)
    assert found == system
    assert (found.idle, found.interval, found.retries) == (idle, interval, probes)


@proves(
    "G7 | `connect_timeout` and `tcp_user_timeout` bound what is slow | the keys are `{connect}` "
    "and `{user}`; a slow query is ended by `{statement}` only",
    adapter="stock",
    table="claim | false | true",
)
async def test_what_ends_a_slow_query(dsn: str, connect: str, user: str, statement: str) -> None:
    for name in ("connect_timeout", "tcp_user_timeout"):
        assert isinstance(await pool_failure(**{"dsn": dsn, name: 1}), TypeError)
    with full_queue() as lost:
        assert "connection timed out" in str(await failure(dsn=lost, **{connect: 0}))
    assert (await options(dsn, **{user: 1})).user == 1000
    slow = "SELECT pg_sleep(0.3)::text"
    nanoseconds = {
        f"{name}_nanosec": 250_000_000 for name in ("connect_timeout", "tcp_user_timeout")
    }
    assert await value(slow, dsn=dsn, **{connect: 0, user: 0}, **nanoseconds) == ""
    with pytest.raises(QueryTimeoutError):
        await value(slow, dsn=dsn, options=f"-c {statement}=20")


@proves(
    "H2 | a larger `{key}` helps when the server cannot be reached | a refused connection fails "
    "at once",
    adapter="stock",
    table="claim | false | true",
)
async def test_a_refused_connection_fails_at_once(key: str) -> None:
    with full_queue() as lost:
        assert "connection timed out" in str(await failure(dsn=lost, **{key: 0}))
    began = time.monotonic()
    error = await failure(dsn="postgresql://app:secret@127.0.0.1:1/app", **{key: 3600})
    assert "Connection refused" in str(error)
    assert time.monotonic() - began < 10


@proves(
    "H5 | timeouts and keepalives end a connect that hangs | none of them ends the wait for a "
    "server that accepts and stays silent",
    adapter="stock",
    table="claim | false | true",
)
async def test_nothing_ends_the_wait_for_a_silent_server(silent: Silent) -> None:
    """All limits are shorter than the time that is waited: probes begin after 1 s."""
    keys = {
        "dsn": silent.dsn,
        "connect_timeout_sec": 0,
        "connect_timeout_nanosec": 50_000_000,
        "tcp_user_timeout_sec": 0,
        "tcp_user_timeout_nanosec": 50_000_000,
        "keepalives": True,
        "keepalives_idle_sec": 1,
        "keepalives_interval_sec": 1,
        "keepalives_retries": 1,
    }
    config = PsqlpyConfig(connection_config=keys)
    assert await waits(config, 2.2, lambda: silent.accepted == 1)
    await config.close_pool()
