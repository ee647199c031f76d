"""Proofs of references/configuration.md: limits of a link on which packets are lost."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from configuration_taps import Tap
from configuration_tools import failure, full_queue, kind_of
from proveskill import proves
from psqlpy.exceptions import BaseConnectionPoolError
from socket_options import connected
from sqlspec.adapters.psqlpy import PsqlpyConfig
from watching_tools import until


async def seconds_to_fail(**keys: Any) -> float:
    """Return after how many seconds a connect to a port that drops packets fails."""
    with full_queue() as dsn:
        began = time.monotonic()
        error = await failure(dsn=dsn, **keys)
        with pytest.raises(BaseConnectionPoolError, match="connection timed out"):
            raise error or AssertionError
        return time.monotonic() - began


@proves(
    "the TCP connect to one address | `{key}`",
    "`{row}` | `{kind}` | none | bounds the TCP connect only",
    "`connect_timeout_nanosec` | `{kind_of_nanos}` | 0 | is added to `{other}`",
    "`{about}` is about the TCP connect alone.",
    "Here a port that drops packets, because its queue is full:",
    adapter="stock",
    table=("What takes long | What bounds it", "Key | Type | Default | What it does"),
)
async def test_the_limit_of_the_tcp_connect(
    key: str, row: str, kind: str, kind_of_nanos: str, other: str, about: str
) -> None:
    """That it bounds nothing else is shown with a silent server, in test_configuration_waits."""
    unbounded = asyncio.create_task(seconds_to_fail())
    async with asyncio.timeout(10):
        plain, with_nanos, *at_once = await asyncio.gather(
            seconds_to_fail(**{row: 1}),
            seconds_to_fail(**{other: 0, "connect_timeout_nanosec": 300_000_000}),
            seconds_to_fail(**{key: 0}),
            seconds_to_fail(**{about: 0}),
            seconds_to_fail(**{other: 0, "connect_timeout_nanosec": 0}),
        )
    assert plain > 0.99
    assert 0.29 < with_nanos < plain
    assert max(at_once) < plain
    assert not unbounded.done()
    unbounded.cancel()
    assert await kind_of(row) == kind
    assert await kind_of("connect_timeout_nanosec") == kind_of_nanos


@proves("sent data that nobody acknowledges | `{key}`", table="What takes long | What bounds it")
async def test_the_limit_of_data_that_nobody_acknowledges(dsn: str, key: str) -> None:
    """The relay drops packets; without the key the same statement still waits meanwhile."""
    async with Tap.before(dsn) as tap:
        bounded = {key: 0, key.replace("_sec", "_nanosec"): 200_000_000}
        configs = [
            PsqlpyConfig(connection_config={"dsn": tap.dsn(dsn), "max_db_pool_size": 2, **keys})
            for keys in (bounded, {})
        ]

        async def ask(config: PsqlpyConfig) -> None:
            async with config.provide_session() as session:
                await session.select_value("SELECT 1")
                ready.release()
                await go_on.wait()
                await session.select_value("SELECT 2")

        ready, go_on = asyncio.Semaphore(0), asyncio.Event()
        tasks = [asyncio.create_task(ask(config)) for config in configs]
        await ready.acquire()
        await ready.acquire()
        await tap.lose_packets()
        go_on.set()
        done, waiting = await asyncio.wait(tasks, timeout=5, return_when="FIRST_COMPLETED")
        assert done == {tasks[0]}
        assert waiting == {tasks[1]}
        tap.cut()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, Exception) for end in ends)
        for config in configs:
            await config.close_pool()


@proves(
    "an idle connection whose peer is gone | `{key}`",
    adapter="stock",
    table="What takes long | What bounds it",
)
async def test_an_idle_connection_is_given_up(dsn: str, key: str) -> None:
    """The relay drops packets; the socket that probes is closed, the other one stays."""
    once = {"keepalives_idle_sec": 1, "keepalives_interval_sec": 1, "keepalives_retries": 1}
    async with Tap.before(dsn) as tap:
        ports, configs = [], []
        for keys in ({**once, key: True}, once):
            config = PsqlpyConfig(
                connection_config={"dsn": tap.dsn(dsn), "max_db_pool_size": 2, **keys}
            )
            before = set(connected())
            async with config.provide_session() as session:
                await session.select_value("SELECT 1")
                peers = {found.getpeername()[1] for found in tap.sockets}
                ports.append((peers & set(connected()) - before).pop())
            configs.append(config)
        await tap.lose_packets()
        await until(lambda: ports[0] not in connected(), pause=0.05)
        assert ports[1] in connected()
        tap.cut()
        for config in configs:
            await config.close_pool()
