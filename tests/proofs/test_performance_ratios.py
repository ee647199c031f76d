"""Proofs of references/performance.md: what takes how much CPU time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import asyncpg
import psqlpy
import psycopg
import pytest
from performance_tools import cpu_times, encoded
from proveskill import proves

ONE = "SELECT id, name FROM users WHERE id = $1"
WIDE = "SELECT n::int AS id, 'name' || n AS name FROM generate_series(1, 10000) AS n"


@pytest.fixture
async def on(dsn: str) -> AsyncIterator[Any]:
    """Connections of each kind."""
    found = SimpleNamespace(
        psqlpy=await psqlpy.connect(dsn),
        asyncpg=await asyncpg.connect(dsn),
        psycopg=psycopg.connect(dsn, autocommit=True),
    )
    yield found
    found.psqlpy.close()
    await found.asyncpg.close()
    found.psycopg.close()


def one_by_one(connections: Any, count: int = 100) -> list[Any]:
    """Works that ask for a row so often: on psqlpy, on asyncpg, on psycopg."""

    async def on_psqlpy() -> None:
        for _ in range(count):
            (await connections.psqlpy.fetch(ONE, [1])).result()

    async def on_asyncpg() -> None:
        for _ in range(count):
            await connections.asyncpg.fetch(ONE, 1)

    async def on_psycopg() -> None:
        query = ONE.replace("$1", "%s")
        for _ in range(count):
            connections.psycopg.execute(query, [1], prepare=True).fetchall()

    return [on_psqlpy, on_asyncpg, on_psycopg]


@proves(
    "In the text below a ratio is a bound on the CPU time of the client's process: the median of "
    "interleaved rounds.",
    "What the server and the network take is not in it.",
)
async def test_what_the_ratios_are_about(on) -> None:
    async def sleep() -> None:
        await on.asyncpg.execute("SELECT pg_sleep(0.1)")

    [taken] = await cpu_times(sleep, rounds=1)
    assert taken < 0.05


@proves(
    "If this is most of your work, choose asyncpg.",
    "10-15 % faster than asyncpg; the fastest driver for Python | one query at a time it takes "
    "more CPU time than asyncpg",
    "psycopg sync is 30-35 % slower | one query at a time psycopg's synchronous connection takes "
    "less CPU time",
    table="Claim | Finding",
)
async def test_one_row_after_another(on) -> None:
    on_psqlpy, on_asyncpg, on_psycopg = await cpu_times(*one_by_one(on))
    assert on_psqlpy > 1.5 * on_asyncpg
    assert on_psqlpy > 1.5 * on_psycopg


@proves(
    "30-40 % faster than psycopg async, which is 20-25 % behind | one query at a time it takes "
    "more than 0.8 times the CPU time of psycopg async",
    table="Claim | Finding",
)
async def test_one_row_after_another_on_psycopg_async(dsn, on) -> None:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:

        async def on_psycopg() -> None:
            query = ONE.replace("$1", "%s")
            for _ in range(100):
                await (await connection.execute(query, [1], prepare=True)).fetchall()

        psqlpys, psycopgs = await cpu_times(one_by_one(on)[0], on_psycopg)
    assert psqlpys > 0.8 * psycopgs


@proves("psqlpy makes a dict of each row, asyncpg a record without one.")
async def test_many_rows(on) -> None:
    async def on_psqlpy() -> Any:
        return (await on.psqlpy.fetch(WIDE)).result()

    async def on_asyncpg() -> Any:
        return await on.asyncpg.fetch(WIDE)

    assert {type(row) for row in await on_psqlpy()} == {dict}
    records = await on_asyncpg()
    assert {type(row) for row in records} == {asyncpg.Record}
    assert len(records) == 10_000
    psqlpys, asyncpgs = await cpu_times(on_psqlpy, on_asyncpg)
    assert psqlpys > 1.3 * asyncpgs


@proves(
    "psqlpy works in threads of its own and wakes the event loop for its results; asyncpg wakes it "
    "for none."
)
async def test_threads_and_wakings(on, monkeypatch: pytest.MonkeyPatch) -> None:
    loop, wakings = asyncio.get_running_loop(), []
    wake = loop.call_soon_threadsafe

    def count(*arguments: Any, **more: Any) -> Any:
        wakings.append(arguments)
        return wake(*arguments, **more)

    monkeypatch.setattr(loop, "call_soon_threadsafe", count)
    on_psqlpy, on_asyncpg, _ = one_by_one(on)
    await on_asyncpg()
    assert wakings == []
    await on_psqlpy()
    assert wakings


@proves(
    "Batches of 100 on one connection took less than half the CPU time of `gather` over a pool of "
    "20:"
)
async def test_batches_in_a_pipeline(dsn, on) -> None:
    pool = psqlpy.ConnectionPool(dsn=dsn, max_db_pool_size=20)

    async def ask() -> Any:
        async with pool.acquire() as connection:
            return (await connection.fetch(ONE, [1])).result()

    async def gathered() -> None:
        await asyncio.gather(*(ask() for _ in range(300)))

    async def batched() -> None:
        async with on.psqlpy.transaction() as transaction:
            for _ in range(3):
                results = await transaction.pipeline([(ONE, [1])] * 100)
                assert len([result.result() for result in results]) == 100

    in_batches, in_gather = await cpu_times(batched, gathered, rounds=3)
    pool.close()
    assert in_batches < in_gather / 2


@proves(
    "It took more than 5 times the CPU time of encoding the same rows in Python and one "
    "`binary_copy_to_table` of that buffer.",
    adapter="stock",
)
async def test_one_statement_per_row_and_one_buffer(session) -> None:
    await session.execute("CREATE TABLE IF NOT EXISTS loaded (a bigint, b text, c text)")
    rows = [(number, f"row {number}", "x" * 10) for number in range(3_000)]

    async def many() -> None:
        await session.execute_many("INSERT INTO loaded VALUES ($1, $2, $3)", rows)

    async def buffer() -> None:
        columns = ["a", "b", "c"]
        copy = session.connection.binary_copy_to_table
        assert await copy(encoded(rows), "loaded", columns=columns) == len(rows)

    by_row, by_buffer = await cpu_times(many, buffer, rounds=3)
    assert await session.select_value("SELECT count(*) FROM loaded") == 8 * len(rows)
    assert by_row > 5 * by_buffer
