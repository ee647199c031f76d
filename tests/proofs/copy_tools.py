"""Loads of texts: how many bytes they take in the binary COPY format, and what is sent."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable
from typing import Any

import pyarrow as pa
from traffic_tools import Wire, overheard

HEADER, FIELD = 19, 2 + 4
"""Bytes before the rows, and of a row of one value besides the value; two more follow the rows."""
COPY = """
import asyncio, json, os, psqlpy, sys
async def main():
    connection = await psqlpy.connect(sys.argv[1])
    await connection.execute("CREATE TEMP TABLE copied (text text)")
    for texts in json.loads(sys.argv[2]):
        rows = [("x" * size,) for size in texts]
        await connection.copy_records_to_table("copied", rows, columns=["text"])
    print("done", flush=True)
    os._exit(0)
asyncio.run(main())
"""


def size_of(rows: int, width: int) -> int:
    """Return how many bytes rows of a text of such a width take."""
    return HEADER + rows * (FIELD + width)


def texts_of(rows: int, size: int) -> list[str]:
    """Return texts that take so many bytes as rows."""
    room = size - HEADER - rows * FIELD
    return ["x" * (room // rows)] * (rows - 1) + ["x" * (room - room // rows * (rows - 1))]


def buffer(text: str, rows: int) -> bytes:
    """Return rows of one text in the binary COPY format."""
    row = b"\0\1" + len(text).to_bytes(4, "big") + text.encode()
    return b"PGCOPY\n\xff\r\n\0" + bytes(8) + row * rows + b"\xff\xff"


async def pieces(dsn: str, *loads: list[int]) -> list[int]:
    """Copy rows of texts of such lengths, load by load; return how many pieces each one sends.

    By a process of its own: where it is more than one, that can freeze, and is tried again.
    """
    for _ in range(20):
        async with Wire.before(dsn) as wire:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", COPY, wire.dsn(dsn), json.dumps(loads),
                stdout=subprocess.PIPE,
            )  # fmt: skip
            try:
                await asyncio.wait_for(process.communicate(), 2)
            except TimeoutError:
                process.kill()
                await process.wait()
                continue
            kinds = "".join(kind for kind, _ in wire.messages() if kind in "dc")
            return [len(load) for load in kinds.split("c")[:-1]]
    return []


def load(session: Any, way: str, rows: int) -> Awaitable[Any]:
    """Load texts of 1,000 bytes into the table filled."""
    texts = ["x" * 1_000] * rows
    ways = {
        "INSERT": lambda: session.execute(
            "INSERT INTO filled SELECT * FROM unnest($1::text[])", (texts,)
        ),
        "execute_many": lambda: session.execute_many(
            "INSERT INTO filled VALUES ($1)", [(text,) for text in texts]
        ),
        "load_from_arrow": lambda: session.load_from_arrow("filled", pa.table({"name": texts})),
        "copy_records_to_table": lambda: session.connection.copy_records_to_table(
            "filled", [(text,) for text in texts]
        ),
        "binary_copy_to_table": lambda: session.connection.binary_copy_to_table(
            buffer(texts[0], rows), "filled"
        ),
    }
    return ways[way]()


async def loaded(dsn: str, way: str, rows: int) -> tuple[int, int]:
    """Return the rows of a small load that outlive a rollback, and the pieces of a larger one."""
    async with overheard(dsn) as (session, wire):
        await session.execute("CREATE TEMP TABLE filled (name text)")
        await session.begin()
        await load(session, way, 3)
        await session.rollback()
        left = await session.select_value("SELECT count(*) FROM filled")
        wire.forget()
        await load(session, way, rows)
        return left, len(wire.copied())
