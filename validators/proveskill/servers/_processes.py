"""The programs that a keeper has running: started in one place, so all can be stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from proveskill.servers._model import ServerError
from proveskill.servers._programs import Account

LAUNCHER = Path(__file__).with_name("_launch.py")
PATIENCE = 5.0
"""Seconds a server gets for its shutdown before it is killed."""


class Processes:
    """Running programs of one run, all started under `account`. Thread-safe."""

    def __init__(self, account: Account | None) -> None:
        self._account = account
        self._running: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()
        self._closed = False
        # Linux sends the parent-death signal when the thread that forked ends, so all
        # programs are forked by one thread, which lives as long as the keeper.
        self._forker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="fork")

    def start(
        self,
        command: Sequence[str | Path],
        directory: Path,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start `command` in `directory`, its output appended to `log`.

        Raises ServerError when the run is ending, OSError when it cannot be started.
        """
        account = self._account or Account(-1, -1)
        launcher = [sys.executable, "-I", "-S", str(LAUNCHER)]
        launcher += [str(account.uid), str(account.gid), str(os.getpid()), str(directory)]
        with self._lock:
            if self._closed:
                raise ServerError("the run is ending, so no server is started any more")
            with log.open("ab") as output:
                process = self._forker.submit(
                    subprocess.Popen,
                    [*launcher, *map(str, command)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=plain_environment() | dict(environment or {}),
                    start_new_session=True,
                ).result()
            self._running.append(process)
        return process

    def run(
        self,
        command: Sequence[str | Path],
        directory: Path,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> int:
        """Like `start`, but wait for the end; return the exit status."""
        return self.start(command, directory, log, environment).wait()

    def stop_all(self) -> None:
        """Stop every program, the slow ones by force. Nothing can be started afterwards."""
        with self._lock:
            self._closed = True
            running = [process for process in self._running if process.poll() is None]
        for process in running:
            _signal_group(process, signal.SIGCONT)
            process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + PATIENCE
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal_group(process, signal.SIGKILL)
                process.wait()
        self._forker.shutdown()


def plain_environment() -> dict[str, str]:
    """The environment without what would bend PostgreSQL's programs (PGHOST, LC_ALL ...)."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C"}


def last_lines(log: Path, count: int = 8) -> str:
    """The last lines of a log, indented; empty when there is no log."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    written = [line for line in lines if line.strip()]
    return "\n".join(f"    {line}" for line in written[-count:])


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
