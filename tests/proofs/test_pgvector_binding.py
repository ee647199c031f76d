"""Proofs of references/pgvector.md: what to bind, and what comes back."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pgvector
import psqlpy
import psqlpy.extra_types
import pytest
from proveskill import proves
from psqlpy.extra_types import PgVector
from sqlspec.adapters.psqlpy import PsqlpyConfig, PsqlpyDriver
from sqlspec.exceptions import DatabaseConnectionError, DataError, SQLSpecError
from version_tools import has, versions_needed

Y = [0.0, 1.0, 0.0]
NEAREST = "SELECT label FROM embeddings ORDER BY vector <=> {} LIMIT 1"
PANIC = "entered unreachable code"


@proves(
    "The rule that prevents most faults: wrap every vector in `psqlpy.extra_types.{name}`,"
    " and cast nothing.",
    "`PgVector(x)` takes a list, a tuple or a numpy array.",
    "Bind it without a cast.",
)
async def test_pgvector_is_right_on_every_run(session: PsqlpyDriver, name: str) -> None:
    wrap = getattr(psqlpy.extra_types, name)
    for value in (Y, tuple(Y), np.array(Y), np.array(Y, np.float32)):
        for _ in range(3):
            assert await session.select_value(NEAREST.format("$1"), wrap(value)) == "y"


@proves("From a `pgvector.Vector` ({package} {version} or newer) use `PgVector(v.{method}())`.")
async def test_a_vector_of_the_package_is_bound_as_a_list(
    session: PsqlpyDriver, package: str, version: str, method: str
) -> None:
    assert version in versions_needed(package)
    if not has(package, version):
        assert not hasattr(pgvector, "Vector")
        return
    listed = getattr(pgvector.Vector(Y), method)()
    assert type(listed) is list
    for _ in range(3):
        assert await session.select_value(NEAREST.format("$1"), PgVector(listed)) == "y"


@proves(
    "A vector reads back as a {kind} of floats with the precision of {precision};"
    " `avg(vector)` does too.",
    adapter="stock",
)
async def test_a_vector_reads_back_in_single_precision(
    session: PsqlpyDriver, kind: str, precision: str
) -> None:
    value = [0.1, 1 / 3, 3.0]
    for sql in ("SELECT $1::vector", "SELECT avg(v) FROM (SELECT $1::vector AS v) AS t"):
        found = await session.select_value(sql, PgVector(value))
        assert type(found).__name__ == kind
        assert all(type(number) is float for number in found)
        assert found == [float(getattr(np, precision)(number)) for number in value]


@proves("To search with a stored vector, let the server fetch it:")
async def test_a_stored_vector_is_fetched_by_the_server(session: PsqlpyDriver) -> None:
    sql = "SELECT id FROM embeddings WHERE id <> 1 ORDER BY vector <-> {} LIMIT 1"
    stored = await session.select_value("SELECT vector FROM embeddings WHERE id = 1")
    nearest = await session.select_value(sql.format("$1"), PgVector(stored))
    subquery = "(SELECT vector FROM embeddings WHERE id = 1)"
    assert await session.select_value(sql.format(subquery)) == nearest


async def runs(config: PsqlpyConfig, parameter: str, value: Any) -> list[bool]:
    """Which of three runs find the row."""
    found = []
    async with config.provide_session() as session:
        for _ in range(3):
            try:
                label = await session.select_value(NEAREST.format(parameter), value)
                found.append(label == "y")
            except DataError:
                found.append(False)
    return found


@proves(
    "A numpy array with the cast `{cast}` works once: from the second execution of the same SQL by"
    " the same config the cast has no effect on the Python value.",
    "Without the cast, or with `{qualified}`, it never works.",
    adapter="stock",
)
async def test_an_array_with_a_cast_works_once(
    config: PsqlpyConfig, cast: str, qualified: str
) -> None:
    array = np.array(Y)
    other = PsqlpyConfig(connection_config=config.connection_config)
    for parameter in ("$1", qualified):
        assert await runs(other, parameter, array) == [False, False, False]
        assert await runs(other, parameter, PgVector(Y)) == [True, True, True]
    await other.close_pool()
    assert await runs(config, cast, array) == [True, False, False]
    assert await runs(config, cast, array) == [False, False, False]  # another session


@proves("`pgvector.Vector` never works.", adapter="stock")
async def test_a_vector_of_the_package_never_works(config: PsqlpyConfig) -> None:
    for parameter in ("$1", "$1::vector", "$1::public.vector"):
        assert await runs(config, parameter, pgvector.Vector(Y)) == [False, False, False]


HALF = "\x00\x01\x00\x00?\x00\x00\x00"
"""As bytes: one dimension, two bytes of nothing, 0.5 in single precision."""


@proves("A string is sent as the bytes of a vector; only `{cast}` takes a string.", adapter="stock")
async def test_a_string_is_the_bytes_of_a_vector(session: PsqlpyDriver, cast: str) -> None:
    assert await session.select_value("SELECT $1 + '[0]'::vector", HALF) == [0.5]
    for _ in range(3):
        assert await session.select_value(NEAREST.format(cast), "[0,1,0]") == "y"
    for parameter in ("$1", "$1::vector", "$1::public.vector"):
        with pytest.raises(SQLSpecError, match="more than 16000 dimensions"):
            await session.select_value(NEAREST.format(parameter), "[0,1,0]")


async def panics(config: PsqlpyConfig, parameter: str, *values: Any) -> bool:
    """Whether the execution panics."""
    async with config.provide_session() as session:
        try:
            await session.select_value(NEAREST.format(parameter), *values)
        except BaseException as error:
            if PANIC in str(error):
                return True
            raise
    return False


@proves(
    "A plain list or tuple panics in Rust; in a `{cast}` query from the second execution on, unless"
    " it and another value are passed one by one, not by name and not in a tuple.",
    adapter="stock",
)
async def test_a_list_panics(dsn: str, cast: str) -> None:
    for value in (Y, tuple(Y)):
        clean = {"dsn": dsn, "conn_recycling_method": psqlpy.ConnRecyclingMethod.Verified}
        config = PsqlpyConfig(connection_config={**clean, "max_db_pool_size": 2})
        assert await panics(config, "$1", (value,))
        assert [await panics(config, cast, (value,)) for _ in range(3)] == [False, True, True]
        beside = f"{cast}, $2::int"
        assert not any([await panics(config, beside, value, 1) for _ in range(3)])
        beside += " "  # to be run for the first time
        assert [await panics(config, beside, (value, 1)) for _ in range(2)] == [False, True]
        named = {"v": value, "n": 1}
        beside = beside.replace("$1", ":v").replace("$2", ":n")
        assert [await panics(config, beside, named) for _ in range(2)] == [False, True]
        await config.close_pool()


@proves(
    "`{panic}` is a `{base}`, so `except {missing}` misses it.",
    "The connection is dead, and with `{method}` recycling the pool hands it to the next session"
    " once.",
    adapter="stock",
)
async def test_a_panic_kills_the_connection(
    dsn: str, panic: str, base: str, missing: str, method: str
) -> None:
    recycling = getattr(psqlpy.ConnRecyclingMethod, method)
    settings = {"dsn": dsn, "max_db_pool_size": 2, "conn_recycling_method": recycling}
    config = PsqlpyConfig(connection_config=settings)
    with pytest.raises(BaseException, match=PANIC) as raised:
        async with config.provide_session() as session:
            await session.select_value(NEAREST.format("$1"), (Y,))
    assert raised.type.__name__ == panic
    assert raised.type.__base__.__name__ == base
    assert not issubclass(raised.type, getattr(builtins, missing))
    async with config.provide_session() as session:
        with pytest.raises(DatabaseConnectionError, match="connection closed"):
            await session.select_value("SELECT 1")
    async with config.provide_session() as session:
        assert await session.select_value("SELECT 1") == 1
    await config.close_pool()


@proves(
    "On the drop-in arrays and lists are vectors; indexes and filters are the same.",
    "With `dropin`, a session of the drop-in, pass an array, a list or a tuple:",
)
async def test_the_dropin_takes_arrays_lists_and_tuples(dropin: Any) -> None:
    for value in (np.array(Y), Y, tuple(Y)):
        for _ in range(3):
            assert await dropin.select_value(NEAREST.format("$1"), value) == "y"
    await dropin.execute("CREATE TEMP TABLE many AS SELECT i AS id, ARRAY[i, 0]::vector(2) AS v"
                         " FROM generate_series(1, 300) AS i")  # fmt: skip
    await dropin.execute("CREATE INDEX many_l2 ON many USING hnsw (v vector_l2_ops)")
    await dropin.execute("SET enable_seqscan = off")
    sql = "SELECT id FROM many WHERE id > 200 ORDER BY v <-> $1 LIMIT 5"
    plan = await dropin.select(f"EXPLAIN {sql}", [0.0, 0.0])
    assert any("many_l2" in row["QUERY PLAN"] for row in plan)
    assert await dropin.select(sql, [0.0, 0.0]) == []
    await dropin.execute("SET enable_seqscan = on")
    await dropin.execute("DROP TABLE many")
