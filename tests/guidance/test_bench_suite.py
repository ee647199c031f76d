"""The benchmark suite, run against the real server."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from bench_tools import BENCHMARKS, needs_packages, run
from guidance import ROOT
from suite.link import slow_link

ROUND_TRIP = 0.02


@pytest.fixture
def echo() -> Iterator[str]:
    """The address of a server that sends back what it gets."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            while data := connection.recv(65536):
                connection.sendall(data)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"postgresql://user:word@127.0.0.1:{listener.getsockname()[1]}/database"
    thread.join(10)
    listener.close()


def connect(address: str) -> socket.socket:
    """Connect to the place of an address."""
    place, _, _ = address.rpartition("@")[2].partition("/")
    host, port = place.split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def test_a_slow_link_adds_its_round_trip(echo: str) -> None:
    with slow_link(echo, ROUND_TRIP) as address, connect(address) as client:
        for _ in range(3):
            began = time.perf_counter()
            client.sendall(b"question")
            assert client.recv(100) == b"question"
            assert time.perf_counter() - began >= ROUND_TRIP


def test_a_slow_link_delays_bytes_that_are_under_way_together(echo: str) -> None:
    with slow_link(echo, ROUND_TRIP) as address, connect(address) as client:
        began = time.perf_counter()
        for number in range(50):
            client.sendall(b"%02d" % number)
        received = b""
        while len(received) < 100:
            received += client.recv(100)
        assert time.perf_counter() - began < 25 * ROUND_TRIP
    assert received == b"".join(b"%02d" % number for number in range(50))


@needs_packages
def test_a_run_measures_what_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    command = ["--quick", "--rounds", "1", "--loop", "asyncio", "--json", str(file)]
    done = run("run.py", *command, "--only", "^insert-100 ", "--contender", "^(asyncpg|bundled)")
    assert done.returncode == 0, done.stderr
    from suite.store import read

    lines, about = read(file)
    assert {(line.regime, line.name) for line in lines} == {
        ("insert-100", "asyncpg, executemany"),
        ("insert-100", "asyncpg, unnest"),
        ("insert-100", "asyncpg, COPY"),
        ("insert-100", "bundled adapter, execute_many"),
        ("insert-100", "bundled adapter, load_from_records"),
    }
    assert all(len(line.samples) == 1 and line.samples[0] > 0 for line in lines)
    assert about["bench_mode"] == "quick"
    assert about["bench_postgresql"]
    assert list(tmp_path.iterdir()) == [file]
    report = run("report.py", file)
    assert "### Group" not in report.stdout
    assert "| bundled adapter, execute_many |" in report.stdout


@needs_packages
def test_a_run_of_nothing_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    done = run("run.py", "--only", "no such regime", "--json", file)
    assert done.returncode == 2
    assert "nothing was measured" in done.stderr
    assert not file.exists()


@needs_packages
def test_an_interrupted_run_leaves_no_server(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    command = [sys.executable, BENCHMARKS / "run.py", "--only", "^point ", "--json", file]
    with subprocess.Popen(
        command, cwd=ROOT, env=dict(os.environ), stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert "One row by key" in process.stderr.readline()
        started = psutil.Process(process.pid).children(recursive=True)
        assert any(child.name().startswith("postgres") for child in started)
        process.send_signal(signal.SIGINT)
        _, alive = psutil.wait_procs(started, timeout=30)
        assert process.wait(30) == 130
        assert "interrupted" in process.stderr.read()
    assert alive == []
    assert not file.exists()
