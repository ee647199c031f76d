"""The fork server, from the outside: it imports once what fences import, then forks workers."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections import deque
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

from proveskill.worker.children import kill_tree
from proveskill.worker.link import Link
from proveskill.worker_process import WorkerProcess


class PreparationError(Exception):
    """The pack's fixtures or preloaded modules cannot be imported."""


@dataclass(frozen=True)
class Preparation:
    """What every worker of a pack shares: imported once, before the first fork."""

    preload: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    """Folders put before ``sys.path``."""
    fixtures: str | None = None
    """File that defines the pack's fixtures."""
    replace: dict[str, str] = field(default_factory=dict)
    """Modules to put in place of others: ``{"sqlspec.adapters.psqlpy": "psqlpy_adapter"}``."""
    found: tuple[str, ...] = ()
    """Modules that fences import; one that cannot be imported fails in its fence, not here."""


class ForkServer:
    """The fork server of one pack, started with the first worker. Thread-safe."""

    def __init__(self, preparation: Preparation) -> None:
        self._preparation = preparation
        self._spares: deque[WorkerProcess] = deque()
        self._shared: deque[WorkerProcess] = deque()
        self._closed = False
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._prepared = False
        self._folders: list[str] = []
        self._numbers = itertools.count(1)

    def spawn(self) -> None:
        """Start the process, which takes a while, without waiting for it."""
        with self._lock:
            self._spawn()

    def start(self) -> None:
        """Start it and import the pack's modules. Raises :class:`PreparationError`."""
        with self._lock:
            self._start()

    def preload(self, modules: frozenset[str]) -> None:
        """Have more modules imported, if they can be, before workers are forked."""
        known = {*self._preparation.preload, *self._preparation.found}
        more = tuple(sorted(modules - known))
        if not more:
            return
        with self._lock:
            found = (*self._preparation.found, *more)
            self._preparation = replace(self._preparation, found=found)
            if self._prepared:
                self._ask({"prepare": asdict(Preparation(found=more))})
        self._drop_spares()  # they lack it

    def _drop_spares(self) -> None:
        with suppress(IndexError):
            while True:
                self._spares.pop().dismiss()

    def make_folder(self) -> str:
        """Make a folder for a section; it goes with the fork server at the latest."""
        self.start()
        folder = f"{self._folders[-1]}/{next(self._numbers)}"
        os.mkdir(folder)  # noqa: PTH102 - a Path costs more than the call
        return folder

    def fork(self, environment: dict[str, str], folder: str) -> WorkerProcess:
        """Start a worker in a folder. Raises :class:`PreparationError`.

        ``environment`` is what differs in it from that of this process.
        """
        try:
            worker = self._spares.popleft()
        except IndexError:
            worker = self._new_worker()
        worker.assign(environment, folder)
        return worker

    def borrow(self) -> WorkerProcess:
        """Return a worker for contained sections, used or new. Raises :class:`PreparationError`."""
        with suppress(IndexError):
            return self._shared.popleft()
        return self.fork({}, self.make_folder())

    def give_back(self, worker: WorkerProcess) -> None:
        """Keep a borrowed worker for the next contained section."""
        self._shared.append(worker)

    def fork_ahead(self, number: int) -> None:
        """Have a number of workers ready, made while this process is busy with other things."""
        threading.Thread(target=self._fork_ahead, args=(number,), daemon=True).start()

    def _fork_ahead(self, number: int) -> None:
        with suppress(PreparationError, OSError):  # whoever needs a worker will meet the error
            while len(self._spares) < number:
                worker = self._new_worker()
                if self._closed:
                    worker.dismiss()
                    break
                self._spares.append(worker)

    def _new_worker(self) -> WorkerProcess:
        ours, theirs = socket.socketpair()
        out, out_write = os.pipe()
        err, err_write = os.pipe()
        fault = tempfile.TemporaryFile()  # noqa: SIM115 - the worker's owner closes it
        fds = [theirs.fileno(), out_write, err_write, fault.fileno()]
        with self._lock:
            self._start()
            answer = self._ask({"fork": True}, fds)
            if answer is None:  # a fence has killed the fork server: once more, with a new one
                self._start()
                answer = self._ask({"fork": True}, fds)
            if answer is None:
                raise PreparationError("the fork server ended twice; see the messages above")
            pid, server = int(answer["pid"]), self._process
        theirs.close()
        os.close(out_write)
        os.close(err_write)
        return WorkerProcess(pid, Link(ours.detach()), out, err, fault, partial(self._end, server))

    def _end(self, server: object, pid: int) -> int:
        """Kill a worker, if it still runs; return its exit code, negative for a signal."""
        with self._lock:
            # A fence may have killed the server that forked this worker.
            answer = self._ask({"end": pid}) if server is self._process else None
        if answer is None:
            kill_tree(pid)
            return -signal.SIGKILL
        return int(answer["status"])

    def close(self) -> None:
        """End it; it kills what it forked."""
        self._closed = True
        self._drop_spares()
        while self._shared:
            self._shared.pop().dismiss()
        with self._lock:
            if self._control is not None and self._process is not None:
                self._control.close()
                self._control = None
                self._process.wait()
            for folder in self._folders:  # it removes its own, unless a fence has killed it
                shutil.rmtree(folder, ignore_errors=True)

    def _ask(self, message: dict[str, Any], fds: list[int] | None = None) -> dict[str, Any] | None:
        """Return the fork server's answer, or None when it has ended."""
        if self._control is None:
            return None
        try:
            socket.send_fds(self._control, [json.dumps(message).encode()], fds or [])
            return _receive_line(self._control)
        except (OSError, EOFError):
            self._control.close()
            self._control = None
            return None

    def _spawn(self) -> None:
        if self._control is not None:
            return
        self._process, self._control = _early.pop() if _early else _spawn()
        self._prepared = False

    def _start(self) -> None:
        self._spawn()
        if self._prepared:
            return
        answer = self._ask({"prepare": asdict(self._preparation)})
        if answer is None:
            raise PreparationError("the fork server ended; see the messages above")
        if answer["error"]:
            raise PreparationError(answer["error"])
        self._folders.append(answer["folder"])
        self._prepared = True


_early: list[tuple[subprocess.Popen[bytes], socket.socket]] = []


def spawn_early() -> None:
    """Start a process for the first fork server to come; unused, it ends with this process."""
    _early.append(_spawn())


def _spawn() -> tuple[subprocess.Popen[bytes], socket.socket]:
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, "-m", "proveskill.worker.zygote"],
        stdin=theirs.fileno(),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    theirs.close()
    return process, ours


def _receive_line(control: socket.socket) -> dict[str, Any]:
    data = bytearray()
    while not data.endswith(b"\n"):
        chunk = control.recv(1 << 16)
        if not chunk:
            raise EOFError
        data += chunk
    answer: dict[str, Any] = json.loads(data)
    return answer
