"""The demonstration: workers are killed and cut off in the middle, and nothing is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from program import say
from psqlpy_adapter import PsqlpyConfig, PsqlpyDriver

from job_queue.handlers import CREATE_DIGESTS
from job_queue.queue import counts, create_tables, enqueue

FAILING = 10
"""Each tenth job fails at its first attempt."""
IN_A_JOB = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = $1
        AND state = 'idle in transaction' AND query LIKE '%pg_try_advisory_xact_lock%'
"""
LAST_JOB = "SELECT job_id FROM job_attempts WHERE worker = $1 ORDER BY started_at DESC LIMIT 1"
CUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = $1
"""
TOTALS = """
    SELECT (SELECT count(*) FROM job_attempts) AS attempts,
        (SELECT sum(failures)::bigint FROM jobs) AS failures,
        (SELECT count(*) FROM digests) AS results,
        (SELECT count(DISTINCT job_id) FROM digests) AS jobs_with_a_result,
        (SELECT count(*) FROM jobs WHERE error LIKE '%two workers%') AS doubles
"""


async def demonstrate(config: PsqlpyConfig, url: str, jobs: int, workers: int) -> bool:
    """Run everything and print what happens; True when each job was done exactly once."""
    async with config.provide_session() as session:
        await create_tables(session)
        await session.execute(CREATE_DIGESTS)
        await session.execute("TRUNCATE jobs, job_attempts, digests")
        payloads = [{"text": f"text {n}", "failures": int(n % FAILING == 0)} for n in range(jobs)]
        await enqueue(session, "digest", payloads)
        names = [f"w{number}" for number in range(1, workers + 1)]
        with _workers(url, names) as processes:
            say(f"{jobs} jobs are queued, {workers} workers started")
            job = await _freeze_in_a_job(session, processes["w1"], "w1")
            processes["w1"].kill()
            processes["w1"].wait()
            processes["w1"] = _start(url, "w1")
            say(f"w1 was killed in the middle of job {job}, and started again")
            job = await _freeze_in_a_job(session, processes["w2"], "w2")
            await session.execute(CUT, "job_queue w2")
            processes["w2"].send_signal(signal.SIGCONT)
            say(f"w2 was cut off from the server in the middle of job {job}")
            await _until_done(session)
            await asyncio.sleep(0.5)  # until all of them sleep
            started = time.perf_counter()
            await enqueue(session, "digest", [{"text": "one more"}])
            await _until_done(session)
            seconds = time.perf_counter() - started
            say(f"a job for sleeping workers was done after {seconds:.2f} s: NOTIFY woke them")
        return await _report(session, jobs + 1)


async def _report(session: PsqlpyDriver, jobs: int) -> bool:
    by_status = await counts(session)
    totals = await session.select_one(TOTALS)
    lost = totals["attempts"] - totals["failures"] - by_status.get("done", 0)
    say(
        f"jobs: {by_status.get('done', 0)} done, {by_status.get('failed', 0)} failed; "
        f"attempts: {totals['attempts']}, of which {totals['failures']} failed on purpose and "
        f"{lost} were lost with their worker"
    )
    is_once = (
        by_status == {"done": jobs}
        and totals["results"] == totals["jobs_with_a_result"] == jobs
        and totals["doubles"] == 0
    )
    say(
        f"each of {jobs} jobs was done exactly once, and no two workers had one at the same time"
        if is_once
        else f"WRONG: not every job was done exactly once: {by_status}, {totals}"
    )
    return is_once


async def _freeze_in_a_job(
    session: PsqlpyDriver, process: subprocess.Popen[bytes], worker: str
) -> int:
    """Stop the process at a moment when it has a job in hand; gives the job."""
    while process.poll() is None:
        process.send_signal(signal.SIGSTOP)
        if await session.select(IN_A_JOB, f"job_queue {worker}"):
            return await session.select_value(LAST_JOB, worker)
        process.send_signal(signal.SIGCONT)
        if not (await counts(session)).get("waiting"):
            raise RuntimeError(f"all jobs were done before {worker} could be stopped: use --jobs")
        await asyncio.sleep(0.003)
    raise RuntimeError(f"the worker {worker} ended with status {process.returncode}; see above")


async def _until_done(session: PsqlpyDriver) -> None:
    while (await counts(session)).get("waiting"):  # noqa: ASYNC110 - other processes do them
        await asyncio.sleep(0.02)


@contextmanager
def _workers(url: str, names: list[str]) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    processes = {name: _start(url, name) for name in names}
    try:
        yield processes
    finally:
        for process in processes.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in processes.values():
            process.wait()


def _start(url: str, worker: str) -> subprocess.Popen[bytes]:
    # In a session of its own: Ctrl-C is for this program, which then ends its workers.
    return subprocess.Popen(
        [sys.executable, "-m", "job_queue", "work", "--name", worker],
        env=os.environ | {"DATABASE_URL": url},
        start_new_session=True,
    )
