"""The fork server, from the outside: it imports once what fences import, then forks workers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from proveskill.worker.children import kill_tree
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


class ForkServer:
    """The fork server of one pack, started with the first worker. Thread-safe."""

    def __init__(self, preparation: Preparation) -> None:
        self._preparation = preparation
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._folders: list[str] = []

    def start(self) -> None:
        """Start it and import the pack's modules. Raises :class:`PreparationError`."""
        with self._lock:
            self._start()

    def make_folder(self) -> str:
        """Make a folder for a section; it goes with the fork server at the latest."""
        self.start()
        return tempfile.mkdtemp(dir=self._folders[-1])

    def fork(self, environment: dict[str, str], folder: str) -> WorkerProcess:
        """Start a worker in a folder. Raises :class:`PreparationError`."""
        ours, theirs = socket.socketpair()
        out, out_write = os.pipe()
        err, err_write = os.pipe()
        fault = tempfile.TemporaryFile()  # noqa: SIM115 - the worker's owner closes it
        fork = {"fork": {"environment": environment, "folder": folder}}
        fds = [theirs.fileno(), out_write, err_write, fault.fileno()]
        with self._lock:
            self._start()
            answer = self._ask(fork, fds)
            if answer is None:  # a fence has killed the fork server: once more, with a new one
                self._start()
                answer = self._ask(fork, fds)
            if answer is None:
                raise PreparationError("the fork server ended twice; see the messages above")
            pid = int(answer["pid"])
        theirs.close()
        os.close(out_write)
        os.close(err_write)
        return WorkerProcess(pid, Connection(ours.detach()), out, err, fault, self.reap)

    def reap(self, pid: int, kill: bool) -> int:
        """Return a worker's exit code once it has ended, negative for a signal."""
        with self._lock:
            answer = self._ask({"reap": pid, "kill": kill})
        if answer is None:
            kill_tree(pid)
            return -signal.SIGKILL
        return int(answer["status"])

    def close(self) -> None:
        """End it; it kills what it forked."""
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

    def _start(self) -> None:
        if self._control is not None:
            return
        ours, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "proveskill.worker.zygote"],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()
        what = self._preparation
        prepare = {
            "preload": what.preload,
            "path": what.path,
            "fixtures": what.fixtures,
            "replace": what.replace,
        }
        self._control = ours
        answer = self._ask({"prepare": prepare})
        if answer is None:
            raise PreparationError("the fork server ended; see the messages above")
        if answer["error"]:
            raise PreparationError(answer["error"])
        self._folders.append(answer["folder"])


def _receive_line(control: socket.socket) -> dict[str, Any]:
    data = bytearray()
    while not data.endswith(b"\n"):
        chunk = control.recv(1 << 16)
        if not chunk:
            raise EOFError
        data += chunk
    answer: dict[str, Any] = json.loads(data)
    return answer
