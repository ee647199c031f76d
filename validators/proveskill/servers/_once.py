"""Things that are started by whoever needs them first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from proveskill.servers._model import ServerError

T = TypeVar("T")
ROOM = "point TMPDIR to a writable place with about 100 MB to spare"


class Once(Generic[T]):
    """The result of `start`, which runs at most once; its error is for all who ask."""

    def __init__(self, start: Callable[[], T]) -> None:
        self._start = start
        self._lock = threading.Lock()
        self._error: ServerError | None = None
        self._values: list[T] = []

    def get(self) -> T:
        """The value, once it is there. Raises ServerError, the same one every time."""
        with self._lock:
            if self._error is not None:
                raise self._error
            if not self._values:
                try:
                    self._values.append(self._start())
                except ServerError as error:
                    self._error = error
                    raise
                except OSError as error:
                    self._error = ServerError(f"a server cannot be started: {error}; {ROOM}")
                    raise self._error from error
            return self._values[0]

    def peek(self) -> T | None:
        """The value if it is there by now; does not wait."""
        return self._values[0] if self._values else None
