"""A fair limit on how many hold something at once, usable from several event loops and threads.

asyncio.Semaphore belongs to the loop in which somebody first waited; a configuration outlives
loops (a second `asyncio.run`), so it needs a limit of its own.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import dataclass, field


@dataclass(eq=False)
class _Waiter:
    loop: asyncio.AbstractEventLoop
    woken: asyncio.Future[None]
    has_slot: bool = False

    def wake(self) -> None:
        if not self.woken.done():
            self.woken.set_result(None)


class SlotsClosed(Exception):
    """There are no slots any more."""


@dataclass
class Slots:
    """At most `limit` slots are held; who waits longest is next."""

    limit: int
    held: int = 0
    is_closed: bool = False
    _waiters: deque[_Waiter] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def waiting(self) -> int:
        """How many wait for a slot."""
        return len(self._waiters)

    async def take(self, limit: float | None) -> None:
        """Wait for a slot for at most `limit` seconds. Raises TimeoutError, SlotsClosed."""
        with self._lock:
            if self.is_closed:
                raise SlotsClosed
            if self.held < self.limit and not self._waiters:
                self.held += 1
                return
            loop = asyncio.get_running_loop()
            waiter = _Waiter(loop, loop.create_future())
            self._waiters.append(waiter)
        try:
            await asyncio.wait((waiter.woken,), timeout=limit)
        except BaseException:
            if not self._has_left(waiter):
                self.give()
            raise
        if self._has_left(waiter):
            if self.is_closed:
                raise SlotsClosed
            raise TimeoutError

    def give(self) -> None:
        """Give a slot back; the first who waits gets it."""
        with self._lock:
            self.held -= 1
            self._hand_out()

    def resize(self, limit: int) -> None:
        """Change the limit; slots that are held beyond it stay held."""
        with self._lock:
            self.limit = limit
            self._hand_out()

    def close(self) -> None:
        """Whoever waits, or comes later, gets SlotsClosed."""
        with self._lock:
            self.is_closed = True
            for waiter in self._waiters:
                if not waiter.loop.is_closed():
                    waiter.loop.call_soon_threadsafe(waiter.wake)

    def _hand_out(self) -> None:
        while self._waiters and self.held < self.limit:
            waiter = self._waiters.popleft()
            if waiter.loop.is_closed():
                continue
            self.held += 1
            waiter.has_slot = True
            waiter.loop.call_soon_threadsafe(waiter.wake)

    def _has_left(self, waiter: _Waiter) -> bool:
        """Take the waiter off the queue unless it was given a slot in the meantime."""
        with self._lock:
            if waiter.has_slot:
                return False
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            return True


class Lock:
    """Mutual exclusion for tasks of several event loops and threads."""

    def __init__(self) -> None:
        self._slots = Slots(1)

    async def __aenter__(self) -> None:
        await self._slots.take(None)

    async def __aexit__(self, *error: object) -> None:
        self._slots.give()
