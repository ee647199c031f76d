"""What the jobs do: a handler for each kind."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

from psqlpy_adapter import PsqlpyDriver

from job_queue.queue import Job

Handler = Callable[[PsqlpyDriver, Job], Awaitable[None]]
"""Does the job; writes through the session, in the transaction of the queue. Raises to fail."""
CREATE_DIGESTS = """
    CREATE TABLE IF NOT EXISTS digests (job_id bigint NOT NULL, digest text NOT NULL)
"""
IS_ALONE = "SELECT pg_try_advisory_xact_lock($1)"


async def digest(session: PsqlpyDriver, job: Job) -> None:
    """Store the SHA-256 of payload["text"]; fail the first payload["failures"] times.

    `digests` has no unique key: a job that is done twice leaves two rows there. A second lock,
    which has nothing to do with the queue's, tells whether two workers have the job at once.
    """
    if not await session.select_value(IS_ALONE, job.id):
        raise RuntimeError(f"two workers have job {job.id}")
    await asyncio.sleep(0.01)  # the work
    value = hashlib.sha256(job.payload["text"].encode()).hexdigest()
    await session.execute("INSERT INTO digests (job_id, digest) VALUES ($1, $2)", job.id, value)
    if job.attempt <= job.payload.get("failures", 0):
        raise RuntimeError(f"attempt {job.attempt} was asked to fail")


HANDLERS: dict[str, Handler] = {"digest": digest}
