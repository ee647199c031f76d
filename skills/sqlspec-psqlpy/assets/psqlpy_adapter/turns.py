"""A place in the queue of a `Lane`, and the context managers that wait for one."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from psqlpy_adapter.lane import Lane

Heir = Callable[[], Coroutine[Any, Any, None]]
"""What is done in a turn whose owner was cancelled while it waited: the end of a transaction."""


class Guest(Protocol):
    """A stream whose own transaction is open on the connection."""

    async def dismiss(self) -> None:
        """End that transaction: somebody else has the turn now, alone."""


class Turn:
    """A place in the queue; `granted` is called when it has come.

    `has_begun` is for those who use it in a task of their own: one that is cancelled before its
    first step does not run at all.
    """

    __slots__ = ("alone", "granted", "guest", "has_begun", "reads")

    def __init__(
        self,
        granted: Callable[[], None],
        *,
        alone: bool | Callable[[], bool],
        reads: bool = False,
        guest: Guest | None = None,
    ) -> None:
        self.granted = granted
        self.alone = alone
        self.reads = reads
        self.guest = guest
        self.has_begun = False

    def wants_alone(self) -> bool:
        """Return whether the turn is to be alone, now that it is the next."""
        return self.alone if isinstance(self.alone, bool) else self.alone()


class SharedTurn:
    """A turn that other statements may share; see `Lane.shared`."""

    __slots__ = ("_alone", "_guest", "_heir", "_lane")

    def __init__(self, lane: Lane, guest: Guest | None, heir: Heir | None) -> None:
        self._lane = lane
        self._guest = guest
        self._heir = heir
        self._alone = False

    async def __aenter__(self) -> None:
        lane = self._lane
        if not lane.join(self._guest):
            self._alone = await lane.wait(alone=False, guest=self._guest, heir=self._heir)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lane.leave(alone=self._alone)


class LoneTurn:
    """A turn that nothing else shares; see `Lane.alone`."""

    __slots__ = ("_alone", "_guest", "_heir", "_inner", "_lane", "_when")

    def __init__(
        self,
        lane: Lane,
        when: bool | Callable[[], bool],
        guest: Guest | None,
        heir: Heir | None,
    ) -> None:
        self._lane = lane
        self._when = when
        self._guest = guest
        self._heir = heir
        self._inner = False
        self._alone = False

    async def __aenter__(self) -> None:
        lane = self._lane
        self._inner = lane.owns()
        if not self._inner:
            self._alone = await lane.wait(alone=self._when, guest=self._guest, heir=self._heir)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._inner:
            self._lane.leave(alone=self._alone)
