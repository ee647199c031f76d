"""Proofs of references/pooling.md: how large a pool is."""

from __future__ import annotations

import asyncio
import inspect
import os
import re
from contextlib import AsyncExitStack
from pathlib import Path

import psqlpy
import pytest
from proveskill import proves
from psqlpy.exceptions import BaseConnectionPoolError, ConnectionPoolConfigurationError
from sqlspec.adapters.psqlpy import PsqlpyConfig
from watching_tools import PID, ask, until


@proves("The minimum is {minimum}.", section="pooling#size-the-pool", adapter="stock")
def test_minimum_size_of_a_pool(minimum: int) -> None:
    dsn = os.environ["DATABASE_URL"]
    with pytest.raises(ConnectionPoolConfigurationError):
        psqlpy.ConnectionPool(dsn=dsn, max_db_pool_size=minimum - 1)
    assert psqlpy.ConnectionPool(dsn=dsn, max_db_pool_size=minimum).status().max_size == minimum


def cores() -> int:
    """The physical cores of this machine; its processors where Linux does not say."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    found = re.findall(r"physical id\s*: (\d+).*?cpu cores\s*: (\d+)", text, re.DOTALL)
    return sum(int(number) for number in dict(found).values()) or os.cpu_count() or 1


@proves(
    "Always set it. psqlpy's default is {factor} for each core of the machine; its stub says "
    "{stub}, and that is wrong."
)
def test_default_size_of_a_pool(dsn: str, factor: int, stub: int) -> None:
    stubs = Path(psqlpy.__file__).with_name("_internal") / "__init__.pyi"
    written = re.findall(r"max_db_pool_size: int = (\d+)", stubs.read_text(encoding="utf-8"))
    assert {int(number) for number in written} == {stub}
    assert psqlpy.ConnectionPool(dsn=dsn).status().max_size == factor * cores() != stub


@proves(
    "Make one `PsqlpyConfig` per database and process, and set its size: each config has a pool "
    "of its own."
)
async def test_each_config_has_a_pool_of_its_own(dsn: str) -> None:
    settings = {"dsn": dsn, "max_db_pool_size": 2}
    one, other = (PsqlpyConfig(connection_config=dict(settings)) for _ in range(2))
    async with asyncio.timeout(5), AsyncExitStack() as stack:
        pids = set()
        for config in (one, one, other, other):
            session = await stack.enter_async_context(config.provide_session())
            pids.add(await session.select_value(PID))
    assert len(pids) == 4
    await one.close_pool()
    await other.close_pool()


@proves(
    "At program start open the pool, which shows a wrong setting, and one session, which shows a "
    "wrong address.",
    adapter="stock",
)
async def test_wrong_settings_and_wrong_addresses_show_at_the_start() -> None:
    config = PsqlpyConfig(connection_config={"host": "127.0.0.1", "max_pool_size": 10})
    with pytest.raises(TypeError, match="max_pool_size"):
        await config.provide_pool()
    config = PsqlpyConfig(connection_config={"dsn": "postgresql://nobody@127.0.0.1:1/none"})
    assert (await config.provide_pool()).status().size == 0
    with pytest.raises(BaseConnectionPoolError, match="Connection refused"):
        async with config.provide_session():
            pass


@proves(
    "Start from the number of sessions open at the same time at the peak: a session holds its "
    "connection from entry to exit, also while it runs no query.",
    "A session that makes an HTTP call holds its connection meanwhile: when waits are long, first "
    "shorten the time that sessions are held, then enlarge the pool.",
)
async def test_a_session_holds_its_connection_from_entry_to_exit(dsn: str) -> None:
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    pool = await config.provide_pool()

    async def server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        await until(lambda: pool.status().waiting)
        writer.close()

    async def call(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        answer = await reader.read()
        writer.close()
        return answer

    async def backend() -> int:
        async with config.provide_session() as session:
            return await session.select_value(PID)

    listener = await asyncio.start_server(server, "127.0.0.1", 0)
    async with asyncio.timeout(5), config.provide_session() as one:
        async with config.provide_session() as two:
            third = asyncio.create_task(backend())
            # Neither session has run a query; the answer comes once the third one waits.
            await call(listener.sockets[0].getsockname()[1])
            assert not third.done()
            assert (pool.status().available, pool.status().waiting) == (0, 1)
            held = await two.select_value(PID)
        assert await third == held != await one.select_value(PID)
    listener.close()
    await config.close_pool()


@proves(
    "Keep processes x `max_db_pool_size` within what the server gives: `{all}` less `{reserved}`."
)
def test_what_the_server_gives(dsn: str, all: str, reserved: str) -> None:
    named = "SELECT array_agg(name) FROM pg_settings WHERE short_desc LIKE %s"
    assert ask(dsn, named, "%the maximum number of concurrent connections.") == [all]
    assert ask(dsn, named, "%number of connection slots reserved for superusers.") == [reserved]
    assert int(ask(dsn, f"SHOW {all}")) > int(ask(dsn, f"SHOW {reserved}")) > 0


@proves(
    "The settings of other pools, such as `{one}`, `{two}` and `{three}`, do not exist.",
    "There is no option to warm it up: hold all connections once, at the same time.",
    adapter="stock",
)
async def test_a_pool_has_no_option_but_its_size(dsn: str, one: str, two: str, three: str) -> None:
    taken = set(inspect.signature(psqlpy.ConnectionPool).parameters)
    assert {name for name in taken if "pool" in name or "size" in name} == {"max_db_pool_size"}
    assert not any(word in name for name in taken for word in ("min", "warm", "idle_time", "life"))
    # The words of asyncpg's, SQLAlchemy's and psycopg's pools.
    assert [one, two, three] == ["min_size", "pool_timeout", "max_lifetime"]
    for name in (one, two, three):
        config = PsqlpyConfig(connection_config={"dsn": dsn, name: 2})
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
            await config.provide_pool()
    pool = psqlpy.ConnectionPool(dsn=dsn, max_db_pool_size=3)
    held = [await pool.connection() for _ in range(3)]
    for connection in held:
        connection.close()
    assert pool.status().available == 3
    pool.close()
