"""A worker: does one job after the other, and sleeps until there is one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from program import note
from psqlpy_adapter import PsqlpyConfig
from sqlspec.exceptions import DatabaseConnectionError

from job_queue.handlers import HANDLERS
from job_queue.queue import (
    CHANNEL,
    MAX_ATTEMPTS,
    Job,
    claim,
    fail,
    finish,
    seconds_until_due,
)

POLL = 2.0
"""Seconds after which the table is read even if nobody called: a notification can be lost."""
RETRY = 0.2
"""Seconds between attempts to reach the server."""
PATIENCE = 30.0
"""Seconds without a server after which the worker gives up."""


def make_config(url: str, worker: str) -> PsqlpyConfig:
    """The configuration: two sessions are enough for the job and the journal."""
    return PsqlpyConfig(
        connection_config={
            "dsn": url,
            "max_db_pool_size": 2,
            "application_name": f"job_queue {worker}",
        }
    )


async def work(config: PsqlpyConfig, worker: str, stop: asyncio.Event) -> None:
    """Do jobs until `stop` is set; the job in hand is done first.

    Raises DatabaseConnectionError when the server stays away for PATIENCE seconds.
    """
    reached = time.monotonic()
    async with _calls(config, stop) as call:
        while not stop.is_set():
            call.clear()
            try:
                while not stop.is_set() and await do_one(config, worker):
                    reached = time.monotonic()
                pause = await _pause(config)
            except DatabaseConnectionError as error:
                # The server has taken the job back; whoever comes next does it.
                if time.monotonic() - reached > PATIENCE:
                    raise
                note(f"{worker}: {error}; trying again")
                pause = RETRY
            else:
                reached = time.monotonic()
            await _until(call, pause)


async def do_one(config: PsqlpyConfig, worker: str) -> bool:
    """Do the next job; False when none is due. SQLSpecError of the queue's own statements."""
    async with (
        config.provide_session() as session,
        config.provide_session() as journal,
        session.transaction(),
    ):
        job = await claim(session, journal, worker)
        if job is None:
            return False
        if job.attempt > MAX_ATTEMPTS:
            await fail(session, job, f"its worker died {MAX_ATTEMPTS} times")
            return True
        try:
            async with session.transaction():  # a savepoint: what a failed handler wrote is undone
                await HANDLERS[job.kind](session, job)
        except DatabaseConnectionError:
            raise  # the transaction is gone, and the lock with it
        except Exception as error:  # noqa: BLE001 - a handler may raise anything
            await fail(session, job, _text(job, error))
        else:
            await finish(session, job)
    return True


def _text(job: Job, error: Exception) -> str:
    if isinstance(error, KeyError) and job.kind not in HANDLERS:
        return f"no handler for the kind {job.kind!r}; there are {', '.join(HANDLERS)}"
    return f"{type(error).__name__}: {error}"


@asynccontextmanager
async def _calls(config: PsqlpyConfig, stop: asyncio.Event) -> AsyncIterator[asyncio.Event]:
    """An event that is set by each notification, and when `stop` is."""
    call = asyncio.Event()

    async def notified(*_message: object) -> None:
        call.set()

    async def stopped() -> None:
        await stop.wait()
        call.set()

    # The adapter's listener connects again by itself when its connection is lost.
    listener = (await config.provide_pool()).listener()
    await listener.add_callback(channel=CHANNEL, callback=notified)
    await listener.startup()
    listener.listen()
    watch = asyncio.create_task(stopped())
    try:
        yield call
    finally:
        watch.cancel()
        await listener.shutdown()


async def _pause(config: PsqlpyConfig) -> float:
    async with config.provide_session() as session:
        due = await seconds_until_due(session)
    return POLL if due is None else min(POLL, max(due, 0.0))


async def _until(call: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await call.wait()
    except TimeoutError:
        return
