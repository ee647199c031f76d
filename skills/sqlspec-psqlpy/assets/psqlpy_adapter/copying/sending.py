"""Slices on their way to the server: one is sent while the next one is read and encoded."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import pyarrow as pa
from sqlspec.exceptions import DataError, SQLSpecError

from psqlpy_adapter.cancellation import guarded
from psqlpy_adapter.copying.encoder import Encoder
from psqlpy_adapter.copying.fields import Bytes
from psqlpy_adapter.copying.source import Source, slices

Progress: TypeAlias = Callable[[int, int | None], Awaitable[None] | None]
"""Called after each slice with the rows sent so far and their total (None: not known)."""

_INLINE_BYTES = 1 << 20  # less than this is encoded faster than a thread is woken
_HEAD_START = 0.002
"""Seconds for a COPY to get under way: on one core, psqlpy would share it with the encoding, and
the server would wait for its first bytes."""
_MOST_BYTES = (1 << 30) - 64  # the server takes a message of less than 1 GiB


@dataclass(frozen=True)
class Encoded:
    """One complete binary COPY of `batch`, which begins with row `first_row` of the source."""

    buffer: Bytes
    batch: pa.RecordBatch
    first_row: int


async def send(
    driver: Any,
    schema: str,
    table: str,
    names: list[str],
    encoder: Encoder,
    source: Source,
    progress: Progress | None,
) -> tuple[int, int]:
    """Copy the source into the columns `names` (quoted); gives its rows and Arrow bytes.

    At most two encoded slices are held, and psqlpy's copy of one.
    """
    encoded = _encoded(encoder, source)
    inline = source.nbytes is not None and source.nbytes < _INLINE_BYTES
    rows = nbytes = 0

    async def following(copied: asyncio.Event) -> Encoded | None:
        if inline:
            return next(encoded, None)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(copied.wait(), _HEAD_START)
        return await asyncio.to_thread(next, encoded, None)

    copied = asyncio.Event()
    copied.set()
    upcoming = asyncio.ensure_future(following(copied))
    try:
        while (item := await upcoming) is not None:
            copied = asyncio.Event()
            upcoming = asyncio.ensure_future(following(copied))
            copy = driver.wire.binary_copy_to_table(
                item.buffer, table, columns=names, schema_name=schema
            )
            try:
                await guarded(driver, copy)
            except SQLSpecError as error:
                # psqlpy drops the server's CONTEXT, which names the row.
                last = item.first_row + len(item.batch) - 1
                error.add_note(f"in rows {item.first_row} to {last} of the source (from 0)")
                encoder.explain(item.batch, item.first_row, error)
                raise
            finally:
                copied.set()
            rows += len(item.batch)
            nbytes += item.batch.nbytes
            if progress is not None:
                reported = progress(rows, source.total)
                if inspect.isawaitable(reported):
                    await reported
    finally:
        if not upcoming.cancel() and not upcoming.cancelled():
            upcoming.exception()  # looked at, so that asyncio does not report it as lost
    return rows, nbytes if source.nbytes is None else source.nbytes


def _encoded(encoder: Encoder, source: Source) -> Iterator[Encoded]:
    first_row = 0
    for batch in slices(source):
        buffer = encoder.encode(batch, first_row)
        if len(buffer) > _MOST_BYTES:
            raise DataError(
                f"rows {first_row} to {first_row + len(batch) - 1} take {len(buffer):,} bytes, "
                "more than PostgreSQL takes in one message (1 GiB)"
            )
        yield Encoded(buffer, batch, first_row)
        first_row += len(batch)
