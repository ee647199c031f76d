"""Proofs of references/pooling.md: several processes.

The process of this module has not used psqlpy before its test does: it is one that forks.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig

SPAWNING = """
    import asyncio
    import json
    import multiprocessing
    import os
    import sys

    import psqlpy

    async def count_users():
        pool = psqlpy.ConnectionPool(dsn=os.environ["DATABASE_URL"], max_db_pool_size=2)
        async with pool.acquire() as connection:
            return await connection.fetch_val("SELECT count(*) FROM users")

    def job():
        os._exit(asyncio.run(count_users()))

    if __name__ == "__main__":
        found = {"parent": asyncio.run(count_users())}
        for method in sys.argv[1:]:
            child = multiprocessing.get_context(method).Process(target=job)
            child.start()
            child.join(6)
            found[method] = child.exitcode
            child.kill()
        print(json.dumps(found), flush=True)
        os._exit(0)
"""


async def ask(app: PsqlpyConfig) -> int:
    async with app.provide_session() as session:
        return await session.select_value("SELECT count(*) FROM users")


def job() -> int:
    app = PsqlpyConfig(connection_config={"dsn": os.environ["DATABASE_URL"], "max_db_pool_size": 2})

    async def count_users() -> int:
        try:
            return await ask(app)
        finally:
            await app.close_pool()

    return asyncio.run(count_users())


def threads() -> int:
    """How many threads of psqlpy this process has."""
    names = (entry.joinpath("comm").read_text() for entry in Path("/proc/self/task").iterdir())
    return sum(name.startswith("tokio") for name in names)


def fork(work: Callable[[], int]) -> BaseProcess:
    child = multiprocessing.get_context("fork").Process(target=lambda: os._exit(work()))
    child.start()
    return child


def exit_code(child: BaseProcess, seconds: float) -> int | None:
    """What a child ended with; None if it did not end."""
    child.join(seconds)
    code = child.exitcode
    child.kill()
    child.join()
    return code


@proves(
    "Let each process make its own config, as `job` does here:",
    "Fork before the first use of psqlpy, and open pools after the fork (so no gunicorn "
    "`--preload` with an open pool):",
    "A fork after the first use hangs the child for ever: psqlpy's threads do not exist in it.",
    "Neither a config of its own nor `close_pool()` before the fork helps; `job` has both.",
    adapter="stock",
)
def test_forks(dsn: str) -> None:
    assert threads() == 0
    assert exit_code(fork(job), 10) == 3
    assert job() == 3
    assert threads() > 0
    assert exit_code(fork(threads), 10) == 0

    preloaded = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    assert asyncio.run(ask(preloaded)) == 3
    children = [fork(job), fork(lambda: asyncio.run(ask(preloaded)))]
    assert [exit_code(child, 0.3) for child in children] == [None, None]
    asyncio.run(preloaded.close_pool())


@proves("A process that has used psqlpy starts others with `{one}` or `{other}`:")
def test_other_ways_to_start_processes(tmp_path: Path, one: str, other: str) -> None:
    program = tmp_path / "spawning.py"
    program.write_text(textwrap.dedent(SPAWNING), encoding="utf-8")
    command = [sys.executable, str(program), one, other]
    ended = subprocess.run(command, capture_output=True, timeout=60, check=True)
    assert one != other
    assert json.loads(ended.stdout) == {"parent": 3, one: 3, other: 3}
