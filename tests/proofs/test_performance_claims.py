"""Proofs of references/performance.md: large loads, and what is said of psqlpy."""

from __future__ import annotations

import asyncio
import os
import sys
from importlib.metadata import files, metadata
from typing import Any

import asyncpg
import psqlpy
import psycopg
import pyarrow as pa
import pytest
from performance_bands import Row, measures_about, published
from performance_tools import cpu_times, encoded
from proveskill import proves

PANIC = """
import asyncio, os, sys, psqlpy

async def main():
    connection = await psqlpy.connect(sys.argv[1])
    try:
        await connection.execute("SELECT $1::vector", [[1.0, 2.0, 3.0]])
    except BaseException as error:
        print(type(error).__name__, flush=True)
    os._exit(0)

asyncio.run(main())
"""


async def said(*arguments: object) -> str:
    """The last word of a Python program."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, *map(str, arguments), env={**os.environ, "RUST_BACKTRACE": "0"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    output, _ = await child.communicate()
    return output.decode().split()[-1]


class Spy:
    """A connection that keeps the calls of one of its methods, and lets none through."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.copied: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def copy_records_to_table(self, _: str, records: Any, **__: Any) -> int:
        self.copied.append(list(records))
        return len(self.copied[-1])


@proves(
    "`{method}` is binary COPY too, but every value passes through Python, and all rows go into "
    "one call of `{call}`.",
    adapter="stock",
)
async def test_an_arrow_table_goes_through_python(
    session, monkeypatch: pytest.MonkeyPatch, method: str, call: str
) -> None:
    await session.execute("CREATE TABLE IF NOT EXISTS arrows (id int, name text)")
    table = pa.table({"id": list(range(20_000)), "name": ["x"] * 20_000})
    assert hasattr(session.connection, call)
    spy = Spy(session.connection)
    monkeypatch.setattr(session, "connection", spy)
    await getattr(session, method)("arrows", table)
    [records] = spy.copied
    assert len(records) == 20_000
    assert [type(value) for value in records[0]] == [int, str]


@proves(
    "binary COPY through `load_from_arrow` is the fastest way in | one large call freezes the "
    "process; sending a buffer that is encoded already takes less CPU time",
    adapter="stock",
    table="Claim | Finding",
)
async def test_an_encoded_buffer_is_cheaper(session) -> None:
    """That a large call freezes is shown in test_freezing."""
    await session.execute("CREATE TABLE IF NOT EXISTS encoded (a bigint, b text, c text)")
    rows = [(number, f"row {number}", "x" * 10) for number in range(3_000)]
    buffer = encoded(rows)
    table = pa.table(dict(zip("abc", zip(*rows, strict=True), strict=True)))

    async def as_arrow() -> None:
        await session.load_from_arrow("encoded", table)

    async def as_buffer() -> None:
        copy = session.connection.binary_copy_to_table
        assert await copy(buffer, "encoded", columns=["a", "b", "c"]) == len(rows)

    by_arrow, by_buffer = await cpu_times(as_arrow, as_buffer)
    assert by_arrow > by_buffer


@proves(
    "0.5-1 ms a query and 50,000 queries a second on one connection | they exclude each other "
    "unless queries are pipelined: {each} ms each is {rate} queries a second",
    table="Claim | Finding",
)
def test_times_and_rates(each: float, rate: int) -> None:
    assert each == 0.5
    assert rate == 1_000 / each


@proves(
    "about 50 KB a connection, half of asyncpg | the client takes {share} of asyncpg's bytes, "
    "fewer than {most} kB; the server allocates more than 1,000 kB for each, whatever the driver",
    table="Claim | Finding",
)
async def test_memory_of_a_connection(dsn, share: str, most: int) -> None:
    row = Row("memory", ("asyncpg", ""), (("psqlpy", ""),))
    results = published()[0]
    assert [share] == row.cells(results)
    await measures_about(dsn, row, [share])
    own = results.find("memory", "psqlpy", "")
    assert own is not None
    assert most - 5 < max(own.samples) / 1_000 < most
    query = "SELECT sum(total_bytes)::bigint AS n FROM pg_backend_memory_contexts"
    one, other = await psqlpy.connect(dsn), await asyncpg.connect(dsn)
    assert (await one.fetch(query)).result()[0]["n"] > 1_000_000
    assert await other.fetchval(query) > 1_000_000
    with psycopg.connect(dsn) as third:
        assert third.execute(query).fetchone()[0] > 1_000_000
    one.close()
    await other.close()


@proves(
    "asyncpg is pure C, psycopg a C/Python hybrid | asyncpg is {a} and {b}; psycopg is {c} with an "
    "optional {d} part",
    table="Claim | Finding",
)
def test_what_drivers_are_made_of(a: str, b: str, c: str, d: str) -> None:
    languages = {".pyx": "Cython", ".py": "Python", ".c": "C"}
    assert {languages.get(file.suffix) for file in files("asyncpg")} - {None} == {a, b}
    assert {languages.get(file.suffix) for file in files("psycopg")} - {None} == {c}
    assert d in ("C",)
    assert d.lower() in metadata("psycopg").get_all("Provides-Extra")


@proves(
    "stable and battle-tested | its classifier is {stage}, and a list bound to a `vector` ends in "
    "a `{panic}`",
    table="Claim | Finding",
)
async def test_how_stable_it_is(dsn, stage: str, panic: str) -> None:
    [status] = [line for line in metadata("psqlpy").get_all("Classifier") if "Status" in line]
    assert status.rpartition(" - ")[2] == stage
    assert await said("-c", PANIC, dsn) == panic
