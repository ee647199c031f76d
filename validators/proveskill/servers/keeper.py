"""The keeper: a process that holds the servers of a run and takes them away at its end.

`python -m proveskill.servers.keeper RUN LISTENER LIFELINE`: the run's directory, and the file
descriptors of a listening Unix socket and of a pipe whose other end the owner holds. The
owner's end, in whatever way, closes the pipe; then, or on SIGTERM, everything is stopped and
deleted.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path

from proveskill.servers._desk import Desk
from proveskill.servers._model import ADDRESS, ServerError, ServerSpec
from proveskill.servers._run_directory import SPEC_NAME, remove_run_directory
from proveskill.servers._wire import answer, read_request

FAULT = "the server keeper failed, run again, and report it if that does not help"
ENDING_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def keep(run: Path, listener: socket.socket, lifeline: int) -> None:
    """Serve until the owner ends or a signal asks for the end, then clean up."""
    wakeup = _wake_on_signals()
    try:
        spec = ServerSpec.from_json(json.loads((run / SPEC_NAME).read_text(encoding="utf-8")))
        if spec.family != ADDRESS:
            _forget_libpq_defaults()
        desk = Desk(run, spec)
        try:
            _serve(desk, listener, lifeline, wakeup)
        finally:
            listener.close()
            desk.close()
    finally:
        remove_run_directory(run)


def _serve(desk: Desk, listener: socket.socket, lifeline: int, wakeup: socket.socket) -> None:
    with selectors.DefaultSelector() as selector:
        for source in (listener, lifeline, wakeup):
            selector.register(source, selectors.EVENT_READ)
        while True:
            ready = [key.fileobj for key, _ in selector.select()]
            if lifeline in ready or wakeup in ready:
                return
            connection, _ = listener.accept()
            thread = threading.Thread(target=_talk, args=(desk, connection), daemon=True)
            thread.start()


def _talk(desk: Desk, connection: socket.socket) -> None:
    with connection:
        request = read_request(connection)
        if request is None:
            return
        try:
            value = desk.serve(request)
        except ServerError as error:
            answer(connection, error=str(error))
        except Exception as error:  # noqa: BLE001 - a client must hear of any fault
            traceback.print_exc()
            answer(connection, error=f"{FAULT}: {type(error).__name__}: {error}")
        else:
            answer(connection, value)


def _forget_libpq_defaults() -> None:
    """Drop PGSSLMODE, PGOPTIONS and the like, which are meant for a server of the user."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]


def _wake_on_signals() -> socket.socket:
    """A socket that becomes readable when a signal asks for the end."""
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.detach())
    for number in ENDING_SIGNALS:
        signal.signal(number, lambda *_: None)
    return reader


def main() -> None:
    """Entry of the process."""
    run, listener, lifeline = sys.argv[1:4]
    keep(Path(run), socket.socket(fileno=int(listener)), int(lifeline))
    # Threads that still wait for an answer of a stopped server hold nothing any more.
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
