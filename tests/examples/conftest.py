"""The examples as their readers run them: commands, in processes of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import psutil
import psycopg
import pytest
from proveskill.servers import Servers, ServerSpec

EXAMPLES = Path(__file__).parents[2] / "examples"
SECONDS = 300
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    with Servers(ServerSpec()) as servers:
        yield servers


@pytest.fixture
def url(servers: Servers) -> Iterator[str]:
    database = servers.create_database()
    yield database.url
    servers.drop_database(database)


@pytest.fixture
def sql(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def environment(url: str) -> dict[str, str]:
    """For a program that uses the test's database."""
    return os.environ | {"PYTHONPATH": str(EXAMPLES), "DATABASE_URL": url}


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    """Run a program to its end: run("bulk_loader", "file", ...)."""

    def run(
        *arguments: object, stdout: int | IO[str] = subprocess.PIPE, **changes: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *map(str, arguments)],
            env=environment | changes,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            timeout=SECONDS,
        )

    return run


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a program; what still runs at the end of the test is killed."""
    processes = []

    def start(
        *arguments: object, stdout: int = subprocess.PIPE, **changes: str
    ) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", *map(str, arguments)],
            env=environment | changes,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def alone(url: str) -> Iterator[dict[str, str]]:
    """For a program without a database: nothing of what it started may be left at the end."""
    # Not pytest's folder, into which the account of the server could not get.
    folder = Path(tempfile.mkdtemp(prefix="g", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield {"DATABASE_URL": "", "TMPDIR": str(folder)}
        assert list(folder.iterdir()) == []
        left = [p.info for p in psutil.process_iter(["cmdline"]) if _mentions(p, str(folder))]
        assert left == []
    finally:
        shutil.rmtree(folder)


def _mentions(process: psutil.Process, text: str) -> bool:
    return any(text in part for part in process.info["cmdline"] or ())
