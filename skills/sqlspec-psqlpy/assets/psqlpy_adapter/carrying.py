"""Driving a psqlpy coroutine step by step, in a task other than the one that began it.

psqlpy's coroutine (pyo3's) yields asyncio futures and can be resumed by anybody; its `throw()`
takes one argument only, so nothing may be thrown into it by way of a compiled frame.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    import psqlpy

Statement = Coroutine[Any, Any, Any]
T = TypeVar("T")


@types.coroutine
def _steps(statement: Statement) -> Generator[Any, None, Any]:
    while True:
        try:
            waiter = statement.send(None)
        except StopIteration as done:
            return done.value
        yield waiter


@types.coroutine
def sent(statement: Coroutine[Any, Any, T]) -> Generator[Any, None, T]:
    """Await a psqlpy coroutine; a cancellation drops it, and with it what it would have given.

    For whatever is not a statement of a borrower (that is `cancellation.guarded`): connecting,
    and questions to a connection that is closed when its caller is cancelled.
    """
    try:
        while True:
            yield statement.send(None)
    except StopIteration as done:
        return cast("T", done.value)
    except (asyncio.CancelledError, GeneratorExit):
        statement.close()
        raise


async def carried_on(statement: Statement) -> Any:
    """Drive a statement to its end, whoever began it. A cancellation leaves it as it is."""
    return await _steps(statement)


class Asking:
    """A connection for SQLSpec's compiled code that asks something by `fetch`."""

    def __init__(self, connection: psqlpy.Connection) -> None:
        self._connection = connection

    async def fetch(self, sql: str, parameters: list[Any]) -> psqlpy.QueryResult:
        """Fetch, as psqlpy does; a cancellation comes out as one."""
        return await sent(self._connection.fetch(sql, parameters))


def retrieved(task: asyncio.Task[Any]) -> None:
    """Look at a task's exception, so that asyncio does not complain that nobody did."""
    if not task.cancelled():
        task.exception()
