"""What the programs share: they end in good order by a signal, a closed pipe or a full disk.

`__main__` imports nothing but this. `run` imports the rest, which takes seconds, when signals are
handled already.
"""

from __future__ import annotations

import os
import signal
import sys
import warnings
from contextlib import suppress
from importlib import import_module
from typing import NoReturn, TextIO

UNWRITTEN, INTERRUPTED, CLOSED_PIPE = 4, 130, 141
STATUSES = (
    "4 the output cannot be written (a full disk), 130 Ctrl-C, SIGTERM or SIGHUP, 141 the reader "
    "of the output went away"
)
"""The exit statuses of every program, for its --help."""


class OutputError(Exception):
    """Standard output cannot be written; the message says why."""

    def __init__(self, reason: str, *, is_closed: bool) -> None:
        super().__init__(reason)
        self.is_closed = is_closed


def run(module: str) -> NoReturn:
    """Import `module` and end with the status that its `main()` gives."""
    _handle(_end)
    main = import_module(module).main
    try:
        try:
            status = main()
        finally:
            say("", end="")  # what argparse has printed
    except OutputError as error:
        status = CLOSED_PIPE if error.is_closed else failed(error, UNWRITTEN)
    except KeyboardInterrupt:
        status = failed("interrupted", INTERRUPTED)
    _handle(_end)
    sys.exit(status)


def interrupts_raise() -> None:
    """From now on a signal raises KeyboardInterrupt, as what has begun must be undone.

    Until then it ends the process. During an import an exception does not do: C code that calls
    Python (an import in NumPy, a weak reference) may drop it.
    """
    _handle(_interrupt)
    # One that comes when asyncio is closing its loop leaves a coroutine of asyncio's unused.
    warnings.filterwarnings("ignore", r"coroutine 'BaseEventLoop\.shutdown_", RuntimeWarning)
    if _is_heeded(signal.SIGINT):
        # None other: it is the one that asyncio replaces by a cancellation of the main task.
        signal.signal(signal.SIGINT, signal.default_int_handler)


def ending_signals() -> list[signal.Signals]:
    """Ctrl-C, SIGTERM and SIGHUP, without those that the caller (nohup, say) has turned off."""
    return [n for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if _is_heeded(n)]


def say(text: str, *, end: str = "\n", after: str = "") -> None:
    """Write to standard output at once. OutputError, whose message begins with `after`."""
    try:
        print(text, end=end, flush=True)
    except OSError as error:
        _silence(sys.stdout)
        reason = f"{after}the output cannot be written: {error.strerror}"
        raise OutputError(reason, is_closed=isinstance(error, BrokenPipeError)) from error


def note(text: str) -> None:
    """Write to standard error. That nobody can read it is no reason to stop."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        _silence(sys.stderr)


def failed(error: object, status: int) -> int:
    """Tell the error; gives the exit status."""
    note(f"error: {error}")
    return status


def _handle(handler: object) -> None:
    for number in ending_signals():
        signal.signal(number, handler)


def _is_heeded(number: int) -> bool:
    return signal.getsignal(number) is not signal.SIG_IGN


def _end(number: int, _frame: object) -> NoReturn:
    if number == signal.SIGINT:
        with suppress(OSError):
            os.write(2, b"error: interrupted\n")
    os._exit(INTERRUPTED)


def _interrupt(number: int, frame: object) -> None:
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):  # Ctrl-C is turned off, the other signals are not
        raise KeyboardInterrupt
    handler(number, frame)


def _silence(stream: TextIO) -> None:
    """Let what is still in the buffer go nowhere: Python would complain about it at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
