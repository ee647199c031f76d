"""Proofs of references/drop-in.md: the limits of waits, and the keys that are new."""

from __future__ import annotations

import asyncio
import os
import time

import psqlpy
import psqlpy_adapter.flight
import psqlpy_adapter.pools
import pytest
from dropin_tools import answer, opened
from proveskill import proves
from psqlpy_adapter import PsqlpyConfig
from relay import Relay
from sqlspec.exceptions import QueryTimeoutError, SQLSpecError
from watching_tools import ask

SILENT = os.environ["SILENT_DATABASE_URL"]
OPEN = """SELECT count(*) FROM pg_stat_activity
    WHERE application_name = %s AND datname = current_database()"""


def default_of(key: str) -> float | None:
    """What holds where nothing is given, and that 0 is no limit."""
    settings = PsqlpyConfig(connection_config={"host": "h"}).settings
    return getattr(settings, key.removesuffix("_sec"), settings)


async def failure(dsn: str, key: str, limit: float) -> BaseException:
    """Wait longer than a limit allows."""
    try:
        if key == "connect_timeout_sec":
            async with opened(SILENT, **{key: limit}) as config:
                await answer(config)
        keys = {"max_db_pool_size": 1, key: limit}
        async with opened(dsn, **keys) as config, config.provide_session() as session:
            if key == "pool_timeout_sec":
                await answer(config)
            await session.execute("SELECT pg_sleep(5)")
    except SQLSpecError as error:
        return error
    raise AssertionError("nothing was limited")


WAITS = {
    "connect_timeout_sec": "TCP connect, TLS and login, each host",
    "pool_timeout_sec": "a free connection",
    "statement_timeout_sec": "a statement, on the server",
}


@proves("{wait} | `{key}` | {default} | `{error}`", table="Wait | Key | Default | Error")
async def test_each_wait_has_its_limit(
    wait: str, key: str, default: int | None, error: str, dsn
) -> None:
    assert wait == WAITS[key]
    assert default_of(key) == default
    began = time.monotonic()
    raised = await failure(dsn, key, 0.1)
    assert type(raised).__name__ == error
    assert 0.09 < time.monotonic() - began < 5


@proves("Each wait has a limit of its own; `{none}` is none.")
async def test_no_limit(none: int, dsn) -> None:
    """A limit of one millisecond ends each of the waits, which take longer here."""
    keys = dict.fromkeys(WAITS, none)
    async with opened(dsn, max_db_pool_size=1, **keys) as config:
        settings = config.settings
        limits = settings.connect_timeout, settings.pool_timeout, settings.statement_timeout
        assert limits == (None, None, None)
        async with config.provide_session() as session:
            assert await session.select_value("SHOW statement_timeout") == "0"
            waiting = asyncio.create_task(answer(config))
            await session.execute("SELECT pg_sleep(0.05)")
            assert not waiting.done()
        assert await waiting == 42


@proves(
    "`connect_timeout_sec` | {default} | up to the end of the login, each host",
    table="`connection_config` | Default | Meaning",
)
async def test_the_limit_of_a_login_is_for_each_host(default: int) -> None:
    assert default_of("connect_timeout_sec") == default
    place = SILENT.rpartition("@")[2].partition("/")[0]
    for hosts in (1, 2):
        url = SILENT.replace(place, ",".join([place] * hosts))
        began = time.monotonic()
        async with opened(url, connect_timeout_sec=0.1) as config:
            with pytest.raises(SQLSpecError):
                await answer(config)
        assert 0.1 * hosts <= time.monotonic() - began


@proves(
    "`pool_timeout_sec` | {default} | wait for a connection; {none}: no limit",
    table="`connection_config` | Default | Meaning",
)
async def test_the_limit_of_the_wait_for_a_connection(default: int, none: int, dsn) -> None:
    assert default_of("pool_timeout_sec") == default
    assert type(await failure(dsn, "pool_timeout_sec", 0.05)).__name__ == "PoolTimeoutError"
    assert default_of("pool_timeout_sec") is not None
    async with opened(dsn, pool_timeout_sec=none) as config:
        assert config.settings.pool_timeout is None


@proves(
    "`statement_timeout_sec` | {default} | the server's limit of each statement; "
    "the client's own is {grace} s longer",
    table="`connection_config` | Default | Meaning",
)
async def test_the_limits_of_a_statement(default: int | None, grace: int, dsn, monkeypatch) -> None:
    """The client's limit is waited for with a shorter grace, and the link is given up sooner."""
    async with opened(dsn) as config:
        assert await answer(config, "SHOW statement_timeout") == "0"
        assert config.settings.statement_timeout == default
    keys = {"statement_timeout_sec": 1}
    async with opened(dsn, **keys) as config, config.provide_session() as session:
        assert session.checkout.statement_limit == 1 + grace
    monkeypatch.setattr(psqlpy_adapter.pools, "GRACE", 0.1)
    monkeypatch.setattr(psqlpy_adapter.flight, "WAIT_SECONDS", 0.1)
    async with Relay.before(dsn) as relay:
        keys = {"statement_timeout_sec": 0.2, "connect_timeout_sec": 0.5}
        async with opened(relay.dsn(dsn), **keys) as config, config.provide_session() as session:
            assert await session.select_value("SHOW statement_timeout") == "200ms"
            with pytest.raises(QueryTimeoutError, match="due to statement timeout"):
                await session.execute("SELECT pg_sleep(5)")
            relay.is_mute = True
            with pytest.raises(QueryTimeoutError, match="the client's own limit"):
                await session.execute("SELECT 1")
            relay.cut()


@proves(
    "`min_db_pool_size` connections are opened with the pool, and the rest when they are needed.",
    "`min_db_pool_size` | {least} | connections that are opened with the pool",
    "`config.warm_up(size)` | opens connections",
    table=("`connection_config` | Default | Meaning", "Call | New"),
)
async def test_connections_are_opened_with_the_pool(least: int, dsn) -> None:
    for size, expected in ((None, least), (2, 2)):
        name = f"warm {size}"
        keys = {"application_name": name, "min_db_pool_size": size, "max_db_pool_size": 4}
        async with opened(dsn, **keys) as config:
            await config.provide_pool()
            assert ask(dsn, OPEN, name) == expected
            async with config.provide_session(), config.provide_session():
                async with config.provide_session() as session:
                    assert await session.select_value("SELECT 42") == 42
                assert ask(dsn, OPEN, name) == 3
            await config.warm_up(4)
            assert ask(dsn, OPEN, name) == 4


@proves(
    "`max_db_pool_size` | {default} | {least} and more",
    table="`connection_config` | Default | Meaning",
)
async def test_the_size_of_a_pool(default: int, least: int, dsn) -> None:
    async with opened(dsn, max_db_pool_size=None) as config:
        assert (await config.provide_pool()).status().max_size == default
    keys = {"max_db_pool_size": least, "pool_timeout_sec": 0.05}
    async with opened(dsn, **keys) as config, config.provide_session() as session:
        assert await session.select_value("SELECT 42") == 42
        with pytest.raises(SQLSpecError, match=f"all {least} "):
            await answer(config)
    with pytest.raises(SQLSpecError):
        PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": least - 1})


RECYCLING = {"fast": False, "verified": False, "clean": True, "auto": True}


@proves("`conn_recycling_method` | `\"{default}\"` | also `\"{one}\"`, `\"{other}\"`; "
        "`\"{word}\"` is `\"{same}\"`",
        table="`connection_config` | Default | Meaning")  # fmt: skip
async def test_the_words_of_recycling(
    default: str, one: str, other: str, word: str, same: str, dsn
) -> None:
    assert PsqlpyConfig(connection_config={"dsn": dsn}).settings.recycling == default
    found = {}
    for method in (default, one, other, word):
        async with opened(dsn, max_db_pool_size=1, conn_recycling_method=method) as config:
            await answer(config, "SELECT set_config('lock_timeout', '7s', false)")
            found[method] = await answer(config, "SHOW lock_timeout") == "0"
    assert found == RECYCLING
    assert found[word] is found[same] is True
    assert {default, one, other} == {
        str(method).rpartition(".")[2].lower()
        for method in (
            psqlpy.ConnRecyclingMethod.Fast,
            psqlpy.ConnRecyclingMethod.Verified,
            psqlpy.ConnRecyclingMethod.Clean,
        )
    }
