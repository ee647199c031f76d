"""The fork server: hands out workers, new, made ahead of time or shared, and ends them."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import tempfile
import threading
from collections import deque
from contextlib import suppress
from functools import partial

from proveskill.worker.children import kill_tree
from proveskill.worker.link import Link
from proveskill.worker_process import WorkerProcess
from proveskill.zygote_process import Preparation, PreparationError, ZygoteProcess


class ForkServer:
    """The fork server of one pack, started with the first worker. Thread-safe."""

    def __init__(self, preparation: Preparation) -> None:
        self._zygote = ZygoteProcess(preparation)
        self._spares: deque[WorkerProcess] = deque()
        self._shared: deque[WorkerProcess] = deque()
        self._closed = False
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def spawn(self) -> None:
        """Start the process, which takes a while, without waiting for it."""
        with self._lock:
            self._zygote.spawn()

    def preload(self, modules: frozenset[str]) -> None:
        """Have more modules imported, if they can be, before workers are forked."""
        if more := modules - self._zygote.imports:
            with self._lock:
                self._zygote.preload(more)
            self._drop_spares()  # they lack it

    def _drop_spares(self) -> None:
        with suppress(IndexError):
            while True:
                self._spares.pop().dismiss()

    def make_folder(self) -> str:
        """Make a folder for a section; it goes with the fork server at the latest.

        Raises :class:`PreparationError`.
        """
        with self._lock:
            self._zygote.start()
            folder = f"{self._zygote.folder}/{next(self._numbers)}"
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
        with self._lock:
            pid, forked_by = self._zygote.fork(
                [theirs.fileno(), out_write, err_write, fault.fileno()]
            )
        theirs.close()
        os.close(out_write)
        os.close(err_write)
        end = partial(self._end, forked_by)
        return WorkerProcess(pid, Link(ours.detach()), out, err, fault, end)

    def _end(self, forked_by: object, pid: int) -> int:
        """Kill a worker, if it still runs; return its exit code, negative for a signal."""
        with self._lock:
            code = self._zygote.end(forked_by, pid)
        if code is None:  # a fence has killed the process that forked this worker
            kill_tree(pid)
            return -signal.SIGKILL
        return code

    def close(self) -> None:
        """End it; it kills what it forked."""
        self._closed = True
        self._drop_spares()
        while self._shared:
            self._shared.pop().dismiss()
        with self._lock:
            self._zygote.close()
