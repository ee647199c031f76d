"""The parts that a pool is made of."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psqlpy

from psqlpy_adapter.errors import is_panic

if TYPE_CHECKING:
    from psqlpy_adapter.checkout import Checkout


def close(connection: psqlpy.Connection) -> None:
    """Close a connection, whatever is under way on it."""
    try:
        connection.close()
    except BaseException as error:
        # psqlpy 0.13.1 panics while a cancelled call still holds the object; the connection ends
        # with it then.
        if not is_panic(error):
            raise


@dataclass(eq=False)
class Pooled:
    """A connection of the pool, its state, and the task that has it."""

    connection: psqlpy.Connection
    state: Checkout
    holder: asyncio.Task[Any] | None = None

    def close(self) -> None:
        """Close the connection."""
        close(self.connection)


@dataclass(frozen=True)
class PoolStatus:
    """As psqlpy's: connections at most, open, idle, and how many wait for one."""

    max_size: int
    size: int
    available: int
    waiting: int


@dataclass(frozen=True)
class Opening:
    """How a pool gets its connections.

    connect: gives a new connection, ready to be lent, with its state.
    after_reset: is awaited with a connection that was reset and so lost its settings, or None.
    native: makes psqlpy's pool with the same settings, for its listener.
    """

    connect: Callable[[], Awaitable[tuple[psqlpy.Connection, Checkout]]]
    after_reset: Callable[[psqlpy.Connection], Awaitable[None]] | None
    native: Callable[[], psqlpy.ConnectionPool]
