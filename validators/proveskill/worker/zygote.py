"""The fork server: imports once what the fences import, then forks a worker for each section.

A fresh process a section costs about a millisecond this way, and nothing that a fence does to
its interpreter reaches the next section. Started by :mod:`proveskill.zygote_process` with one
socket as its standard input; when that closes, for whatever reason, all it forked is killed.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import traceback
from contextlib import suppress
from types import ModuleType
from typing import Any

from proveskill.worker import process
from proveskill.worker.children import adopt_orphans, child_pids

_FDS_PER_FORK = 4  # link, standard output, standard error, fault dump


class Workers:
    """The processes that were forked: which still run, and how the others ended."""

    def __init__(self) -> None:
        self._living: set[int] = set()
        self._codes: dict[int, int] = {}

    def add(self, pid: int) -> None:
        """Note a new worker."""
        self._codes.pop(pid, None)  # an earlier one may have had its number
        self._living.add(pid)

    def end(self, pid: int) -> int:
        """Kill a worker, if it still runs; return its exit code, negative for a signal."""
        self.collect()
        if pid in self._living:
            os.kill(pid, signal.SIGKILL)
            self._note(pid, os.waitpid(pid, 0)[1])
            self.collect()
        return self._codes.pop(pid)

    def end_all(self) -> None:
        """Kill everything."""
        for pid in self._living:
            os.kill(pid, signal.SIGKILL)
        for pid in tuple(self._living):
            self._note(pid, os.waitpid(pid, 0)[1])
        self.collect()

    def collect(self) -> None:
        """Note which workers have ended, and kill the orphans that became ours thereby."""
        for pid in tuple(self._living):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found == pid:
                self._note(pid, status)
        # What an orphan leaves becomes ours in turn.
        while orphans := child_pids() - self._living:
            for orphan in orphans:
                with suppress(ProcessLookupError, ChildProcessError):
                    os.kill(orphan, signal.SIGKILL)
                    os.waitpid(orphan, 0)

    def _note(self, pid: int, status: int) -> None:
        self._living.discard(pid)
        self._codes[pid] = os.waitstatus_to_exitcode(status)


def main() -> None:
    """Serve fork requests on standard input until it closes."""
    control = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    adopt_orphans()
    process.prepare()
    folder = tempfile.mkdtemp(prefix="proveskill-")
    tempfile.tempdir = None  # fences have a TMPDIR of their own
    workers = Workers()
    fixture_module: ModuleType | None = None
    try:
        while True:
            data, fds, _, _ = socket.recv_fds(control, 1 << 16, _FDS_PER_FORK)
            if not data:
                break
            request = json.loads(data)
            if "prepare" in request:
                answer, loaded = _prepare(request["prepare"])
                fixture_module = loaded or fixture_module
                answer["folder"] = folder
                gc.freeze()  # what is imported now stays: fewer pages to copy in each worker
            elif "fork" in request:
                workers.collect()
                answer = {"pid": _fork(fds, control, fixture_module)}
                workers.add(answer["pid"])
            else:
                answer = {"status": workers.end(request["end"])}
            control.sendall(json.dumps(answer).encode() + b"\n")
    finally:
        workers.end_all()
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(what: dict[str, Any]) -> tuple[dict[str, Any], ModuleType | None]:
    """Import the pack's modules. Errors are returned: the pytest process shows them."""
    sys.path[:0] = what["path"]
    try:
        for name, replacement in what["replace"].items():
            _put_in_place(importlib.import_module(replacement), name)
        for name in what["preload"]:
            importlib.import_module(name)
        for name in what["found"]:
            with suppress(Exception):  # a module of another platform, or one that is missing
                importlib.import_module(name)
        return {"error": None}, _load(what["fixtures"]) if what["fixtures"] else None
    except Exception as error:  # noqa: BLE001 - imports run foreign code
        frames = traceback.extract_tb(error.__traceback__)
        where = f"{frames[-1].filename}:{frames[-1].lineno}: " if frames else ""
        return {"error": f"{where}{type(error).__name__}: {error}"}, None


def _put_in_place(replacement: ModuleType, name: str) -> None:
    """Have a module offer what another defines; its submodules stay what they are."""
    original = importlib.import_module(name)
    public = [n for n in vars(replacement) if not n.startswith("_")]
    for public_name in getattr(replacement, "__all__", public):
        setattr(original, public_name, getattr(replacement, public_name))


def _load(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location("proveskill_pack_fixtures", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"not a Python file: {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _fork(fds: list[int], control: socket.socket, fixtures: ModuleType | None) -> int:
    pid = os.fork()
    if pid == 0:
        control.close()
        os.setsid()
        adopt_orphans()
        link, out, err, fault = fds
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.close(out)
        os.close(err)
        process.main(link, fault, fixtures)
    for fd in fds:
        os.close(fd)
    return pid


if __name__ == "__main__":
    main()
