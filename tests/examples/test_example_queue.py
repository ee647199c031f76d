"""examples/job_queue."""

from __future__ import annotations

import json
import random
import signal
import time

import psycopg
import pytest

JOBS = "SELECT status, failures, error FROM jobs"
IN_A_JOB = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
    AND application_name LIKE 'job_queue %' AND state = 'idle in transaction'
    AND query LIKE '%pg_try_advisory_xact_lock%'
"""


def test_each_job_is_done_exactly_once_though_workers_are_killed(run, sql: psycopg.Connection):
    done = run("job_queue", "demo", "--jobs", 200)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "each of 201 jobs was done exactly once" in done.stdout
    assert "and 2 were lost with their worker" in done.stdout
    # What the program says of itself, asked again.
    assert sql.execute(
        "SELECT count(*), count(DISTINCT job_id), min(job_id), max(job_id) FROM digests"
    ).fetchone() == (201, 201, 1, 201)
    assert sql.execute("SELECT DISTINCT status FROM jobs").fetchall() == [("done",)]


def test_kills_at_random_moments_lose_nothing_and_double_nothing(
    run, start, sql: psycopg.Connection
):
    _enqueue(run, '{"text": "abc"}', "--count", 400)
    chance = random.Random(1)
    workers = [start("job_queue", "work", "--name", f"w{place}") for place in range(3)]
    kills = 0
    while sql.execute("SELECT count(*) FROM jobs WHERE status = 'waiting'").fetchone() != (0,):
        time.sleep(chance.uniform(0.02, 0.3))
        # Killed once it has begun: a worker that is still starting shows nothing.
        if kills < 6 and sql.execute(IN_A_JOB).fetchone() != (0,):
            place = kills % 3
            workers[place].kill()
            workers[place].communicate()
            workers[place] = start("job_queue", "work", "--name", f"w{place}")
            kills += 1
    assert kills == 6
    results = sql.execute("SELECT count(*), count(DISTINCT job_id) FROM digests").fetchone()
    assert results == (400, 400)
    assert sql.execute("SELECT count(*) FROM jobs WHERE failures > 0").fetchone() == (0,)


def test_a_job_that_always_fails_is_given_up_and_leaves_no_rows(
    run, start, sql: psycopg.Connection
):
    payload = json.dumps({"text": "abc", "failures": 99})
    _enqueue(run, payload)
    start("job_queue", "work")
    _wait_for(sql, "failed")
    error = "RuntimeError: attempt 3 was asked to fail"
    assert sql.execute(JOBS).fetchall() == [("failed", 3, error)]
    assert sql.execute("SELECT count(*) FROM digests").fetchone() == (0,)


def test_a_job_that_kills_its_workers_is_given_up(run, start, sql: psycopg.Connection):
    _enqueue(run, '{"text": "abc"}')
    sql.execute("INSERT INTO job_attempts (job_id, worker) SELECT 1, 'w' FROM generate_series(1,3)")
    start("job_queue", "work")
    _wait_for(sql, "failed")
    assert sql.execute(JOBS).fetchall() == [("failed", 1, "its worker died 3 times")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_worker_ends_its_job_before_it_ends(run, start, sql, number: signal.Signals):
    _enqueue(run, '{"text": "abc"}', "--count", 500)
    worker = start("job_queue", "work")
    while sql.execute(IN_A_JOB).fetchone() == (0,):
        assert worker.poll() is None
    worker.send_signal(number)
    _, stderr = worker.communicate(timeout=30)
    assert (worker.returncode, stderr) == (0, "")
    attempts, results = sql.execute(
        "SELECT (SELECT count(*) FROM job_attempts), (SELECT count(*) FROM digests)"
    ).fetchone()
    assert attempts == results > 0
    done = run("job_queue", "status")
    assert done.stdout.split() == [str(results), "done", str(500 - results), "waiting"]


def test_the_demo_runs_without_a_database_and_leaves_nothing(run, alone):
    done = run("job_queue", "demo", "--jobs", 300, **alone)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "each of 301 jobs was done exactly once" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_demo_leaves_nothing(start, alone, number: signal.Signals):
    demo = start("job_queue", "demo", "--jobs", 5000, **alone)
    assert demo.stdout.readline().startswith("5000 jobs are queued") or demo.poll() is None
    demo.send_signal(number)
    _, stderr = demo.communicate(timeout=30)
    assert demo.returncode == 130
    assert stderr.endswith("error: interrupted\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["enqueue", "digest", "{"], "'{' is not JSON"),
        (["enqueue", "digest", "{}"], "'{}' is not an object with a string \"text\""),
        (["enqueue", "dance", "{}"], "invalid choice: 'dance'"),
        (["demo", "--workers", "1"], "'1' is not a number of 2 or more"),
        ([], "required: COMMAND"),
    ],
)
def test_wrong_arguments_are_exit_status_2(run, arguments: list[str], message: str):
    done = run("job_queue", *arguments)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_worker_without_a_database_says_what_it_needs(run):
    done = run("job_queue", "work", DATABASE_URL="")
    assert done.returncode == 2
    assert "work needs DATABASE_URL; try `demo` without" in done.stderr


def _enqueue(run, payload: str, *options: object) -> None:
    done = run("job_queue", "enqueue", "digest", payload, *options)
    assert done.returncode == 0, done.stderr


def _wait_for(sql: psycopg.Connection, status: str) -> None:
    deadline = time.monotonic() + 30
    while sql.execute("SELECT 1 FROM jobs WHERE status = %s", [status]).fetchone() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
