"""The queue: two tables, and what is done to them.

A worker holds the row of its job locked in an open transaction for as long as it works on it. So
the server itself takes the job back when the worker or its connection dies, at once and without
leases or clocks; everybody else skips the row while it is locked. What the job writes in that
transaction is there exactly once; what it does outside of the database (a mail, say) is undone by
nobody, and can happen again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psqlpy_adapter import PsqlpyDriver

CHANNEL = "job_queue"
MAX_ATTEMPTS = 3
CREATE = """
    CREATE TABLE IF NOT EXISTS jobs (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        kind text NOT NULL,
        payload jsonb NOT NULL,
        status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'done', 'failed')),
        run_at timestamptz NOT NULL DEFAULT now(),
        failures integer NOT NULL DEFAULT 0,
        error text
    );
    CREATE INDEX IF NOT EXISTS jobs_waiting ON jobs (run_at, id) WHERE status = 'waiting';
    CREATE TABLE IF NOT EXISTS job_attempts (
        job_id bigint NOT NULL,
        worker text NOT NULL,
        started_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE INDEX IF NOT EXISTS job_attempts_job ON job_attempts (job_id);
"""
CLAIM = """
    SELECT id, kind, payload FROM jobs WHERE status = 'waiting' AND run_at <= now()
    ORDER BY run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
NOTE_ATTEMPT = """
    INSERT INTO job_attempts (job_id, worker) VALUES ($1, $2)
    RETURNING (SELECT count(*) FROM job_attempts WHERE job_id = $1)
"""
FAIL = """
    UPDATE jobs SET error = $2, failures = failures + 1,
        status = CASE WHEN $3 THEN 'failed' ELSE 'waiting' END,
        run_at = clock_timestamp() + make_interval(secs => $4)
    WHERE id = $1
"""
NEXT_DUE = """
    SELECT extract(epoch FROM min(run_at) - clock_timestamp())::float8
    FROM jobs WHERE status = 'waiting' AND run_at > now()
"""


@dataclass(frozen=True)
class Job:
    """A job that is locked for this worker; `attempt` counts from 1."""

    id: int
    kind: str
    payload: dict[str, Any]
    attempt: int


async def create_tables(session: PsqlpyDriver) -> None:
    """Create the tables where they are not there yet."""
    async with session.transaction():
        # Two programs that create the same thing at the same time would get in each other's way.
        await session.execute("SELECT pg_advisory_xact_lock(hashtext($1))", CHANNEL)
        await session.execute_script(CREATE)


async def enqueue(session: PsqlpyDriver, kind: str, payloads: Sequence[dict[str, Any]]) -> None:
    """Add a job for each payload, and wake the workers when that is committed."""
    async with session.transaction():
        rows = [(kind, payload) for payload in payloads]
        await session.execute_many("INSERT INTO jobs (kind, payload) VALUES ($1, $2)", rows)
        await session.execute("SELECT pg_notify($1, '')", CHANNEL)


async def claim(session: PsqlpyDriver, journal: PsqlpyDriver, worker: str) -> Job | None:
    """Lock the next job that is due; None when there is none.

    session: in a transaction, which keeps the lock until it ends. journal: another session, which
    notes the attempt at once, so that it is counted even when the worker dies of the job.
    """
    row = await session.select_one_or_none(CLAIM)
    if row is None:
        return None
    earlier = await journal.select_value(NOTE_ATTEMPT, row["id"], worker)
    return Job(**row, attempt=earlier + 1)


async def finish(session: PsqlpyDriver, job: Job) -> None:
    """Mark the job done, in the transaction that holds it."""
    await session.execute("UPDATE jobs SET status = 'done', error = NULL WHERE id = $1", job.id)


async def fail(session: PsqlpyDriver, job: Job, error: str) -> None:
    """Let the job wait for its next attempt, twice as long each time, or give it up."""
    is_last = job.attempt >= MAX_ATTEMPTS
    pause = 0.05 * 2**job.attempt
    await session.execute(FAIL, job.id, error, is_last, pause)


async def seconds_until_due(session: PsqlpyDriver) -> float | None:
    """How long until the next attempt of a job that failed; None when none is planned."""
    return await session.select_value(NEXT_DUE)


async def counts(session: PsqlpyDriver) -> dict[str, int]:
    """The number of jobs by status."""
    rows = await session.select("SELECT status, count(*) AS jobs FROM jobs GROUP BY status")
    return {row["status"]: row["jobs"] for row in rows}
