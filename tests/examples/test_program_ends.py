"""examples/program.py: how all the programs end when they are stopped or nobody can read them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

PROGRAMS = ["bulk_loader", "job_queue", "semantic_search"]
needs_tokenizers = pytest.mark.skipif(
    not find_spec("tokenizers"), reason="the model is not installed: make example-search does it"
)
IS_LOADED = """
    SELECT to_regclass('sample') IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_stat_activity WHERE datname = current_database()
        AND pid <> pg_backend_pid() AND backend_type = 'client backend'
    )
"""
"""The table is there, and the loader has closed its connections."""
SEARCH = pytest.param("semantic_search", "tokenizers", marks=needs_tokenizers)


@pytest.fixture
def closed() -> Iterator[int]:
    """A pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.fixture
def full() -> Iterator[int]:
    """A disk without room."""
    with Path("/dev/full").open("w") as file:
        yield file.fileno()


@pytest.fixture
def speaking(tmp_path: Path, run, request: pytest.FixtureRequest) -> list[object]:
    """The arguments of a program, with which it writes something."""
    program = request.param
    if program == "bulk_loader":
        return [program, "--make-sample", 1000]
    if program == "job_queue":
        assert run(program, "enqueue", "digest", '{"text": "abc"}').returncode == 0
        return [program, "status"]
    (tmp_path / "pets.md").write_text("# Pets\n\n## Feed the cat\n\nTwice a day.\n")
    return [program, "--guidance", tmp_path, "a pet that barks"]


speakers = pytest.mark.parametrize(
    "speaking",
    [*PROGRAMS[:2], pytest.param("semantic_search", marks=needs_tokenizers)],
    indirect=True,
)


@pytest.mark.parametrize(
    ("program", "library"),
    [
        ("bulk_loader", "numpy"),
        ("bulk_loader", "libarrow"),
        ("bulk_loader", "psqlpy"),
        ("job_queue", "numpy"),
        ("job_queue", "psqlpy"),
        SEARCH,
    ],
)
def test_ctrl_c_during_the_imports_ends_at_once_in_one_line(start, program: str, library: str):
    arguments = {"bulk_loader": ["--make-sample", "3000000"], "job_queue": ["work"]}
    process = start(program, *arguments.get(program, []))
    _wait_for_library(process, library)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (130, "error: interrupted\n")


@speakers
def test_a_reader_that_went_away_is_a_quiet_end(run, speaking: list[object], closed: int):
    done = run(*speaking, stdout=closed)
    assert done.returncode == 141, done.stderr
    assert "rror" not in done.stderr


@speakers
def test_a_full_disk_is_one_line_and_a_status_of_its_own(run, speaking: list[object], full: int):
    done = run(*speaking, stdout=full)
    assert done.returncode == 4, done.stderr
    *_, last = done.stderr.splitlines()
    assert last.startswith("error: ")
    assert last.endswith("the output cannot be written: No space left on device")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("stdout", ["closed", "full"])
def test_the_loader_says_that_the_rows_are_loaded_all_the_same(
    run, request: pytest.FixtureRequest, sql: psycopg.Connection, stdout: str
):
    done = run("bulk_loader", "--make-sample", 1000, stdout=request.getfixturevalue(stdout))
    assert sql.execute("SELECT count(*) FROM sample").fetchone() == (900,)
    message = (
        "error: the rows are loaded, but the output cannot be written: No space left on device"
    )
    assert done.stderr.strip() == (message if stdout == "full" else "")


def test_ctrl_c_after_the_load_says_that_the_rows_are_loaded(start, sql: psycopg.Connection):
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):  # full: the loader waits to tell what it has done
        while True:
            os.write(writer, b" " * 4096)
    os.set_blocking(writer, True)
    loader = start("bulk_loader", "--make-sample", 1000, stdout=writer)
    while sql.execute(IS_LOADED).fetchone() != (True,):
        assert loader.poll() is None
        time.sleep(0.01)
    loader.send_signal(signal.SIGINT)
    _, stderr = loader.communicate(timeout=30)
    os.close(reader)
    os.close(writer)
    assert (loader.returncode, stderr) == (130, "error: interrupted; the rows are loaded\n")
    assert sql.execute("SELECT count(*) FROM sample").fetchone() == (900,)


def test_a_demo_without_a_reader_ends_its_workers(run, closed: int, alone):
    done = run("job_queue", "demo", "--jobs", 5000, stdout=closed, **alone)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(
    "program", [*PROGRAMS[:2], pytest.param("semantic_search", marks=needs_tokenizers)]
)
def test_the_help_tells_the_exit_statuses(run, full: int, program: str):
    shown = " ".join(run(program, "--help").stdout.split())
    assert "3 no server, 4 the output cannot be written (a full disk), 130 Ctrl-C, SIG" in shown
    assert "141 the reader of the output went away" in shown
    done = run(program, "--help", stdout=full)
    assert done.returncode == 4
    assert done.stderr == "error: the output cannot be written: No space left on device\n"


def test_a_hang_up_that_the_caller_ignores_is_ignored(environment: dict[str, str]):
    command = ["nohup", sys.executable, "-m", "job_queue", "work"]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 30
        while not _caught(process) >> (signal.SIGTERM - 1) & 1:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert not _caught(process) >> (signal.SIGHUP - 1) & 1
    finally:
        process.kill()
        process.wait()


def _caught(process: subprocess.Popen[bytes]) -> int:
    status = Path(f"/proc/{process.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("SigCgt"))
    return int(line.split()[1], 16)


def _wait_for_library(process: subprocess.Popen[str], library: str) -> None:
    """Until the process has loaded the library's code, and goes on to import."""
    maps = Path(f"/proc/{process.pid}/maps")
    while not any(library in line for line in maps.read_text().splitlines()):
        assert process.poll() is None
        time.sleep(0.002)
