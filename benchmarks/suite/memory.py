"""What a connection costs the client: the growth of a process that opens many.

Run as a program it opens one connection and then `COUNT` more, each of which runs one statement,
and prints by how many bytes its resident memory grew for each of them.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

COUNT = 50
STATEMENT = "SELECT 1 AS one"
VARIABLE = "BENCHMARK_DATABASE_URL"  # the address holds a password, so it is no argument


async def bytes_per_connection(driver: str, url: str) -> float:
    """Measure in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "suite.memory",
        driver,
        env={**os.environ, VARIABLE: url, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"the process with {driver} ended with {process.returncode}")
    return float(output)


async def _asyncpg(url: str) -> Any:
    import asyncpg

    connection = await asyncpg.connect(url)
    await connection.fetchval(STATEMENT)
    return connection


async def _psycopg(url: str) -> Any:
    import psycopg

    connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
    await (await connection.execute(STATEMENT)).fetchone()
    return connection


async def _psqlpy(url: str) -> Any:
    import psqlpy

    connection = await psqlpy.connect(dsn=url)
    await connection.fetch(STATEMENT)
    return connection


_bundled_config: list[Any] = []


async def _bundled(url: str) -> Any:
    from psqlpy_adapter import PsqlpyConfig

    if not _bundled_config:
        settings = {"dsn": url, "max_db_pool_size": COUNT + 1}
        _bundled_config.append(PsqlpyConfig(connection_config=settings))
    context = _bundled_config[0].provide_session()
    session = await context.__aenter__()
    await session.select_value(STATEMENT)
    return context, session


OPENERS: dict[str, Callable[[str], Awaitable[Any]]] = {
    "asyncpg": _asyncpg,
    "psycopg": _psycopg,
    "psqlpy": _psqlpy,
    "bundled": _bundled,
}


def resident() -> int:
    """Bytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def main(driver: str) -> None:
    """Print the bytes of a connection."""
    open_one, url = OPENERS[driver], os.environ[VARIABLE]
    kept = [await open_one(url)]  # with the modules, threads and buffers that all share
    gc.collect()
    before = resident()
    for _ in range(COUNT):
        kept.append(await open_one(url))
    gc.collect()
    print(max(1, resident() - before) / COUNT, flush=True)
    os._exit(0)  # the server sees the ends of the connections


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
