"""A worker, from the outside: ask, time out, clean up.

Whatever happens inside a worker (a deadlock that holds the GIL, ``os._exit``, a segmentation
fault, a flood of output) comes out of :meth:`WorkerProcess.run` as data.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import selectors
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from proveskill.model import Limits
from proveskill.worker.link import Link
from proveskill.worker.requests import DUMP, WHERE, Request

_GRACE = 0.5
"""Seconds that a worker past its limit gets to say where it is, and to close."""
_CLOSING = 5.0
"""Seconds that fixtures have for their teardown."""


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
    observed: tuple[tuple[int, str], ...] = ()
    """What its expectations have seen, by line of the fence."""


End = Callable[[int], int]
"""Kills a process, if it still runs: (pid) -> exit code, negative for a signal."""


class WorkerProcess:
    """The process of one section, from the outside. Used by one thread."""

    def __init__(self, pid: int, link: Link, out: int, err: int, fault: Any, end: End) -> None:
        self._end = end
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
        """Whether it ended, or had to be killed, before it was closed."""
        self._released = False

    def assign(self, environment: dict[str, str], folder: str) -> None:
        """Tell it what changes in its environment, and the folder of its section."""
        with suppress(OSError):  # a dead worker shows at its first request
            self._link.send(pickle.dumps((environment, folder)))

    def dismiss(self) -> None:
        """Let it end by itself; it was never assigned."""
        self._release()

    def run(self, request: Request, limits: Limits) -> Answer:
        """Execute one fence; never raises for what the fence does, and always returns in time."""
        started = time.monotonic()
        with suppress(OSError):  # a dead worker shows below, as the end of its stream
            self._link.send(pickle.dumps(request))
        message = self._await(started + limits.seconds, limits.output_bytes)
        seconds = time.monotonic() - started
        if message is not None:
            self._drain()
            error = message["error"]
            if error is None and self._flooded(limits.output_bytes):
                error = {**_flood(limits), "line": request.first_line}
            answer = self._answer(message["seconds"], message["result"], error)
            observed = tuple((line, text) for line, text in message.get("observed", ()))
            return replace(answer, observed=observed)
        if self._flooded(limits.output_bytes):
            error = _flood(limits)
        elif self.lost:
            error = {"type": "ProcessEnded"}
        else:
            error = {
                "type": "TimeLimit",
                "message": f"still running after {limits.seconds:g} s",
                "line": self._where(),
            }
        fault_line = self._fault_line(request.filename)
        code = self._kill()
        error.setdefault("message", _describe_exit(code))
        error["line"] = error.get("line") or fault_line or request.first_line
        return self._answer(seconds, None, error)

    def close(self) -> str | None:
        """End the section; return what a fixture's teardown raised, if it did."""
        if self.lost:
            return None
        with suppress(OSError):
            self._link.send(pickle.dumps(None))
        message = self._await(time.monotonic() + _CLOSING, None)
        if message is None:
            ended = self.lost
            self._kill()
            return "the process ended" if ended else f"took longer than {_CLOSING:g} s"
        self._release()
        error = message["error"]
        return None if error is None else str(error)

    def abandon(self) -> None:
        """Kill it without asking, unless it has ended."""
        if not self._released:
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
                    data = self._link.poll()
                    message: dict[str, Any] | None = json.loads(data) if data else None
                except (EOFError, OSError, ValueError):  # ValueError: a fence wrote into the link
                    self.lost = True
                    self._drain()
                    return None
                if message is not None:
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
        match = re.search(rf'File "{re.escape(filename)}", line (\d+)', dump)
        return int(match[1]) if match else None

    def _kill(self) -> int:
        code = self._end(self._pid)
        self.lost = True
        self._release()
        return code

    def _release(self) -> None:
        self._drain()
        self._released = True
        self._selector.close()
        self._link.close()
        self._fault.close()
        os.close(self._out)
        os.close(self._err)


def _flood(limits: Limits) -> dict[str, Any]:
    message = f"the fence wrote more than {limits.output_bytes:,} bytes"
    return {"type": "OutputFlood", "message": message}


def _describe_exit(code: int) -> str:
    if code >= 0:
        return f"the fence ended its process with exit status {code}"
    with suppress(ValueError):
        return f"the fence's process was ended by {signal.Signals(-code).name}"
    return f"the fence's process was ended by signal {-code}"
