"""The order of what the tasks of one session do on its connection.

psqlpy lets any number of tasks use one connection at once and sends each statement as soon as it
is prepared: a statement that must be prepared first is overtaken by later ones, and what another
task sends falls into the middle of a script, of `execute_many` or of a COPY. A `Lane` gives turns
in the order of asking. Statements with a *shared* turn are under way together: they are sent in
order, without waiting for each other's answer. A turn *alone* begins when everything before it has
ended, and nothing after it begins until it ends. A turn for *reads* shares with what was before it
and with other such turns only: its statements may be sent again, one by one, and must not find
what was written after them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any

from psqlpy_adapter.sql_text import tokens

_CLOSING = frozenset({"commit", "end", "rollback", "abort"})


class Turn:
    """A place in the queue; `granted` is called when it has come."""

    __slots__ = ("alone", "granted", "reads")

    def __init__(
        self, granted: Callable[[], None], *, alone: bool | Callable[[], bool], reads: bool
    ) -> None:
        self.granted = granted
        self.alone = alone
        self.reads = reads

    def wants_alone(self) -> bool:
        """Return whether the turn is to be alone, now that it is the next."""
        return self.alone if isinstance(self.alone, bool) else self.alone()


class Lane:
    """Turns on one connection, first come, first served; see the module."""

    def __init__(self) -> None:
        self.under_way = 0
        self.asked = 0  # how often somebody has asked for a turn
        self.waits = 0  # how often it was a task that waits for it
        self.in_block = False
        self.epoch = object()  # another one after each command (SET, CREATE, ...)
        self.groups: dict[str, Any] = {}  # what concurrency.py has asked a turn for
        self._alone = False
        self._owner: asyncio.Task[Any] | None = None
        self._reading = 0  # turns for reads that are under way
        self._granted = 0  # turns given to tasks that have not run since
        self._queue: deque[Turn] = deque()

    @property
    def idle(self) -> bool:
        """Whether nothing is under way and nobody waits."""
        return not (self.under_way or self._queue)

    def is_held(self) -> bool:
        """Whether another task is using a plan, or has one and waits for its shared turn."""
        return self.under_way > 1 or any(turn.alone is False for turn in self._queue)

    def note(self, sql: str) -> None:
        """Learn from a command that succeeded whether a transaction block is open.

        SQLSpec knows only of its own `begin()`; a `BEGIN` may also be the text of a statement.
        """
        self.epoch = object()
        words = [token.text for token in tokens(sql)[:2]]
        first, second = (*words, "", "")[:2]
        if first == "begin" or (first, second) == ("start", "transaction"):
            self.in_block = True
        elif first in _CLOSING or (first, second) == ("prepare", "transaction"):
            self.in_block = self.in_block and second == "to"  # ROLLBACK TO a savepoint

    def shared(self) -> _SharedTurn:
        """Return a context manager: a turn that other statements may share."""
        return _SharedTurn(self)

    def alone(self, when: bool | Callable[[], bool] = True) -> _LoneTurn:
        """Return a context manager: a turn that nothing else shares.

        The task that has it may ask for further turns inside; they are given at once. `when` is
        asked when the turn has come: if it is false then, the turn is a shared one, and nothing
        may ask for a turn inside.
        """
        return _LoneTurn(self, when)

    def ask(
        self,
        granted: Callable[[], None],
        *,
        alone: bool | Callable[[], bool] = False,
        reads: bool = False,
    ) -> Turn:
        """Queue for a turn; `granted` is called in `advance` when it has come.

        Whoever is given a turn calls `begin` before anything else, and `leave` at the end.
        """
        self.asked += 1
        turn = Turn(granted, alone=alone, reads=reads)
        self._queue.append(turn)
        return turn

    def advance(self) -> None:
        """Give the turns that have come."""
        while self._queue and not self._alone:
            turn = self._queue[0]
            turn_alone = turn.wants_alone()
            if (turn_alone and self.under_way) or (self._reading and not turn.reads):
                return
            self._queue.popleft()
            self.under_way += 1
            self._granted += 1
            self._reading += turn.reads
            self._alone = turn.alone = turn_alone
            turn.granted()

    def begin(self) -> None:
        """Say that a turn that was given is being used."""
        self._granted -= 1

    def leave(self, *, alone: bool = False, reads: bool = False) -> None:
        """End a turn."""
        self.under_way -= 1
        self._reading -= reads
        if alone:
            self._alone = False
            self._owner = None
        if self._queue:
            self.advance()

    def owns(self) -> bool:
        """Whether the running task has the turn alone."""
        return self._owner is not None and self._owner is asyncio.current_task()

    def join(self) -> bool:
        """Take a shared turn now if nobody is before us; return whether that was so."""
        is_taken = self._queue or self._alone or self._granted or self._reading
        if is_taken and not self.owns():
            return False
        self.under_way += 1
        return True

    async def wait(self, *, alone: bool | Callable[[], bool]) -> bool:
        """Wait for a turn, in order; return whether it is alone."""
        future = asyncio.get_running_loop().create_future()

        def granted() -> None:
            if not future.done():
                future.set_result(None)

        self.waits += 1
        turn = self.ask(granted, alone=alone)
        self.advance()
        try:
            await future
        except asyncio.CancelledError:
            if turn in self._queue:
                self._queue.remove(turn)
                self.advance()
            else:
                self.begin()
                self.leave(alone=bool(turn.alone))
            raise
        self.begin()
        if turn.alone:
            self._owner = asyncio.current_task()
        return bool(turn.alone)


class _SharedTurn:
    __slots__ = ("_lane",)

    def __init__(self, lane: Lane) -> None:
        self._lane = lane

    async def __aenter__(self) -> None:
        if not self._lane.join():
            await self._lane.wait(alone=False)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lane.leave()


class _LoneTurn:
    __slots__ = ("_alone", "_inner", "_lane", "_when")

    def __init__(self, lane: Lane, when: bool | Callable[[], bool]) -> None:
        self._lane = lane
        self._when = when
        self._inner = False
        self._alone = False

    async def __aenter__(self) -> None:
        self._inner = self._lane.owns()
        if not self._inner:
            self._alone = await self._lane.wait(alone=self._when)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._inner:
            self._lane.leave(alone=self._alone)
