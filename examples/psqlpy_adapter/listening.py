"""LISTEN that outlives its connection.

What psqlpy 0.13 does: when the server ends a listener's backend (a restart, a failover, an
administrator), its callbacks are never called again, without a word, and `is_started` stays True,
by which SQLSpec's event channels take it for alive. To a channel that is added after `listen()` it
listens from the next message of another channel on, and to the first ones some time after
`listen()` has returned: SQLSpec's event channels send themselves a message then, and wait for it as
long as they may wait for an event when it came too early. What this does instead: it looks after
the connection and, when that is lost, connects again and listens to the same channels; a channel
is listened to when `add_callback` returns. What was sent in between is lost, as PostgreSQL has it:
for more use SQLSpec's "notify_queue".

May be unnecessary when psqlpy's listener reconnects or reports its end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

import psqlpy

from psqlpy_adapter.carrying import carried_on
from psqlpy_adapter.errors import mapped

PULSE_SECONDS = 1.0
"""How often the connection is looked at: an empty statement, which costs a round trip."""
SILENCE_SECONDS = 5.0
"""How long the server may take to answer that."""
RETRY_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)
"""Waits between attempts to connect again; the last one is repeated."""

_log = logging.getLogger(__name__)

Callback = Callable[..., Awaitable[None]]


class Listener:
    """psqlpy's Listener, method by method, on a connection that is made anew when it is lost.

    Args:
        make: makes a psqlpy listener that is not started.
    """

    def __init__(self, make: Callable[[], psqlpy.Listener]) -> None:
        self._make = make
        self._native = make()
        self._callbacks: list[tuple[str, Callback]] = []
        self._is_listening = False
        self._watch: asyncio.Task[None] | None = None
        self._renewed = asyncio.Event()

    @property
    def is_started(self) -> bool:
        """Whether `startup` was called, and `shutdown` was not."""
        return self._watch is not None

    @property
    def connection(self) -> psqlpy.Connection:
        """The connection that listens now."""
        return self._native.connection

    async def startup(self) -> None:
        """Connect. Raises SQLSpecError."""
        try:
            await carried_on(self._native.startup())
        except psqlpy.Error as error:
            raise mapped(error) from error
        self._watch = asyncio.ensure_future(self._look_after())

    async def shutdown(self) -> None:
        """Stop listening and close the connection."""
        watch, self._watch = self._watch, None
        self._is_listening = False
        if watch is not None:
            watch.cancel()
            await asyncio.wait({watch})
        await carried_on(self._native.shutdown())
        self._renewed.set()

    async def add_callback(self, channel: str, callback: Callback) -> None:
        """Call the async `callback(connection, payload, channel, process_id)` for each message.

        Raises SQLSpecError.
        """
        entry = (channel, callback)
        self._callbacks.append(entry)  # first: if the connection is made anew now, it has it
        native = self._native
        try:
            await carried_on(native.add_callback(channel=channel, callback=callback))
        except psqlpy.Error as error:
            self._callbacks.remove(entry)
            raise mapped(error) from error
        # psqlpy sends its own LISTEN at some time after `listen()`, or when the next message of
        # another channel comes.
        with contextlib.suppress(psqlpy.Error):  # lost: connected again in a moment
            await carried_on(native.connection.execute_batch(f"LISTEN {channel}"))

    async def clear_channel_callbacks(self, channel: str) -> None:
        """Forget the callbacks of a channel."""
        self._callbacks = [entry for entry in self._callbacks if entry[0] != channel]
        await carried_on(self._native.clear_channel_callbacks(channel=channel))

    async def clear_all_channels(self) -> None:
        """Forget all callbacks."""
        self._callbacks.clear()
        await carried_on(self._native.clear_all_channels())

    def listen(self) -> None:
        """Begin to call the callbacks."""
        self._native.listen()
        self._is_listening = True

    def abort_listen(self) -> None:
        """Stop calling the callbacks."""
        self._is_listening = False
        self._native.abort_listen()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> psqlpy.ListenerNotificationMsg:
        while True:
            renewed = self._renewed
            try:
                return await self._native.__anext__()
            except psqlpy.Error as error:
                if not self.is_started:
                    raise mapped(error) from error
            await renewed.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.shutdown()

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(PULSE_SECONDS)
            try:
                async with asyncio.timeout(SILENCE_SECONDS):
                    await carried_on(self._native.connection.execute_batch(""))
            except (psqlpy.Error, TimeoutError) as error:
                _log.warning("the listener's connection is lost (%s); connecting again", error)
                await self._connect_again()

    async def _connect_again(self) -> None:
        attempt = 0
        while True:
            try:
                native = self._make()
                async with asyncio.timeout(SILENCE_SECONDS):
                    await carried_on(native.startup())
                for channel, callback in self._callbacks:
                    await carried_on(native.add_callback(channel=channel, callback=callback))
                if self._is_listening:
                    native.listen()
            except (psqlpy.Error, OSError) as error:  # TimeoutError is an OSError
                _log.warning("the listener cannot connect: %s", error)
                await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
                attempt += 1
            else:
                old, self._native = self._native, native
                self._renewed.set()
                self._renewed = asyncio.Event()
                with contextlib.suppress(psqlpy.Error):
                    old.abort_listen()
                    await carried_on(old.shutdown())
                return
