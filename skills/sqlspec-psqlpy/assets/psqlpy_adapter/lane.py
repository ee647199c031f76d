"""The order of what the tasks of one session do on its connection.

psqlpy lets any number of tasks use one connection at once and sends each statement as soon as it
is prepared: a statement that must be prepared first is overtaken by later ones, and what another
task sends falls into the middle of a script, of `execute_many` or of a COPY. A `Lane` gives turns
in the order of asking. Statements with a *shared* turn are under way together: they are sent in
order, without waiting for each other's answer. A turn *alone* begins when everything before it has
ended, and nothing after it begins until it ends. A turn for *reads* shares with what was before it
and with other such turns only: its statements may be sent again, one by one, and must not find
what was written after them.

A *guest* is a stream whose own transaction is open. Whatever else gets a turn then has it alone,
and the guest's transaction is ended first, in the turn: not when the turn is asked for, since the
stream may be opened before it comes.

Whoever must have done something when it is cancelled while it waits (the end of a transaction)
names an *heir*: that one keeps the place in the queue and does it there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from psqlpy_adapter.carrying import retrieved
from psqlpy_adapter.progress import refuse_in_callback
from psqlpy_adapter.turns import Guest, Heir, LoneTurn, SharedTurn, Turn

_heirs: set[asyncio.Task[None]] = set()  # asyncio itself does not hold on to tasks


class Lane:
    """Turns on one connection, first come, first served; see the module."""

    def __init__(self) -> None:
        self.under_way = 0
        self.asked = 0  # how often somebody has asked for a turn
        self.waits = 0  # how often it was a task that waits for it
        self.in_block = False
        self.block = object()  # another one at each beginning and end of a transaction
        self.committed: object = None  # the block that ended last, if `commit()` ended it
        self.guest: Guest | None = None
        self.epoch = object()  # another one after each command (SET, CREATE, ...)
        self.groups: dict[str, Any] = {}  # what concurrency.py has asked a turn for
        self._alone = False
        self._owner: asyncio.Task[Any] | None = None
        self._reading = 0  # turns for reads that are under way
        self._granted = 0  # turns given to tasks that have not run since
        self._queue: deque[Turn] = deque()

    @property
    def idle(self) -> bool:
        """Whether nothing is under way, nobody waits, and no stream has a transaction open."""
        return not (self.under_way or self._queue or self.guest)

    def is_held(self) -> bool:
        """Whether another task is using a plan, or has one and waits for its shared turn."""
        return self.under_way > 1 or any(turn.alone is False for turn in self._queue)

    def block_is(self, is_open: bool, *, committed: bool = False) -> None:
        """Take note of the beginning or the end of a transaction."""
        self.in_block = is_open
        self.committed = self.block if committed else None
        self.block = object()

    def shared(self, guest: Guest | None = None, heir: Heir | None = None) -> SharedTurn:
        """Return a context manager: a turn that other statements may share.

        guest: the stream itself, which does not end its own transaction. heir: see the module.
        """
        return SharedTurn(self, guest, heir)

    def alone(
        self,
        when: bool | Callable[[], bool] = True,
        *,
        guest: Guest | None = None,
        heir: Heir | None = None,
    ) -> LoneTurn:
        """Return a context manager: a turn that nothing else shares.

        The task that has it may ask for further turns inside; they are given at once. `when` is
        asked when the turn has come: if it is false then, the turn is a shared one, and nothing
        may ask for a turn inside. `guest` and `heir` are those of `shared`.
        """
        return LoneTurn(self, when, guest, heir)

    def ask(
        self,
        granted: Callable[[], None],
        *,
        alone: bool | Callable[[], bool] = False,
        reads: bool = False,
        guest: Guest | None = None,
    ) -> Turn:
        """Queue for a turn; `granted` is called in `advance` when it has come.

        Whoever is given a turn calls `begin` before anything else, then awaits `dismiss` if it is
        alone, and calls `leave` at the end. Raises SQLSpecError in the callback of a load.
        """
        refuse_in_callback(self)
        self.asked += 1
        turn = Turn(granted, alone=alone, reads=reads, guest=guest)
        self._queue.append(turn)
        return turn

    def advance(self) -> None:
        """Give the turns that have come."""
        while self._queue and not self._alone:
            turn = self._queue[0]
            is_visited = self.guest is not None and self.guest is not turn.guest
            turn_alone = turn.wants_alone() or is_visited
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

    def enter(self) -> bool:
        """Take a shared turn if the lane is idle; return whether that was so."""
        if self.under_way or self._queue or self.guest:
            return False
        self.under_way = 1
        return True

    def join(self, guest: Guest | None = None) -> bool:
        """Take a shared turn now if nobody is before us; return whether that was so."""
        is_taken = self._queue or self._alone or self._granted or self._reading
        is_visited = self.guest is not None and self.guest is not guest
        if (is_taken or is_visited) and not self.owns():
            return False
        self.under_way += 1
        return True

    async def wait(
        self,
        *,
        alone: bool | Callable[[], bool],
        guest: Guest | None = None,
        heir: Heir | None = None,
    ) -> bool:
        """Wait for a turn, in order; return whether it is alone."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()

        def granted() -> None:
            if not future.done():
                future.set_result(None)

        self.waits += 1
        turn = self.ask(granted, alone=alone, guest=guest)
        if self._granted:  # to those who have not run since: they go first
            loop.call_soon(self.advance)
        else:
            self.advance()
        try:
            await future
        except asyncio.CancelledError:
            if heir is not None:
                self._bequeath(turn, heir)
            elif turn in self._queue:
                self._queue.remove(turn)
                self.advance()
            else:
                self.begin()
                self.leave(alone=bool(turn.alone))
            raise
        self.begin()
        if turn.alone:
            self._owner = asyncio.current_task()
            try:
                await self.dismiss(guest)
            except BaseException:
                self.leave(alone=True)
                raise
        return bool(turn.alone)

    async def dismiss(self, guest: Guest | None = None) -> None:
        """End the transaction of a stream other than `guest`, at the beginning of a lone turn."""
        if self.guest is not None and self.guest is not guest:
            await self.guest.dismiss()

    def _bequeath(self, turn: Turn, heir: Heir) -> None:
        """Leave the place of a cancelled task to one that does what must be done."""
        loop = asyncio.get_running_loop()

        def granted() -> None:
            task = loop.create_task(self._inherit(turn, heir))
            _heirs.add(task)
            task.add_done_callback(ended)

        def ended(task: asyncio.Task[None]) -> None:
            _heirs.discard(task)
            retrieved(task)
            if not turn.has_begun:  # all tasks of the program are being cancelled
                granted()

        if turn in self._queue:
            turn.granted = granted
        else:
            granted()

    async def _inherit(self, turn: Turn, heir: Heir) -> None:
        self.begin()
        turn.has_begun = True
        if turn.alone:
            self._owner = asyncio.current_task()
        try:
            await heir()
        finally:
            self.leave(alone=bool(turn.alone))
