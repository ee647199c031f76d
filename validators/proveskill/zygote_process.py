"""The fork server's process, from the outside: start it, have it import and fork, end it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from dataclasses import asdict, dataclass, field, replace
from typing import Any


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


class ZygoteProcess:
    """The process, started anew when a fence has killed it. Not thread-safe."""

    def __init__(self, preparation: Preparation) -> None:
        self._preparation = preparation
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._prepared = False
        self._folders: list[str] = []

    @property
    def folder(self) -> str:
        """Its folder for what its workers write; there is one once it was started."""
        return self._folders[-1]

    def spawn(self) -> None:
        """Start the process, which takes a while, without waiting for it."""
        if self._control is not None:
            return
        self._process, self._control = _early.pop() if _early else _spawn()
        self._prepared = False

    def start(self) -> None:
        """Start it and import the pack's modules. Raises :class:`PreparationError`."""
        self.spawn()
        if self._prepared:
            return
        answer = self._ask({"prepare": asdict(self._preparation)})
        if answer is None:
            raise PreparationError("the fork server ended; see the messages above")
        if answer["error"]:
            raise PreparationError(answer["error"])
        self._folders.append(answer["folder"])
        self._prepared = True

    @property
    def imports(self) -> frozenset[str]:
        """The modules that it imports, or has tried to."""
        return frozenset({*self._preparation.preload, *self._preparation.found})

    def preload(self, modules: frozenset[str]) -> None:
        """Have more modules imported, if they can be."""
        more = tuple(sorted(modules))
        found = (*self._preparation.found, *more)
        self._preparation = replace(self._preparation, found=found)
        if self._prepared:
            self._ask({"prepare": asdict(Preparation(found=more))})

    def fork(self, fds: list[int]) -> tuple[int, object]:
        """Return the id of a new worker, and who forked it. Raises :class:`PreparationError`."""
        for _ in range(2):  # a fence may have killed the fork server: once more, with a new one
            self.start()
            if (answer := self._ask({"fork": True}, fds)) is not None:
                return int(answer["pid"]), self._process
        raise PreparationError("the fork server ended twice; see the messages above")

    def end(self, forked_by: object, pid: int) -> int | None:
        """Kill a worker, if it still runs; return its exit code, negative for a signal.

        None when whoever forked it has ended, and left it.
        """
        answer = self._ask({"end": pid}) if forked_by is self._process else None
        return None if answer is None else int(answer["status"])

    def close(self) -> None:
        """End it; it kills what it forked."""
        if self._control is not None and self._process is not None:
            self._control.close()
            self._control = None
            self._process.wait()
        for folder in self._folders:  # it removes its own, unless a fence has killed it
            shutil.rmtree(folder, ignore_errors=True)

    def _ask(self, message: dict[str, Any], fds: list[int] | None = None) -> dict[str, Any] | None:
        """Return its answer, or None when it has ended."""
        if self._control is None:
            return None
        try:
            socket.send_fds(self._control, [json.dumps(message).encode()], fds or [])
            return _receive_line(self._control)
        except (OSError, EOFError):
            self._control.close()
            self._control = None
            return None


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
