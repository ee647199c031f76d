"""What a Rust panic and a cancellation do, seen in a process of its own: they can spoil it.

``python type_panic_tools.py DSN`` forks for each step, and prints what it saw as a line of JSON.
SQLSpec's own adapter is used.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import subprocess
import sys
from typing import Any

import psqlpy.exceptions
from psqlpy import ConnRecyclingMethod
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import SQLSpecError

MOVE = "UPDATE embeddings SET vector = $1 WHERE id = $2"
SLEEP = "SELECT pg_sleep($1::int * 0.001)::text AS slept"


def in_children(dsn: str) -> dict[str, Any]:
    """Return what the steps of this module see, each in a process of its own."""
    answer = subprocess.run(
        [sys.executable, __file__, dsn],
        env={**os.environ, "RUST_BACKTRACE": "0"},  # a backtrace takes a second
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=True,
    )
    return {k: v for line in answer.stdout.splitlines() for k, v in json.loads(line).items()}


async def clause(work: Any) -> Any:
    """The `except` clauses of "Catch everything a call can raise"."""
    try:
        await work
    except (TypeError, ValueError, OverflowError) as error:
        return ["value error", type(error).__name__]
    except (SQLSpecError, psqlpy.exceptions.Error):
        return "database error"
    return "nothing"


async def kind(work: Any, caught: type[BaseException] = BaseException) -> Any:
    """Return what kind of error is caught: its module, its name and its bases' names."""
    try:
        await work
    except caught as error:
        return [type(error).__module__, *(base.__name__ for base in type(error).__mro__)]
    return None


class DriverPanic(Exception):
    """As in the text."""


async def guarded(job: Any) -> Any:
    """As in the text."""
    try:
        return await job()
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            raise DriverPanic(str(error)) from error
        raise


async def interrupted() -> None:
    """Another BaseException."""
    raise KeyboardInterrupt


def importable(module: str) -> bool:
    """Whether a module can be imported."""
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def make(dsn: str, method: str) -> PsqlpyConfig:
    """Make a config with a recycling method."""
    keys = {"conn_recycling_method": getattr(ConnRecyclingMethod, method)}
    return PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2, **keys})


async def panic_in(config: PsqlpyConfig) -> Any:
    """Send a list for a vector."""
    async with config.provide_session() as session:
        return await session.execute(MOVE, [1.0, 0.0, 0.0], 1)


async def one_in(config: PsqlpyConfig) -> Any:
    """Send what cannot fail."""
    async with config.provide_session() as session:
        return await session.select_value("SELECT 1")


async def is_lent_again(dsn: str, method: str) -> bool:
    """Whether the session after a panic gets the dead connection, in one of five rounds."""
    for _ in range(5):
        config = make(dsn, method)
        await kind(guarded(lambda config=config: panic_in(config)))
        failed = await kind(one_in(config))
        await config.close_pool()
        if failed is not None:
            return True
    return False


async def raised_again(dsn: str) -> dict[str, Any]:
    """Panic and go on in one coroutine, in ten rounds: what statements raise that cannot fail."""
    found = []
    for _ in range(10):
        config = make(dsn, "Verified")
        try:
            async with config.provide_session() as session:
                await session.execute(MOVE, [1.0, 0.0, 0.0], 1)
        except BaseException:  # noqa: BLE001 - what the text warns of
            pass
        try:
            async with config.provide_session() as session:
                await session.select_value("SELECT 1")
        except BaseException as error:  # noqa: BLE001 - to be looked at
            found.append(type(error).__name__)
        if "PanicException" in found:
            break
    return {"raised again": found}


async def panics(dsn: str) -> dict[str, Any]:
    """See what a panic does."""
    seen: dict[str, Any] = {}

    def pool() -> Any:
        # One for each step: a pool can lend a connection once more that a panic has ended.
        config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 4})
        return config.provide_session()

    async def panic() -> Any:
        async with pool() as session:
            return await session.execute(MOVE, [1.0, 0.0, 0.0], 1)

    async with pool() as session:
        work = session.execute(MOVE, [1.0, 0.0, 0.0], 1)
        seen["panic"] = await kind(work)
        try:
            await session.select_value("SELECT 1")
        except SQLSpecError as error:
            seen["afterwards"] = [type(error).__name__, str(error)]
    seen["clause"] = await kind(clause(panic()))
    seen["except Exception"] = await kind(kind(panic(), Exception))
    seen["guarded panic"] = await kind(guarded(panic))
    seen["guarded interrupt"] = await kind(guarded(interrupted))
    methods = "Fast", "Verified", "Clean"
    seen["lent again"] = {method: await is_lent_again(dsn, method) for method in methods}
    seen["importable"] = importable(seen["panic"][0])
    return seen


async def cancellation(dsn: str) -> dict[str, Any]:
    """See what the clause makes of a cancellation."""
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 4})
    async with config.provide_session() as session, config.provide_session() as other:
        pid = await session.select_value("SELECT pg_backend_pid()")
        for _ in range(2):
            await session.select(SLEEP, 0)
        task = asyncio.create_task(clause(session.select(SLEEP, 1_000)))
        asleep = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'"
        while not await other.select_value(asleep, pid):
            pass  # every look is a round trip
        task.cancel()
        found = (await asyncio.gather(task, return_exceptions=True))[0]
        print(json.dumps({"cancelled": found}, default=repr), flush=True)
        os._exit(0)  # the statement is still running


def play(step: Any, dsn: str) -> None:
    """Print what a step sees, and end without a word: what a panic left can abort that."""
    try:
        print(json.dumps(asyncio.run(step(dsn))), flush=True)
    finally:
        os._exit(0)


if __name__ == "__main__":
    steps = panics, raised_again, cancellation
    for step in steps:
        if os.fork() == 0:
            play(step, sys.argv[1])
    for _ in steps:
        os.wait()
