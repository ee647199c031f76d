"""Proofs of references/troubleshooting.md: connections that fail, waits, settings."""

from __future__ import annotations

import asyncio
import re
import subprocess
import time

import psqlpy
import psqlpy.exceptions
import pytest
import sqlspec.exceptions
from best_practices_tools import failure
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.adapters.psqlpy.config import PsqlpyPoolParams
from watching_tools import until

NOBODY = "postgresql://app:secret@127.0.0.1:1/shop"


async def connect(**settings):
    config = PsqlpyConfig(connection_config=settings)
    try:
        async with config.provide_session() as session:
            return await session.select_value("SELECT 1")
    finally:
        await config.close_pool()


@proves(
    "Test the server without Python first: `{tool}` ends with status {up} when it answers, with "
    "{down} when nobody does."
)
def test_the_status_of_a_server(dsn, tool: str, up: int, down: int):
    assert subprocess.run([tool, "-q", "-d", dsn]).returncode == up
    assert subprocess.run([tool, "-q", "-d", NOBODY]).returncode == down
    select = ["psql", dsn, "-Atc", "SELECT 'ready'"]
    assert subprocess.run(select, capture_output=True).stdout == b"ready\n"


@proves(
    "`PsqlpyConfig()` checks nothing: the first session connects, and raises psqlpy's error, which "
    "is not a `{other}`.",
    "`{key}` has no default.",
    "With password authentication the DSN needs a password:",
    "`{refused}`, `{password}`, `{host}` | Connect at all",
    adapter="stock",
    table="You see | Section",
)
async def test_the_first_session_connects_and_raises(
    dsn, session, other: str, key: str, refused: str, password: str, host: str
):
    ours = getattr(sqlspec.exceptions, other)
    assert type(await failure(session.execute("SELECT * FROM nowhere"))) is ours
    login = {"username": "app", "password": "secret", "db_name": "shop"}
    for settings, message in (
        ({"dsn": NOBODY}, refused),
        (login, f"both {host}"),
        ({"dsn": re.sub(r":[^:@/]+@", "@", dsn)}, password),
        ({"dsn": dsn + "_typo"}, "does not exist"),
    ):
        PsqlpyConfig(connection_config=settings)
        error = await failure(connect(**settings))
        assert message in str(error)
        assert isinstance(error, psqlpy.exceptions.Error)
        assert not isinstance(error, ours)
    given = {key: "127.0.0.1", "port": 1, **login}
    assert "Connection refused" in str(await failure(connect(**given)))


@proves(
    "A refused connection fails at once: a larger `{limit}` does not help it; start the server or "
    "correct host and port.",
    adapter="stock",
)
async def test_a_refused_connection_fails_at_once(dsn, limit: str):
    for seconds in (0, 30, 3_000):
        begun = time.monotonic()
        error = await failure(connect(dsn=NOBODY, **{limit: seconds}))
        assert "Connection refused" in str(error)
        assert time.monotonic() - begun < 10
    assert await connect(dsn=dsn, **{limit: 30}) == 1


@proves(
    'No "connection timeout" error comes from a server that accepts TCP and stays silent: '
    "`{limit}` ends with the TCP connect.",
    "Bound the acquisition of the session.",
    'connecting never ends, "connection timeout" | End a connect that never answers',
    adapter="stock",
    table="You see | Section",
)
async def test_no_error_comes_from_a_silent_server(silent, limit: str):
    short = {limit: 0, limit.replace("_sec", "_nanosec"): 50_000_000}
    waiting = asyncio.create_task(connect(dsn=silent.dsn, **short))
    await until(lambda: silent.accepted)
    ended, _ = await asyncio.wait([waiting], timeout=0.1)
    assert ended == set()
    waiting.cancel()
    await asyncio.wait([waiting])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await connect(dsn=silent.dsn, **short)


@proves(
    'There is no "pool exhausted" error: the next `{method}()` waits without limit.',
    "`{status}()` shows it.",
    "Cure: never open a session inside a session, put `asyncio.timeout` around the acquisition, "
    "and give the pool enough connections.",
    '`provide_session()` never ends, "pool exhausted" | End a wait for the pool',
    adapter="stock",
    table="You see | Section",
)
async def test_a_full_pool_lets_wait(dsn, method: str, status: str):
    config = PsqlpyConfig(
        connection_config={
            "dsn": dsn,
            "max_db_pool_size": 2,
            "connect_timeout_sec": 0,
            "connect_timeout_nanosec": 10_000_000,
            "options": "-c statement_timeout=10 -c lock_timeout=10",
        }
    )
    pool = await config.provide_pool()

    async def value():
        async with getattr(config, method)() as session:
            return await session.select_value("SELECT 1")

    async with config.provide_session(), config.provide_session():
        late = asyncio.create_task(value())
        await until(lambda: getattr(pool, status)().waiting)
        shown = getattr(pool, status)()
        assert (shown.max_size, shown.available, shown.waiting) == (2, 0, 1)
        assert (await asyncio.wait([late], timeout=0.1))[0] == set()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await value()
    assert await late == 1
    await config.close_pool()

    async def nested():
        async with config.provide_session() as outer:
            await both.wait()
            return await outer.select_value("SELECT 1") + await value()

    both = asyncio.Barrier(2)
    tasks = [asyncio.create_task(nested()) for _ in range(2)]
    assert (await asyncio.wait(tasks, timeout=0.1))[0] == set()
    (await config.provide_pool()).resize(4)
    more = [asyncio.create_task(value()) for _ in range(2)]
    assert await asyncio.gather(*tasks, *more) == [2, 2, 1, 1]
    await config.close_pool()


ENUMS = {
    "ssl_mode": (psqlpy.SslMode.Disable, "disable"),
    "conn_recycling_method": (psqlpy.ConnRecyclingMethod.Fast, "fast"),
    "target_session_attrs": (psqlpy.TargetSessionAttrs.ReadWrite, "read-write"),
    "load_balance_hosts": (psqlpy.LoadBalanceHosts.Random, "random"),
}


@proves(
    "The errors come with the first session, not with `PsqlpyConfig()`.",
    "Enumerated settings are psqlpy enums.",
    "`{wrong}`, `{unknown}` | Fix a setting that is refused",
    adapter="stock",
    table="You see | Section",
)
async def test_enumerated_settings(dsn, wrong: str, unknown: str):
    assert wrong in str(await failure(connect(dsn=dsn, ssl_mode="disable")))
    assert f"{unknown} 'mode'" in str(await failure(connect(dsn=dsn, mode="disable")))
    for key, (member, word) in ENUMS.items():
        PsqlpyConfig(connection_config={"dsn": dsn, key: word})
        error = await failure(connect(dsn=dsn, **{key: word}))
        assert type(error) is TypeError
        assert f"'str' object is not an instance of '{type(member).__name__}'" in str(error)
        assert await connect(dsn=dsn, **{key: member}) == 1


@proves(
    "psqlpy does not know `{certificate}`, `{key}`, `{root}` (use `{right}`) and `{encoding}`.",
    adapter="stock",
)
async def test_keys_that_psqlpy_does_not_know(
    dsn, certificate: str, key: str, root: str, right: str, encoding: str
):
    assert (
        type(await failure(connect(dsn=dsn, **{right: "/nowhere/ca.pem"}))).__name__ == "SSLError"
    )
    unknown = [certificate, key, root, encoding]
    for name in unknown:
        error = await failure(connect(dsn=dsn, **{name: "x"}))
        assert str(error).endswith(f"unexpected keyword argument '{name}'")
    assert len(set(unknown) & PsqlpyPoolParams.__annotations__.keys()) == 4  # SQLSpec knows them
