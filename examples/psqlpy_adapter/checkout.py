"""What is known of a psqlpy connection while it is lent: its backend, and what runs on it.

psqlpy does not tell which server process a connection talks to, nor whether a statement is under
way on it; SQLSpec gives a connection back to the pool without asking. A `Checkout` knows both, so
that `cancellation` can stop the right process and the pool never lends a busy connection.

May be unnecessary when psqlpy offers a cancel token and a transaction status (0.13.1 has neither).
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from sqlspec.exceptions import DatabaseConnectionError, OperationCancelledError

from psqlpy_adapter.cancellation import guarded
from psqlpy_adapter.carrying import sent
from psqlpy_adapter.errors import ends_connection, mapped
from psqlpy_adapter.waking import Home

if TYPE_CHECKING:
    from psqlpy import Connection

    from psqlpy_adapter.canceller import Canceller
    from psqlpy_adapter.flight import Flight

_LOST_STATEMENT = re.compile(r'prepared statement "s\d+" does not exist')
"""What follows a DISCARD ALL or DEALLOCATE ALL: psqlpy cannot be made to forget its statements."""
SETTLE_SECONDS = 1.0
"""How long the release of a connection waits for statements under way, and for stopped ones."""
_LOOKS = 0.005
"""Seconds between two looks at them."""
LEFTOVER_SECONDS = 0.25
"""How long the first statement after a session may wait for one that the session left running."""
RESET_SECONDS = 5.0
"""How long that statement may take once the leftover was cancelled."""


class Cancels(Protocol):
    """The part of the configuration that `check_out` reads."""

    @property
    def canceller(self) -> Canceller | None:
        """Cancels over a connection of its own; None behind a transaction pooler."""

    @property
    def statement_limit(self) -> float | None:
        """The client's own limit of each statement, in seconds."""


@dataclass(eq=False)
class Checkout:
    """One physical connection: its server process, and the statements under way on it."""

    connection: Connection
    backend_pid: int
    canceller: Canceller | None = None
    statement_limit: float | None = None
    """Seconds after which the client gives up a statement, whatever the server does; None: never.
    To be longer than the server's `statement_timeout`, which should come first."""
    broken: bool = False
    """The connection cannot be used again; the pool must drop it."""
    spoiled: bool = False
    """A prepared statement of psqlpy's is gone: the pool must drop the connection at its return."""
    is_touched: bool = True
    """Whether something other than planned statements was sent since the last reset: BEGIN, a
    cursor, a call of the connection itself. Only that can leave a transaction open."""
    is_unsure: bool = True
    """Whether a transaction may be open of which the driver does not know: one by text, or by a
    call of the connection itself; or because something failed."""
    is_held: bool = False
    """Whether an object of psqlpy's may be kept that reaches the connection after the session."""
    answered: float = field(default_factory=time.monotonic)
    """When the server answered last."""
    round_trip: float = math.inf
    """Seconds that the fastest question took whose answer costs the server next to nothing."""
    opened: float = field(default_factory=time.monotonic)
    flights: dict[Coroutine[Any, Any, Any], Flight] = field(default_factory=dict)
    """The statements under way, oldest first: the order in which the server runs them."""
    stops: set[asyncio.Task[Any]] = field(default_factory=set)
    """The statements that are being stopped; nothing new is sent until there is none."""
    describer: Any = None
    """What the server said of the statements prepared on this connection (`describe`)."""
    _home: Home | None = None

    @property
    def checkout(self) -> Checkout:
        """This object, so that `guarded` takes a driver or a checkout."""
        return self

    def home(self) -> Home:
        """Return what psqlpy is to take for the running event loop."""
        loop = asyncio.get_running_loop()
        home = self._home
        if home is None or home.loop is not loop:
            home = self._home = Home(loop)
        return home

    def failed(self, error: BaseException) -> None:
        """Learn from what psqlpy raised whether the connection can be used, and lent again."""
        self.is_unsure = True
        self.broken = self.broken or ends_connection(error)
        self.spoiled = self.spoiled or _LOST_STATEMENT.search(str(error)) is not None

    def add_stop(self, task: asyncio.Task[Any]) -> None:
        """Have what comes next wait for a task that stops a statement."""
        self.is_touched = self.is_unsure = True
        self.stops.add(task)
        task.add_done_callback(self._has_stopped)

    def _has_stopped(self, task: asyncio.Task[Any]) -> None:
        self.stops.discard(task)
        # A program that cancels all its tasks gets this one, too: a transaction may still be open.
        self.broken = self.broken or task.cancelled()

    def took(self, seconds: float) -> None:
        """Learn how long a question took that costs the server next to nothing."""
        self.round_trip = min(self.round_trip, seconds)

    async def usable(self) -> None:
        """Wait until what was cancelled has ended.

        Raises:
            DatabaseConnectionError: the connection is lost, or was given up.
        """
        while self.stops and not self.broken:
            await asyncio.wait(self.stops)
        if self.broken:
            msg = (
                "The connection is lost: the server closed it, or did not answer in time and it "
                "was given up. Open a new session."
            )
            raise DatabaseConnectionError(msg)

    async def settle(self) -> None:
        """Wait until nothing runs here any more; to be awaited before the connection is lent again.

        Costs nothing when nothing is under way. The statements of tasks that outlived the session
        have `SETTLE_SECONDS` to end, and are cancelled then; when they do not stop within as long
        again, `broken` is set.
        """
        end = time.monotonic() + SETTLE_SECONDS
        # An Event would cost every statement something; this, the sessions that left one.
        while self._under_way() and not self.broken and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(_LOOKS)
        for flight in self._under_way():
            flight.leave()
        if self.stops:
            await asyncio.wait(self.stops, timeout=SETTLE_SECONDS)
        if self.stops or self.flights:
            self.broken = True

    def _under_way(self) -> list[Flight]:
        """Return the statements that nobody stops."""
        return [flight for flight in self.flights.values() if flight.stopping is None]

    async def reset(self, sql: str) -> None:
        """Run `sql`, without parameters, as the first statement after a session.

        It waits behind a statement that the session left running (sent to the raw connection and
        cancelled there, where `guarded` did not see it); that one is cancelled on the server.
        When the server does not answer at all, `broken` is set.
        """
        for seconds in (LEFTOVER_SECONDS, RESET_SECONDS):
            try:
                async with asyncio.timeout(seconds):
                    await guarded(self, self.connection.execute_batch(sql))
            except DatabaseConnectionError:
                self.broken = True
                return
            except (TimeoutError, OperationCancelledError):
                continue
            return
        self.broken = True


async def check_out(connection: Connection, config: Cancels) -> Checkout:
    """Ask a new connection for its backend, in one round trip.

    Args:
        connection: a psqlpy connection on which nothing runs.
        config: gives `canceller` and `statement_limit`.

    Raises:
        SQLSpecError: the server did not answer as it should.
    """
    # Without a parameter list psqlpy uses an unnamed statement: one round trip, poolers too.
    asked = connection.fetch("SELECT pg_backend_pid() AS pid", prepared=False)
    started = time.monotonic()
    try:
        answer = await sent(asked)
    except Exception as error:
        raise mapped(error) from error
    return Checkout(
        connection=connection,
        backend_pid=answer.result()[0]["pid"],
        canceller=config.canceller,
        statement_limit=config.statement_limit,
        round_trip=time.monotonic() - started,
    )
