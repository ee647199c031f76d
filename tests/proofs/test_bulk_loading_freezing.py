"""Proofs of references/bulk-loading.md: COPY of 512 KiB and more, in processes of their own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from freezing_tools import ROWS, Frozen, freeze
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyDriver
from sqlspec.exceptions import SQLSpecError
from traffic_tools import Wire, overheard

WAYS = ("load_from_arrow", "load_from_records", "copy_records_to_table", "one row", "watchdog")
COPY = """
import asyncio, os, psqlpy, sys
async def main():
    connection = await psqlpy.connect(sys.argv[1])
    rows = [("x" * int(size),) for size in sys.argv[2:]]
    print(await connection.copy_records_to_table("frozen", rows, columns=["name"]), flush=True)
    os._exit(0)
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def frozen() -> dict[str, Frozen | None]:
    dsn = os.environ["DATABASE_URL"]
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS frozen (name text)")
    return freeze(dsn, WAYS)


async def pieces(dsn: str, *sizes: int) -> list[int]:
    """Copy rows of such texts, by a process that may freeze; return the pieces it sends."""
    for _ in range(20):
        async with Wire.before(dsn) as wire:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", COPY, wire.dsn(dsn), *map(str, sizes),
                stdout=subprocess.PIPE,
            )  # fmt: skip
            try:
                assert process.stdout is not None
                answer = await asyncio.wait_for(process.stdout.readline(), 2)
            except TimeoutError:
                process.kill()
                continue
            finally:
                await process.wait()
            if answer.strip() == str(len(sizes)).encode():
                return [len(piece) for piece in wire.copied()]
    return []


@proves(
    "`{first}`, `{second}` and `{third}` freeze the whole process, sooner or later, when one call "
    "encodes to {kib} KiB ({size} bytes) or more.",
    "No `asyncio.timeout` fires, no other thread runs, Ctrl-C is dead; another process must end "
    "it, or the C watchdog of `faulthandler`:",
    adapter="stock",
)
async def test_a_large_copy_freezes_the_process(
    dsn: str, frozen: dict[str, Frozen | None], first: str, second: str, third: str,
    kib: int, size: int,
) -> None:  # fmt: skip
    assert len({first, second, third}) == 3
    for way in (first, second, third):
        assert frozen[way] == Frozen(obeys_interrupt=False, code=-9, said="")
    ended = frozen["watchdog"]
    assert ended is not None
    assert ended.code == 1
    assert ended.said.startswith("Timeout (")
    # What fits is one piece. The first of several pieces is where a process can freeze.
    header = 19 + 2 + 4
    assert len(await pieces(dsn, size - header - 1)) == 1
    assert len(await pieces(dsn, size - header)) == 2
    assert kib * 1024 == size


@proves("A single row of {kib} KiB or more has the same fault: INSERT it.")
async def test_one_large_row(
    session: PsqlpyDriver, frozen: dict[str, Frozen | None], kib: int
) -> None:
    assert frozen["one row"] is not None
    assert kib * 1024 == 524_288
    text = "x" * 1_000_000
    await session.execute("INSERT INTO frozen VALUES ($1)", text)
    found = "DELETE FROM frozen WHERE length(name) = $1::int RETURNING 1 AS one"
    assert len(await session.select(found, len(text))) == 1


@proves(
    "The bytes count, not the rows: {rows} rows of 50 bytes are safe, {same} rows of {large} kB "
    "are not.",
    "The limit counts the encoded bytes of one call; see Keep each COPY under 512 KiB.",
)
async def test_bytes_count_not_rows(
    dsn: str, frozen: dict[str, Frozen | None], rows: int, same: int, large: int
) -> None:
    assert frozen["copy_records_to_table"] is not None
    assert (len(ROWS), len(ROWS[0][0])) == (same, large * 1_000)
    assert len(await pieces(dsn, *[50] * rows)) == 1
    assert rows == same


def buffer(text: str, rows: int) -> bytes:
    """Return rows of one text in the binary COPY format."""
    row = b"\0\1" + len(text).to_bytes(4, "big") + text.encode()
    return b"PGCOPY\n\xff\r\n\0" + bytes(8) + row * rows + b"\xff\xff"


def load(session: PsqlpyDriver, way: str, rows: int) -> Awaitable[Any]:
    """Load texts of 1,000 bytes."""
    texts = ["x" * 1_000] * rows
    if way == "unnest":
        return session.execute("INSERT INTO frozen SELECT * FROM unnest($1::text[])", (texts,))
    if way == "execute_many":
        return session.execute_many("INSERT INTO frozen VALUES ($1)", [(text,) for text in texts])
    if way == "load_from_arrow":
        return session.load_from_arrow("frozen", pa.table({"name": texts}))
    if way == "copy_records_to_table":
        return session.connection.copy_records_to_table("frozen", [(text,) for text in texts])
    if way == "binary_copy_to_table":
        return session.connection.binary_copy_to_table(buffer(texts[0], rows), "frozen")
    raise LookupError(way)


async def used(dsn: str, way: str) -> tuple[int, int]:
    """Return the rows that outlive a rollback, and the pieces of COPY data of a large load."""
    async with overheard(dsn) as (session, wire):
        await session.execute("TRUNCATE frozen")
        await session.begin()
        await load(session, way, 3)
        await session.rollback()
        left = await session.select_value("SELECT count(*) FROM frozen")
        wire.forget()
        if way not in WAYS:
            await load(session, way, 700)
        return left, len(wire.copied())


@proves(
    "`INSERT ... SELECT * FROM unnest(...)` | you need an exact count, `RETURNING` or "
    "`ON CONFLICT` | {inside} | {freezes}",
    table="Way | Take it when | Inside your transaction | Can freeze from 512 KiB on",
)
async def test_an_insert_of_arrays(
    dsn: str, frozen: dict[str, Frozen | None], inside: bool, freezes: bool
) -> None:
    left, copied = await used(dsn, "unnest")
    assert (left == 0) == inside
    assert (copied > 0) == freezes


@proves(
    "`session.{way}` | the statement is no INSERT and no transaction is open | {inside} | "
    "{freezes}",
    adapter="stock",
    table="Way | Take it when | Inside your transaction | Can freeze from 512 KiB on",
)
@proves(
    "`session.{way}` | the data is Arrow | {inside} | {freezes}",
    adapter="stock",
    table="Way | Take it when | Inside your transaction | Can freeze from 512 KiB on",
)
@proves(
    "`session.connection.{way}` | the data is Python values, vectors for example | {inside} | "
    "{freezes}",
    table="Way | Take it when | Inside your transaction | Can freeze from 512 KiB on",
)
@proves(
    "`session.connection.{way}` | there is much of it | {inside} | {freezes}",
    table="Way | Take it when | Inside your transaction | Can freeze from 512 KiB on",
)
async def test_ways_to_load(
    dsn: str, frozen: dict[str, Frozen | None], way: str, inside: str, freezes: bool
) -> None:
    left, copied = await used(dsn, way)
    assert {0: "yes", 3: "commits it"}[left] == inside
    assert freezes == (frozen[way] is not None if way in frozen else copied > 1)


@proves(
    "`load_from_records` makes an Arrow table and calls `{other}`, so the same types and the same "
    "{kib} KiB apply.",
    adapter="stock",
)
async def test_records_are_loaded_as_an_arrow_table(
    dsn: str, frozen: dict[str, Frozen | None], other: str, kib: int
) -> None:
    records = [{"a": 1, "b": "x"}, {"a": 2, "b": None}]
    said = []
    async with overheard(dsn) as (session, wire):
        await session.execute("CREATE TEMP TABLE both_ways (a int, b text, c numeric)")
        for method, source in (
            (session.load_from_records, records),
            (getattr(session, other), pa.Table.from_pylist(records)),
        ):
            wire.forget()
            job = await method("both_ways", source)
            assert job.telemetry["format"] == "arrow"
            said.append((wire.copied(), job.telemetry["bytes_processed"]))
        assert said[0] == said[1]
        for method, source in (
            (session.load_from_records, [{"c": 1.5}]),
            (getattr(session, other), pa.table({"c": [1.5]})),
        ):
            with pytest.raises(SQLSpecError, match="insufficient data left in message"):
                await method("both_ways", source)
    assert frozen["load_from_records"] is not None
    assert kib * 1024 == 524_288
