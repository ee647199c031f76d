"""Runs of other processes, and what they leave behind."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
from proveskill.servers import Database

DEADLINE = 20.0
"""Seconds until a condition that does not come true fails its test."""


@dataclass(frozen=True)
class Foreign:
    database: Database
    connection: psycopg.Connection[Any]

    @property
    def url(self) -> str:
        return self.database.url

    def leftovers(self) -> list[str]:
        own = self.database.name.rpartition("_")[0]
        rows = self.connection.execute("SELECT datname FROM pg_database").fetchall()
        return [name for (name,) in rows if name.startswith("proveskill_") and own not in name]


@dataclass
class Run:
    """An owner process, and everything that it has started."""

    process: subprocess.Popen[str]
    directory: Path
    database: Database
    started: list[psutil.Process]

    @property
    def keeper(self) -> psutil.Process:
        return self.started[0]

    def remains(self) -> list[str]:
        alive = [f"process {other.pid}" for other in self.started if is_alive(other)]
        return alive + [str(self.directory)] * self.directory.exists()


StartRun = Callable[..., Run]


def wait_until(condition: Callable[[], Any], what: str) -> None:
    """Wait for a condition; fail when it does not come true."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {DEADLINE} s"
        time.sleep(0.02)


def is_alive(process: psutil.Process) -> bool:
    # A process that nobody waits for stays a zombie where process 1 does not collect it.
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
