"""Processes that load by COPY until they freeze, and what can still be done to them.

``python freezing_tools.py DSN FOLDER WAY...`` forks a process for each way, which says "." into a
file of that folder all the time, by a thread; prints the exit codes.
"""

from __future__ import annotations

import asyncio
import faulthandler
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

TICK, STILL = 0.01, 40
"""Seconds between two words of a process; looks at it, a tick apart, in which it must not move."""
TIMEOUT, WATCHDOG = 0.3, 1.0
"""Seconds until the timeout in a process; until the watchdog of the one that has it."""
ROWS, LARGE = [("x" * 1_000,)] * 5_000, [("x" * 3_000_000,)]


@dataclass
class Frozen:
    """A process that stood still.

    obeys_interrupt: whether a SIGINT did anything. code: of its exit. said: on standard error.
    """

    obeys_interrupt: bool = True
    code: int | None = None
    said: str = ""


def freeze(dsn: str, ways: Iterable[str]) -> dict[str, Frozen | None]:
    """Start a process for each way, all at once; None for one that did not freeze."""
    with TemporaryDirectory() as name:
        looked = {way: _Looked(Path(name) / way) for way in ways}
        nursery = subprocess.Popen(
            [sys.executable, __file__, dsn, name, *looked],
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        while nursery.poll() is None and not all(look.is_done for look in looked.values()):
            time.sleep(TICK)
            for way, look in looked.items():
                if way != "watchdog":
                    look.again()
                elif look.has_ended_itself():
                    look.is_done = True
        output, _ = nursery.communicate(timeout=60)
        codes = json.loads(output)
        for way, look in looked.items():
            if look.frozen is not None:
                look.frozen.code = codes[way]
                look.frozen.said = look.file.with_suffix(".err").read_text()
    return {way: look.frozen for way, look in looked.items()}


class _Looked:
    """How a process has moved until now."""

    def __init__(self, file: Path) -> None:
        self.file, self.frozen, self.is_done = file, None, False
        self._size, self._still = 0, 0
        self.frozen: Frozen | None

    def has_ended_itself(self) -> bool:
        """Whether it wrote to standard error, a while after its last word."""
        error = self.file.with_suffix(".err")
        if not error.exists() or not error.stat().st_size:
            return False
        if error.stat().st_mtime - self.file.stat().st_mtime > TIMEOUT:
            self.frozen = Frozen(obeys_interrupt=False)
        return True

    def again(self) -> None:
        """Look; interrupt it when it stands still, and kill it when it still does."""
        with suppress(OSError, IndexError, ValueError):
            pid = int(self.file.read_bytes().split(b" ")[0])
            size = self.file.stat().st_size
            moves = size != self._size or not _sleeps(pid)
            self._size, self._still = size, 0 if moves else self._still + 1
            if self._still < STILL or self.is_done:
                return
            if self.frozen is None:
                self.frozen, self._still = Frozen(), 0
                os.kill(pid, signal.SIGINT)
            else:
                self.frozen.obeys_interrupt, self.is_done = False, True
                os.kill(pid, signal.SIGKILL)


def _sleeps(pid: int) -> bool:
    # The main thread; the one that says "." keeps asking for the GIL.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


async def _load(dsn: str, way: str) -> None:
    """Load again and again, with a timeout."""
    import psqlpy
    from sqlspec.adapters.psqlpy import PsqlpyConfig

    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    table = pa.table({"name": [row[0] for row in ROWS]})
    records = table.to_pylist()
    for _ in range(200):
        async with config.provide_session() as session:
            copy = session.connection.copy_records_to_table
            work: Awaitable[Any]
            faulthandler.dump_traceback_later(WATCHDOG if way == "watchdog" else 60, exit=True)
            if way == "load_from_arrow":
                work = session.load_from_arrow("frozen", table)
            elif way == "load_from_records":
                work = session.load_from_records("frozen", records)
            else:
                work = copy("frozen", LARGE if way == "one row" else ROWS, columns=["name"])
            try:
                async with asyncio.timeout(TIMEOUT):
                    await work
            except (TimeoutError, TypeError, psqlpy.Error):
                os.write(1, b"timeout")


def _tick() -> None:
    while True:
        os.write(1, b".")
        time.sleep(TICK / 2)


def _child(dsn: str, file: Path, way: str) -> None:
    flags = os.O_CREAT | os.O_WRONLY
    os.dup2(os.open(file, flags), 1)
    os.dup2(os.open(file.with_suffix(".err"), flags), 2)
    os.write(1, f"{os.getpid()} ".encode())
    threading.Thread(target=_tick, daemon=True).start()
    try:
        asyncio.run(_load(dsn, way))
    finally:
        os._exit(7)


def _main(dsn: str, folder: str, *ways: str) -> None:
    pids = {}
    for way in ways:
        if not (pid := os.fork()):
            _child(dsn, Path(folder) / way, way)
        pids[way] = pid
    codes = {way: os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for way, pid in pids.items()}
    print(json.dumps(codes))


if __name__ == "__main__":
    import pyarrow as pa
    import sqlspec.adapters.psqlpy  # noqa: F401 - once, before the forks

    _main(*sys.argv[1:])
