"""The main loop of one worker: the process that executes the fences of one section.

What the loop itself calls is bound at import, where a fence that patches a module cannot reach.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from json import dumps
from pickle import loads
from time import perf_counter
from types import FrameType, ModuleType
from typing import Any

from proveskill.expectations import sqlstate_of
from proveskill.worker.checks import text_of
from proveskill.worker.children import stop_children
from proveskill.worker.link import Link
from proveskill.worker.python_runner import PythonRunner, line_in
from proveskill.worker.requests import DUMP, PROOFS, WHERE, Request


@dataclass
class Worker:
    """A section in progress. ``link`` leads to the pytest process."""

    link: Link
    python: PythonRunner
    request: Request | None = None
    sql: Any = None
    observed: list[tuple[int, str]] = field(default_factory=list)
    """What the expectations of the last fence have seen, by line of the fence."""

    def serve(self) -> None:
        """Execute requests until the pytest process says ``None`` or goes away."""
        while (request := self.receive()) is not None:
            self.request = request
            if request.language == PROOFS:
                self._serve_proofs(request)
                break
            reply = self.execute(request)
            self.request = None
            self.send(reply)
        self.send(self.close())

    def _serve_proofs(self, request: Request) -> None:
        from proveskill.worker.proofs import serve

        serve(self, request, self.python.fixtures.module, describe)

    def execute(self, request: Request) -> dict[str, Any]:
        """Run one fence and describe what happened. Raises nothing."""
        started = perf_counter()
        error: dict[str, Any] | None = None
        result: str | None = None
        self.observed = []
        try:
            result = self._run(request)
        except BaseException as raised:  # noqa: BLE001 - also SystemExit and Rust panics
            error = describe(raised, request)
        seconds = perf_counter() - started
        if left := stop_children():
            error = error or {
                "type": "ProcessLeftBehind",
                "message": "the fence left running: " + "; ".join(left),
                "line": request.first_line,
            }
        for stream in (sys.stdout, sys.stderr):
            with suppress(AttributeError, OSError, ValueError):  # a fence may have closed it
                stream.flush()
        return {"seconds": seconds, "result": result, "error": error, "observed": self.observed}

    def _run(self, request: Request) -> str | None:
        if request.fresh:
            self.python.close()
            self.python = PythonRunner(self.python.fixtures.module)
        if request.language == "python":
            return self.python.run(request, self.observed)
        if request.language == "bash":
            from proveskill.worker.bash_runner import run_bash

            run_bash(request)
            return None
        from proveskill.worker.sql_runner import SqlRunner

        self.sql = self.sql or SqlRunner()
        return self.sql.run(request, self.observed)  # type: ignore[no-any-return]

    def close(self) -> dict[str, Any]:
        """End the section; describe a fixture whose teardown raised. Raises nothing."""
        try:
            self.python.close()
            if self.sql is not None:
                self.sql.close()
        except BaseException as raised:  # noqa: BLE001 - the fences' objects may raise anything
            return {"error": f"{type(raised).__name__}: {raised}"}
        return {"error": None}

    def receive(self) -> Request | None:
        """Wait for a request; None at the end. Ends the process when there is no other side."""
        try:
            request = loads(self.link.receive())
        except EOFError:
            os._exit(0)
        return request if isinstance(request, Request) else None

    def send(self, message: dict[str, Any]) -> None:
        """Send a message to the pytest process."""
        self.link.send(dumps(message, default=str).encode())

    def say_where(self, frame: FrameType | None) -> None:
        """Send the line that a fence past its limit has reached."""
        if self.request is None:
            return
        filename = self.request.filename
        line = line_in(frame, filename) or self.python.awaiting(filename)
        self.send({"where": line})


def describe(error: BaseException, request: Request) -> dict[str, Any]:
    """Turn an exception into the fields of a failure, with a line of the Markdown file."""
    line = _line_of(error, request.filename) or request.first_line
    own_line = getattr(error, "line", None)
    if isinstance(own_line, int) and type(error).__module__.startswith("proveskill."):
        line = request.first_line + own_line - 1
    values = getattr(error, "values", None)
    message = text_of(error)
    if isinstance(error, SystemExit):
        message = f"the fence called sys.exit({error.code!r})"
    if notes := getattr(error, "__notes__", None):
        message += "\n" + "\n".join(map(str, notes))
    if isinstance(error, BaseExceptionGroup):
        message += ": " + "; ".join(f"{type(e).__name__}: {text_of(e)}" for e in error.exceptions)
    return {
        "type": type(error).__name__,
        "message": message,
        "line": line,
        "sqlstate": sqlstate_of(error),
        "values": values if isinstance(values, dict) else {},
    }


def _line_of(error: BaseException, filename: str) -> int | None:
    """Return the innermost line of a file in the traceback of an exception or what caused it."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        lines = [
            entry.lineno
            for entry in traceback.extract_tb(current.__traceback__, limit=-200)
            if entry.filename == filename
        ]
        if lines:
            return lines[-1]
        current = current.__cause__ or current.__context__
    return None


_current: Worker | None = None
_fault_fd = -1


def prepare() -> None:
    """Do, once and in the fork server, what every worker would otherwise do for itself.

    A worker is a copy of the fork server, and copies a page of it with each page it writes to.
    """
    global _fault_fd
    _fault_fd = os.open(os.devnull, os.O_WRONLY)  # each worker puts its own file in its place
    faulthandler.enable(_fault_fd)
    faulthandler.register(DUMP, _fault_fd, all_threads=False)
    signal.signal(WHERE, _say_where)
    sys.argv = ["fence.py"]
    sys.path[0] = ""  # the folder of the section, where its worker starts, instead of ours


def _say_where(_number: int, frame: FrameType | None) -> None:
    if _current is not None:
        _current.say_where(frame)


def main(link_fd: int, fault_fd: int, fixture_module: ModuleType | None) -> None:
    """Become a worker, wait to be assigned to a section and serve it; never returns."""
    global _current
    status = 1
    try:
        os.dup2(fault_fd, _fault_fd, inheritable=False)
        os.close(fault_fd)
        link = Link(link_fd)
        os.register_at_fork(after_in_child=link.close)
        environment, folder = loads(link.receive())
        os.environ.update(environment)
        os.chdir(folder)
        _current = Worker(link, PythonRunner(fixture_module))
        _current.serve()
        status = 0
    except EOFError:  # never assigned
        status = 0
    except BaseException:  # noqa: BLE001 - a worker must not return into the fork server
        traceback.print_exc()
    finally:
        # Not sys.exit(): finalising an interpreter with Rust threads in it can abort.
        os._exit(status)
