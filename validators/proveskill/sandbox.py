"""The pytest process's side of the workers: start, ask, time out, clean up.

Whatever happens inside a worker (a deadlock that holds the GIL, ``os._exit``, a segmentation
fault, a flood of output) comes out of :meth:`Worker.run` as data.
"""

from __future__ import annotations

import json
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from proveskill.worker.process import DUMP, WHERE
from proveskill.worker.requests import Request

_GRACE = 0.5
"""Seconds that a worker past its limit gets to say where it is, and to close."""
_CLOSING = 5.0
"""Seconds that fixtures have for their teardown."""


class PreparationError(Exception):
    """The pack's fixtures or preloaded modules cannot be imported."""


@dataclass(frozen=True)
class Limits:
    """What one fence may use."""

    seconds: float = 15.0
    output_bytes: int = 1_000_000


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


@dataclass(frozen=True)
class Answer:
    """What came of one request. ``error`` holds the fields of a failure, without the file."""

    seconds: float
    output: str
    """What the fence wrote to its standard output."""
    errors: str
    result: str | None = None
    error: dict[str, Any] | None = None
    worker_lost: bool = False


class Zygote:
    """The fork server of one pack, started with the first worker. Thread-safe."""

    def __init__(self, preparation: Preparation) -> None:
        self._preparation = preparation
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = ""

    def start(self) -> None:
        """Start it and import the pack's modules. Raises :class:`PreparationError`."""
        with self._lock:
            self._start()

    def make_folder(self) -> str:
        """Make a folder for a section; it goes with the fork server at the latest."""
        self.start()
        return tempfile.mkdtemp(dir=self._folder)

    def fork(self, environment: dict[str, str], folder: str) -> Worker:
        """Start a worker in a folder. Raises :class:`PreparationError`."""
        ours, theirs = socket.socketpair()
        out, out_write = os.pipe()
        err, err_write = os.pipe()
        fault = tempfile.TemporaryFile()  # noqa: SIM115 - the worker's owner closes it
        with self._lock:
            control = self._start()
            fork = {"fork": {"environment": environment, "folder": folder}}
            fds = [theirs.fileno(), out_write, err_write, fault.fileno()]
            socket.send_fds(control, [json.dumps(fork).encode()], fds)
            pid = _receive_line(control)["pid"]
        theirs.close()
        os.close(out_write)
        os.close(err_write)
        return Worker(self, pid, Connection(ours.detach()), out, err, fault)

    def reap(self, pid: int, *, kill: bool) -> int:
        """Return a worker's exit code once it has ended, negative for a signal."""
        with self._lock:
            if self._control is None:
                return 0
            self._control.sendall(json.dumps({"reap": pid, "kill": kill}).encode())
            return int(_receive_line(self._control)["status"])

    def close(self) -> None:
        """End it; it kills what it forked."""
        with self._lock:
            if self._control is not None and self._process is not None:
                self._control.close()
                self._control = None
                self._process.wait()

    def _start(self) -> socket.socket:
        if self._control is not None:
            return self._control
        ours, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "proveskill.worker.zygote"],
            stdin=theirs,
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
        ours.sendall(json.dumps({"prepare": prepare}).encode())
        answer = _receive_line(ours)
        self._control = ours
        self._folder = answer["folder"]
        if answer["error"]:
            raise PreparationError(answer["error"])
        return ours


class Worker:
    """The process of one section, from the outside. Used by one thread."""

    def __init__(
        self, zygote: Zygote, pid: int, link: Connection[Any, Any], out: int, err: int, fault: Any
    ) -> None:
        self._zygote = zygote
        self._pid = pid
        self._link = link
        self._fault = fault
        self._captured: dict[int, bytearray] = {out: bytearray(), err: bytearray()}
        self._out, self._err = out, err
        self._selector = selectors.DefaultSelector()
        for fd in (link.fileno(), out, err):
            os.set_blocking(fd, fd == link.fileno())
            self._selector.register(fd, selectors.EVENT_READ)
        self.lost = False

    def run(self, request: Request, limits: Limits) -> Answer:
        """Execute one fence; never raises for what the fence does, and always returns in time."""
        started = time.monotonic()
        with suppress(OSError):  # a dead worker shows below, as the end of its stream
            self._link.send(request)
        message = self._await(started + limits.seconds, limits.output_bytes)
        seconds = time.monotonic() - started
        if message is not None:
            self._drain()
            return self._answer(message["seconds"], message["result"], message["error"])
        if self._flooded(limits.output_bytes):
            error = {
                "type": "OutputFlood",
                "message": f"the fence wrote more than {limits.output_bytes:,} bytes",
            }
        elif self.lost:
            error = {"type": "ProcessEnded"}
        else:
            error = {
                "type": "TimeLimit",
                "message": f"still running after {limits.seconds:g} s",
                "line": self._where(),
            }
        code = self._kill()
        if "message" not in error:
            error["message"] = _describe_exit(code)
        error["line"] = error.get("line") or self._fault_line(request.filename)
        error["line"] = error["line"] or request.first_line
        return self._answer(seconds, None, error)

    def close(self) -> str | None:
        """End the section; return what a fixture's teardown raised, if it did."""
        if self.lost:
            return None
        with suppress(OSError):
            self._link.send(None)
        message = self._await(time.monotonic() + _CLOSING, None)
        if message is None:
            ended = self.lost
            self._kill()
            return "the process ended" if ended else f"took longer than {_CLOSING:g} s"
        self._release(kill=False)
        error = message["error"]
        return None if error is None else str(error)

    def abandon(self) -> None:
        """Kill it without asking."""
        self._kill()

    def _answer(self, seconds: float, result: str | None, error: Any) -> Answer:
        output, errors = (
            bytes(self._captured[fd]).decode(errors="replace") for fd in (self._out, self._err)
        )
        for captured in self._captured.values():
            captured.clear()
        return Answer(seconds, output, errors, result, error, worker_lost=self.lost)

    def _await(self, deadline: float, output_bytes: int | None) -> dict[str, Any] | None:
        """Return the worker's message, or None at the deadline, a flood or its death."""
        while (left := deadline - time.monotonic()) > 0:
            for key, _ in self._selector.select(left):
                if key.fd != self._link.fileno():
                    self._read(key.fd)
                    continue
                try:
                    message: dict[str, Any] = json.loads(self._link.recv_bytes())
                except (EOFError, OSError):
                    self.lost = True
                    self._drain()
                    return None
                return message
            if output_bytes is not None and self._flooded(output_bytes):
                return None
        return None

    def _flooded(self, output_bytes: int) -> bool:
        return sum(map(len, self._captured.values())) > output_bytes

    def _read(self, fd: int) -> bool:
        try:
            data = os.read(fd, 1 << 16)
        except BlockingIOError:
            return False
        if not data:
            with suppress(KeyError):
                self._selector.unregister(fd)
            return False
        self._captured[fd] += data
        return True

    def _drain(self) -> None:
        for fd in self._captured:
            while self._read(fd):
                pass

    def _where(self) -> int | None:
        """Ask a worker past its limit for its line; one that holds the GIL dumps it instead."""
        with suppress(ProcessLookupError):
            os.kill(self._pid, WHERE)
            message = self._await(time.monotonic() + _GRACE, None)
            if message is not None and message.get("where"):
                return int(message["where"])
            size = os.fstat(self._fault.fileno()).st_size
            os.kill(self._pid, DUMP)
            deadline = time.monotonic() + _GRACE
            while os.fstat(self._fault.fileno()).st_size == size and time.monotonic() < deadline:
                time.sleep(0.01)
        return None

    def _fault_line(self, filename: str) -> int | None:
        """Return the innermost line of a file in the fault handler's traceback."""
        self._fault.seek(0)
        dump = self._fault.read().decode(errors="replace")
        self._fault.close()
        match = re.search(rf'File "{re.escape(filename)}", line (\d+)', dump)
        return int(match[1]) if match else None

    def _kill(self) -> int:
        code = self._release(kill=True)
        self.lost = True
        return code

    def _release(self, *, kill: bool) -> int:
        code = self._zygote.reap(self._pid, kill=kill)
        self._drain()
        self._selector.close()
        self._link.close()
        os.close(self._out)
        os.close(self._err)
        return code


def _receive_line(control: socket.socket) -> dict[str, Any]:
    data = bytearray()
    while not data.endswith(b"\n"):
        chunk = control.recv(1 << 16)
        if not chunk:
            raise PreparationError("the fork server ended; see the messages above")
        data += chunk
    answer: dict[str, Any] = json.loads(data)
    return answer


def _describe_exit(code: int) -> str:
    if code >= 0:
        return f"the fence ended its process with exit status {code}"
    with suppress(ValueError):
        return f"the fence's process was ended by {signal.Signals(-code).name}"
    return f"the fence's process was ended by signal {-code}"
