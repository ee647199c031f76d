"""A server that restarts, and a standby that is promoted, with reads and writes going on."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psqlpy_adapter
import psycopg
import pytest
from proveskill.servers._embedded import Embedded
from proveskill.servers._processes import Processes
from proveskill.servers._programs import unprivileged_account
from proveskill.servers._run_directory import make_run_directory, remove_run_directory
from proveskill.servers._standby import start_standby, wait_for_replay
from proveskill.servers._timings import Timings
from sqlspec.exceptions import SQLSpecError

WORKERS = 6
BATCH = 150
"""Rows that must have been acknowledged before the fault, and again after it."""


@dataclass
class Traffic:
    """Writers and readers that go on whatever happens, and what they were told."""

    config: Any
    acknowledged: set[int] = field(default_factory=set)
    doubtful: set[int] = field(default_factory=set)
    errors: list[Exception] = field(default_factory=list)
    reads: int = 0
    is_over: bool = False
    progress: asyncio.Event = field(default_factory=asyncio.Event)
    _next: int = 0

    async def write(self) -> None:
        while not self.is_over:
            number, self._next = self._next, self._next + 1
            try:
                async with self.config.provide_session() as session:
                    await session.execute("INSERT INTO kept VALUES ($1)", number)
            except SQLSpecError as error:
                self.doubtful.add(number)
                self.errors.append(error)
                await asyncio.sleep(0.02)
            else:
                self.acknowledged.add(number)
                self.progress.set()

    async def read(self, *, read_only: bool) -> None:
        while not self.is_over:
            try:
                async with self.config.provide_session(read_only=read_only) as session:
                    await session.select_value("SELECT count(*) FROM kept")
            except SQLSpecError as error:
                self.errors.append(error)
                await asyncio.sleep(0.02)
            else:
                self.reads += 1
                self.progress.set()

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not reached():
                self.progress.clear()
                await self.progress.wait()

    async def more_rows(self) -> None:
        goal = len(self.acknowledged) + BATCH
        await self.until(lambda: len(self.acknowledged) >= goal)


class Servers:
    """Embedded servers of this module's own, which may be stopped and promoted."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self.account = unprivileged_account()
        self.processes = Processes(self.account)
        self.timings = Timings()

    def make(self, name: str) -> Embedded:
        return Embedded(name, self.run, self.processes, self.account, self.timings)

    def stop(self, server: Embedded, how: signal.Signals) -> None:
        assert server._process is not None
        server._process.send_signal(how)
        server._process.wait(30)


@pytest.fixture
def own_servers() -> Iterator[Servers]:
    run = make_run_directory()
    servers = Servers(run)
    yield servers
    servers.processes.stop_all()
    remove_run_directory(run)


def execute(server: Embedded, *statements: str) -> list[Any]:
    with psycopg.connect(server.address.database("postgres"), autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def make_config(dsn: str, **keys: Any) -> Any:
    pool = {"dsn": dsn, "max_db_pool_size": 4, "connect_timeout_sec": 5, **keys}
    return psqlpy_adapter.PsqlpyConfig(connection_config=pool)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
async def test_no_acknowledged_row_is_lost_when_the_server_restarts(own_servers, how):
    server = await asyncio.to_thread(own_servers.make("primary").start, None)
    execute(
        server,
        "ALTER SYSTEM SET synchronous_commit = 'on'",
        "SELECT pg_reload_conf()",
        "CREATE TABLE kept (n int PRIMARY KEY)",
    )
    traffic = Traffic(make_config(server.address.database("postgres")))
    tasks = [asyncio.create_task(traffic.write()) for _ in range(WORKERS)]
    await traffic.more_rows()
    await asyncio.to_thread(own_servers.stop, server, how)
    await asyncio.to_thread(server.serve, server.port)
    await traffic.more_rows()
    traffic.is_over = True
    await asyncio.gather(*tasks)
    await traffic.config.close_pool()
    stored = {row[0] for row in execute(server, "SELECT n FROM kept")}
    assert traffic.errors, "the restart was not noticed"
    assert traffic.acknowledged <= stored <= traffic.acknowledged | traffic.doubtful


async def test_no_acknowledged_row_is_lost_when_a_standby_is_promoted(own_servers):
    primary = await asyncio.to_thread(own_servers.make("primary").start, None)
    standby = own_servers.make("standby")
    start = start_standby, primary, standby, own_servers.run, own_servers.processes
    await asyncio.to_thread(*start)
    execute(
        primary,
        # What is acknowledged is on the standby; not asked of the standby after its promotion.
        "ALTER SYSTEM SET synchronous_standby_names = '*'",
        "ALTER SYSTEM SET synchronous_commit = 'remote_apply'",
        "SELECT pg_reload_conf()",
        "CREATE TABLE kept (n int PRIMARY KEY)",
    )
    await asyncio.to_thread(wait_for_replay, primary, standby)
    credentials = primary.address.database("postgres").rpartition("@")[0]
    hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
    traffic = Traffic(
        make_config(f"{credentials}@{hosts}/postgres", target_session_attrs="read-write")
    )
    tasks = [asyncio.create_task(traffic.write()) for _ in range(WORKERS)]
    tasks += [asyncio.create_task(traffic.read(read_only=True)) for _ in range(2)]
    await traffic.more_rows()
    await asyncio.to_thread(own_servers.stop, primary, signal.SIGQUIT)
    assert execute(standby, "SELECT pg_promote(true, 30)") == [(True,)]
    await traffic.more_rows()
    reads = traffic.reads
    await traffic.until(lambda: traffic.reads > reads + 10)
    traffic.is_over = True
    await asyncio.gather(*tasks)
    await traffic.config.close_pool()
    stored = {row[0] for row in execute(standby, "SELECT n FROM kept")}
    assert traffic.acknowledged <= stored <= traffic.acknowledged | traffic.doubtful
