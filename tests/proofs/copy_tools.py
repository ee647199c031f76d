"""COPY so many bytes so often, and print how it ends.

`python copy_tools.py DSN KIND BYTES TIMES SECONDS`

A call that freezes holds the GIL for good: when one takes more than so many seconds, the C
watchdog of faulthandler ends the process.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import struct
import sys

import psqlpy

HEADER, ROW, FIELD = 19, 2, 4
"""Bytes of the binary format besides the values; a trailer of two follows the last row."""


def rows_of(size: int, count: int) -> list[tuple[str]]:
    """Rows of one text that take so many bytes in the binary format, its trailer aside."""
    room = size - HEADER - count * (ROW + FIELD)
    rows = [("x" * (room // count),)] * count
    rows[-1] = ("x" * (room - room // count * (count - 1)),)
    return rows


async def main(dsn: str, kind: str, size: int, times: int, seconds: float) -> None:
    connection = await psqlpy.connect(dsn)
    await connection.execute("CREATE TEMP TABLE copied (t text)")
    if kind == "buffer":
        text = "x" * (size - HEADER - ROW - FIELD)
        start = b"PGCOPY\n\xff\r\n\0" + struct.pack("!iihi", 0, 0, 1, len(text))
        buffer = start + text.encode() + struct.pack("!h", -1)
    else:
        rows = rows_of(size, 1 if kind == "one row" else 5_000)
    # What it writes when it ends the process is the answer.
    sys.stdout.write("frozen ")
    sys.stdout.flush()
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123, ASYNC230
        for number in range(times):
            faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
            if kind == "buffer":
                await connection.binary_copy_to_table(buffer, "copied", columns=["t"])
            else:
                await connection.copy_records_to_table("copied", rows, columns=["t"])
            if number % 10 == 9:
                await connection.execute("TRUNCATE copied")
        faulthandler.cancel_dump_traceback_later()
    print("done", flush=True)
    os._exit(0)


asyncio.run(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:5]), float(sys.argv[5])))
