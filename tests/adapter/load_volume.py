"""Load rows from a stream, again and again: python load_volume.py DSN ROWS LOADS.

After each load comes one with a bad row in the middle. Prints, as JSON, the rows that are stored
after both, the seconds, and how much the process grew. The rows are (bigint, text, text, float8,
timestamptz, vector(64)). A load that hangs ends the process with a traceback (exit code 1).
"""

from __future__ import annotations

import asyncio
import faulthandler
import json
import resource
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.compute as pc
from psqlpy_adapter import PsqlpyConfig
from sqlspec.exceptions import SQLSpecError

BATCH = 50_000
SECONDS_PER_MILLION = 60  # a generous limit: a hang has to end
DIMENSIONS = 64
DDL = """
CREATE TABLE volume (id int8 PRIMARY KEY, name text, note text, score float8, at timestamptz,
                     embedding vector(64))
"""


def batch(start: int, rows: int, *, bad: int | None = None) -> pa.RecordBatch:
    """Make rows `start` to `start + rows`; row `bad` has the id of the row before it."""
    ids = np.arange(start, start + rows)
    if bad is not None and start <= bad < start + rows:
        ids[bad - start] = bad - 1
    texts = pc.cast(pa.array(ids), pa.string())
    values = np.random.default_rng(start).random(rows * DIMENSIONS, np.float32)
    return pa.record_batch(
        {
            "id": ids,
            "name": pc.binary_join_element_wise("name", texts, " "),
            "note": pc.binary_join_element_wise("a longer note on number", texts, " "),
            "score": ids / 7,
            "at": pa.array(ids * 1_000_000, pa.timestamp("us", "UTC")),
            "embedding": pa.FixedSizeListArray.from_arrays(pa.array(values), DIMENSIONS),
        }
    )


def reader(rows: int, *, bad: int | None = None) -> pa.RecordBatchReader:
    """Stream `rows` rows, made when they are asked for."""

    def batches() -> Iterator[pa.RecordBatch]:
        for start in range(0, rows, BATCH):
            yield batch(start, min(BATCH, rows - start), bad=bad)

    return pa.RecordBatchReader.from_batches(batch(0, 1).schema, batches())


class Watch:
    """The slowest turn of the event loop, and the largest size of the process, while it runs."""

    def __init__(self) -> None:
        self.process = psutil.Process()
        self.before = self.largest = self.process.memory_info().rss
        self.slowest = 0.0

    def progress(self, done: int, total: int | None) -> None:
        """Look at the process; a callback of `load_from_arrow`."""
        self.largest = max(self.largest, self.process.memory_info().rss)

    async def run(self) -> None:
        """Measure the turns until cancelled."""
        while True:
            asked = time.perf_counter()
            await asyncio.sleep(0.01)
            self.slowest = max(self.slowest, time.perf_counter() - asked - 0.01)


async def load(session: Any, rows: int, watch: Watch, *, bad: int | None = None) -> str | None:
    """Replace the rows of the table; return the class of the error, if there was one."""
    source = reader(rows, bad=bad)
    # psqlpy has frozen the interpreter in a COPY, with the GIL held: only a thread of C's ends it.
    faulthandler.dump_traceback_later(10 + SECONDS_PER_MILLION * rows / 1_000_000, exit=True)
    try:
        await session.load_from_arrow("volume", source, overwrite=True, progress=watch.progress)
    except SQLSpecError as error:
        return type(error).__name__
    finally:
        faulthandler.cancel_dump_traceback_later()
    return None


async def main(dsn: str, rows: int, loads: int) -> None:
    """Load, measure, print."""
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    seconds: list[float] = []
    stored: list[int] = []
    failures: list[str | None] = []
    async with config.provide_session() as session:
        await session.execute_script(DDL)
        await session.load_from_arrow("volume", batch(0, 1), overwrite=True)  # warm up
        watch = Watch()
        watching = asyncio.create_task(watch.run())
        for _ in range(loads):
            started = time.perf_counter()
            error = await load(session, rows, watch)
            seconds.append(round(time.perf_counter() - started, 2))
            if error is not None:
                raise AssertionError(error)
            failures.append(await load(session, rows, watch, bad=rows // 2))
            stored.append(await session.select_value("SELECT count(*) FROM volume"))
        watching.cancel()
    await config.close_pool()
    report = {
        "rows": rows,
        "stored": stored,
        "failures": failures,
        "seconds": seconds,
        "grown_mb": round((watch.largest - watch.before) / 2**20),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "slowest_turn_ms": round(watch.slowest * 1000),
        "threads": threading.active_count(),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
