"""Proofs of references/drop-in.md: what a change of the imports changes, and what it cannot do."""

from __future__ import annotations

import math
import uuid

import numpy as np
import psqlpy
import pytest
from dropin_tools import opened
from proveskill import proves
from psqlpy_adapter.types import Interval
from sqlspec.exceptions import SQLSpecError
from watching_tools import PID, ask, becomes

STATE = "SELECT state FROM pg_stat_activity WHERE pid = %s"


@proves(
    "Check these when you change the imports of code that exists:",
    "Values come back richer: `{key}` not `{text}`, vectors as {array} not {plain}, `inet` with "
    "its mask, months of an interval as `{months}`. `stored == str(key)` is {equal} now.",
    adapter="stock",
)
async def test_values_come_back_richer(
    key: str, text: str, array: str, plain: str, months: str, equal: bool, session, dropin
) -> None:
    kinds = {
        "gen_random_uuid()": (text, key), "'[1,2]'::vector": (plain, array),
        "'1 month'::interval": ("timedelta", months),
    }  # fmt: skip
    for value, expected in kinds.items():
        row = f"SELECT {value} AS v"
        found = [await used.select_value(row) for used in (session, dropin)]
        assert tuple(type(value).__name__ for value in found) == expected
    masked = "SELECT '10.0.0.1/8'::inet AS v"
    assert str(await session.select_value(masked)) == "10.0.0.1"
    assert str(await dropin.select_value(masked)) == "10.0.0.1/8"
    own = uuid.uuid4()
    stored = "SELECT $1::uuid AS v"
    assert await session.select_value(stored, own) == str(own)
    assert ((await dropin.select_value(stored, own)) == str(own)) is equal
    assert isinstance(await dropin.select_value("SELECT '1 month'::interval"), Interval)
    assert isinstance(await dropin.select_value("SELECT '[1]'::vector"), np.ndarray)


@proves(
    "Outside of a transaction, a query that last gave over {many} rows is sent inside of one that "
    "packs them with `{function}`: `{view}` shows that one."
)
async def test_a_query_of_many_rows(many: int, function: str, view: str, dropin, dsn) -> None:
    query = "SELECT n FROM generate_series(1, $1::int) AS n"
    pid = await dropin.select_value(PID)

    async def is_packed(rows: int) -> bool:
        """Whether the server was sent something else than the query."""
        assert [row["n"] for row in await dropin.select(query, rows)] == [*range(1, rows + 1)]
        sent = ask(dsn, f"SELECT query FROM {view} WHERE pid = %s", pid)
        assert query in sent
        return function in sent

    assert [await is_packed(rows) for rows in (many, many)] == [False, False]
    assert [await is_packed(rows) for rows in (many + 1, many + 1, many, many)] == [
        False, True, True, False,
    ]  # fmt: skip
    await is_packed(many + 1)
    await dropin.begin()
    assert not await is_packed(many + 1)
    await dropin.rollback()
    assert await is_packed(many + 1)


@proves("`money` is a `{kind}` in units, not an `{other}` in cents.", adapter="stock")
async def test_money(kind: str, other: str, session, dropin) -> None:
    for used, name, amount in ((dropin, kind, 12.5), (session, other, 1250)):
        found = await used.select_value("SELECT 12.50::money AS v")
        assert (type(found).__name__, math.isclose(found, amount)) == (name, True)


@proves("`{create}()` and `pool.{connection}()` are outside of the pool and its limit; close them.")
async def test_connections_outside_of_the_pool(create: str, connection: str, dsn) -> None:
    async with opened(dsn, max_db_pool_size=1) as config:
        pool = await config.provide_pool()
        async with config.provide_session():
            made = [await getattr(config, create)(), await getattr(pool, connection)()]
            pids = {(await each.fetch(PID)).result()[0]["pg_backend_pid"] for each in made}
            assert len(pids) == 2
            assert (pool.status().size, pool.status().max_size) == (1, 1)
        count = "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)"
        await config.close_pool()
        assert ask(dsn, count, list(pids)) == 2
        for each in made:
            each.close()
        while ask(dsn, count, list(pids)):
            pass


@proves(
    "A stream outside of a transaction holds one until it ends or the session does something else: "
    "close a stream that you leave early."
)
async def test_a_stream_holds_a_transaction(dropin, dsn) -> None:
    pid = await dropin.select_value(PID)
    numbers = "SELECT g FROM generate_series(1, 9) g"

    async def leave_early():
        stream = dropin.select_stream(numbers, chunk_size=2)
        assert await anext(aiter(stream)) == {"g": 1}
        assert ask(dsn, STATE, pid) == "idle in transaction"
        return stream

    stream = await leave_early()
    assert len([row async for row in stream]) == 8
    assert await becomes(dsn, pid, "idle") == "idle"
    stream = await leave_early()
    await stream.aclose()
    assert await becomes(dsn, pid, "idle") == "idle"
    stream = await leave_early()
    assert await dropin.select_value("SELECT 42") == 42
    assert await becomes(dsn, pid, "idle") == "idle"
    assert len([row async for row in stream]) == 8


@proves(
    "What it cannot do:",
    "run on psqlpy's own objects: `session.{name}` is psqlpy's, with psqlpy's values, errors and "
    "limits; its transactions and statements are only cleaned up when the session ends;",
)
async def test_the_raw_connection_is_psqlpys(name: str, dsn) -> None:
    async with opened(dsn, max_db_pool_size=1) as config:
        async with config.provide_session() as session:
            raw = getattr(session, name)
            found = (await raw.fetch("SELECT gen_random_uuid() AS id", [])).result()
            assert isinstance(found[0]["id"], str)
            with pytest.raises(psqlpy.Error) as raised:
                await raw.fetch("SELECT 1/0", [])
            assert not isinstance(raised.value, SQLSpecError)
            with pytest.raises(psqlpy.Error):
                await raw.fetch("SELECT $1::float8 + $2::numeric AS n", [1, 1.5])
            pid = (await raw.fetch(PID)).result()[0]["pg_backend_pid"]
            await raw.execute("BEGIN")
            await session.select_value("SELECT 42")
            assert ask(dsn, STATE, pid) == "idle in transaction"
        assert await becomes(dsn, pid, "idle") == "idle"


@proves("`result.{name}()` | the first row, or {nothing}", table="Call | New")
async def test_the_first_row(name: str, nothing: str | None, dropin) -> None:
    query = "SELECT id FROM users WHERE id > $1 ORDER BY id"
    assert getattr(await dropin.execute(query, 1), name)() == {"id": 2}
    assert getattr(await dropin.execute(query, 99), name)() == nothing
