"""Connections on loan: when a session has ended, its driver has nothing that could be used.

What SQLSpec 0.69 on psqlpy 0.13 does: psqlpy refuses a connection that is back in its pool. The
pool of this package keeps its connections, so a task that outlives its session would write into
the transaction of the next borrower. What this does: each session has an object of its
own for the connection, which it loses at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import psqlpy
from sqlspec.exceptions import DatabaseConnectionError

from psqlpy_adapter.carrying import sent
from psqlpy_adapter.checkout import Checkout

if TYPE_CHECKING:
    from psqlpy_adapter.driver import PsqlpyDriver

ENDED = (
    "this session has ended, and its connection may be lent to somebody else: nothing was sent. "
    "Await every task that uses a session inside of its `async with` block, or give the task a "
    "session of its own."
)

_HOLDING = frozenset({"cursor", "prepare", "transaction"})
"""What makes objects that hold the connection by themselves."""


class LentConnection:
    """A psqlpy connection until `end()`; from then on whatever is asked of it is refused.

    It passes for a psqlpy.Connection, which cannot be subclassed. What psqlpy makes of it (cursors,
    Transaction objects, coroutines that nobody awaits) holds the connection by itself.
    """

    def __init__(self, connection: psqlpy.Connection, state: Checkout) -> None:
        self._lent: psqlpy.Connection | None = connection
        self._state = state

    @property  # type: ignore[misc]
    def __class__(self) -> type[psqlpy.Connection]:  # type: ignore[override]
        """What isinstance() is told."""
        return psqlpy.Connection

    def __getattr__(self, name: str) -> Any:
        """Return psqlpy's attribute. Raises DatabaseConnectionError after the end."""
        connection = self.__dict__.get("_lent")
        if connection is None:
            raise DatabaseConnectionError(ENDED)
        self._state.is_touched = self._state.is_unsure = True
        self._state.is_held |= name in _HOLDING
        self.__dict__["_is_used"] = True
        found = getattr(connection, name)
        if callable(found):
            self.__dict__[name] = found  # the next time Python finds it here
        return found

    async def __aenter__(self) -> Any:
        """Enter psqlpy's context, which keeps the connection open."""
        await sent(self.__getattr__("__aenter__")())
        return self

    async def __aexit__(self, *error: object) -> None:
        """Leave psqlpy's context."""
        await sent(self.__getattr__("__aexit__")(*error))

    def end(self) -> None:
        """Let go of the connection."""
        self.__dict__.clear()


def was_used(connection: Any) -> bool:
    """Whether something of a session's connection was asked for, which may be kept."""
    return not isinstance(connection, LentConnection) or "_is_used" in connection.__dict__


class EndedCheckout(Checkout):
    """Stands for the checkout: refuses what was made ready before the end, and not sent yet."""

    async def usable(self) -> NoReturn:
        """Raise DatabaseConnectionError."""
        raise DatabaseConnectionError(ENDED)


def end(driver: PsqlpyDriver) -> None:
    """Take the connection from a driver. What is under way on it goes on, see `Checkout.settle`."""
    state = driver.checkout
    driver._transaction_is_open(False)
    connection: Any = driver.connection
    connection.end()
    if state is not None:
        # What streams leave open is noted where the connection's next borrower finds it.
        driver.checkout = EndedCheckout(
            connection=connection,
            backend_pid=state.backend_pid,
            broken=True,
            describer=state.describer,
        )
