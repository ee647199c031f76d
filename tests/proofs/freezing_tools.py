"""Processes that load by COPY, all at once, and what becomes of each of them.

``python freezing_tools.py DSN LOADS`` forks a process for each load, looks at them, and says in
JSON how they ended. Each has a thread that counts; one in which nothing moves any more is frozen.
"""

from __future__ import annotations

import asyncio
import faulthandler
import json
import mmap
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from copy_tools import buffer, texts_of

TICK, STILL = 0.01, 20
"""Seconds between two looks, and how many of them find no move in a frozen process."""
TIMEOUT, WATCHDOG = 0.3, 1.0
"""Seconds of the timeout in a process, and of the watchdog of the one that has it."""


class Load(NamedTuple):
    """What a process is to load: so many rows that take so many bytes, so often.

    way: the name of the method. is_watched: whether the watchdog of `faulthandler` is to end it.
    """

    way: str
    rows: int
    size: int
    times: int
    is_watched: bool = False


@dataclass
class End:
    """How a process ended.

    is_frozen: whether nothing moved in it. obeys_signals: whether that changed by a SIGINT and a
    signal for which it has a handler. said: on standard error.
    """

    is_frozen: bool = False
    obeys_signals: bool = True
    code: int | None = None
    said: str = ""


def load_apart(dsn: str, loads: Mapping[str, Load]) -> dict[str, End]:
    """Run a process for each load; one that is frozen and not watched is killed."""
    run = subprocess.run(
        [sys.executable, __file__, dsn, json.dumps(loads)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        timeout=25,
        check=True,
    )
    return {name: End(**end) for name, end in json.loads(run.stdout).items()}


class _Child:
    """A process that loads, from the outside."""

    def __init__(self, dsn: str, load: Load) -> None:
        self.load = load
        self.end = End()
        self.is_over = False
        self._moves = mmap.mmap(-1, 8)
        self._seen, self._still, self._signalled = 0, 0, -1
        self._stderr, stderr = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.dup2(stderr, 2)
            _work(dsn, load, self._moves)
        os.close(stderr)

    def look(self) -> None:
        """Send it signals when it stands still; kill it when it still does."""
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if pid:
            self.end.code = os.waitstatus_to_exitcode(status)
            self.end.obeys_signals = _count(self._moves) != self._signalled
            self.end.said = os.fdopen(self._stderr).read()
            self.is_over = True
            return
        moves = _count(self._moves)
        # One that waits for a core is slow, and not frozen.
        is_still = moves == self._seen and moves > 0 and _all_sleep(self._pid)
        self._seen, self._still = moves, self._still + 1 if is_still else 0
        if self._still < STILL:
            return
        self._still = 0
        if not self.end.is_frozen:
            self.end.is_frozen, self._signalled = True, moves
            os.kill(self._pid, signal.SIGUSR1)
            os.kill(self._pid, signal.SIGINT)
        elif not self.load.is_watched:
            os.kill(self._pid, signal.SIGKILL)


def _all_sleep(pid: int) -> bool:
    """Whether no thread of a process runs or could run."""
    with suppress(OSError):  # a thread that ends meanwhile has run
        return all(
            (thread / "stat").read_text().rpartition(")")[2].split()[0] == "S"
            for thread in Path(f"/proc/{pid}/task").iterdir()
        )
    return False


def _count(moves: mmap.mmap) -> int:
    return int(struct.unpack("q", moves[:])[0])


def _work(dsn: str, load: Load, moves: mmap.mmap) -> None:
    """Load in a process of its own, which ends."""

    def move(*_: object) -> None:
        moves[:] = struct.pack("q", _count(moves) + 1)

    def beat() -> None:
        while True:
            if load.is_watched:
                faulthandler.dump_traceback_later(WATCHDOG, exit=True)
            move()
            time.sleep(TICK / 2)

    signal.signal(signal.SIGUSR1, move)
    threading.Thread(target=beat, daemon=True).start()
    try:
        asyncio.run(_load(dsn, load))
        os._exit(0)
    finally:
        os._exit(7)


async def _load(dsn: str, load: Load) -> None:
    from sqlspec.adapters.psqlpy import PsqlpyConfig

    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    done = 0
    async with config.provide_session() as session:
        await session.connection.execute("CREATE TEMP TABLE loaded (name text)")
        call = _call(session, load)
        while done < load.times:
            with suppress(TimeoutError, TypeError):  # TypeError: how SQLSpec can be cancelled
                async with asyncio.timeout(TIMEOUT):
                    await call()
                done += 1
            if done % 10 == 9:
                await session.connection.execute("TRUNCATE loaded")


def _call(session: Any, load: Load) -> Callable[[], Awaitable[Any]]:
    import pyarrow as pa

    texts, copy = texts_of(load.rows, load.size), session.connection
    if load.way == "load_from_arrow":
        return partial(session.load_from_arrow, "loaded", pa.table({"name": texts}))
    if load.way == "load_from_records":
        return partial(session.load_from_records, "loaded", [{"name": text} for text in texts])
    if load.way == "copy_records_to_table":
        return partial(copy.copy_records_to_table, "loaded", [(text,) for text in texts])
    return partial(copy.binary_copy_to_table, buffer(texts[0], load.rows), "loaded")


def _main(dsn: str, loads: dict[str, list[Any]]) -> None:
    children: dict[str, _Child] = {}
    to_come = list(loads)
    while to_come or not all(child.is_over for child in children.values()):
        if to_come:
            name = to_come.pop(0)
            children[name] = _Child(dsn, Load(*loads[name]))
        time.sleep(TICK)
        for child in children.values():
            if not child.is_over:
                child.look()
    print(json.dumps({name: vars(child.end) for name, child in children.items()}))


if __name__ == "__main__":
    import pyarrow  # noqa: F401 - once, before the forks
    import sqlspec.adapters.psqlpy  # noqa: F401

    _main(sys.argv[1], json.loads(sys.argv[2]))
