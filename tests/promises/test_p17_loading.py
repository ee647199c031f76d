"""P17: `load_from_arrow` takes any size and every Arrow type that PostgreSQL has a type for."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from faults import NO_DOCUMENT, OTHER_FORMAT, PANICS
from harness import Breaks, promise
from sqlspec.exceptions import DataError, SQLSpecError

PROGRAM = Path(__file__).with_name("load_many.py")
LIMIT_SECONDS = 12
ROWS = 200_000


async def stored(session, table: str, column: str = "value") -> list[str | None]:
    # As text, so that only the load is tested.
    rows = await session.select(f"SELECT {column}::text AS value FROM {table} ORDER BY id")
    return [row["value"] for row in rows]


async def load(session, pg_type: str, array: pa.Array) -> list[str | None]:
    await session.execute_script(f"CREATE TABLE loaded (id int8, value {pg_type})")
    source = pa.table({"id": np.arange(len(array)), "value": array})
    await session.load_from_arrow("loaded", source)
    return await stored(session, "loaded")


@promise("P17", stock=Breaks(TimeoutError))
async def test_a_large_table_is_loaded(adapter, dsn):
    # In a process of its own: where it hangs, it hangs with the GIL held.
    module = adapter.module.__name__
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        PROGRAM,
        *(module, dsn, str(ROWS)),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert output.decode().split() == [str(ROWS), str(ROWS)]


@promise("P17", stock=PANICS)
@pytest.mark.parametrize("pg_type", ["vector(3)", "halfvec(3)"])
async def test_vectors_are_loaded(adapter, session, pg_type):
    vectors = pa.array([[1, 2, 3], None, [4, 5, 6.5]], pa.list_(pa.float32(), 3))
    assert await load(session, pg_type, vectors) == ["[1,2,3]", None, "[4,5,6.5]"]


@promise("P17", stock=PANICS)
@pytest.mark.parametrize(
    ("pg_type", "text"),
    [
        ("vector(768)", lambda n: f"[{','.join(str(int(n == m)) for m in range(768))}]"),
        ("sparsevec(768)", lambda n: f"{{{n + 1}:1}}/768"),
    ],
    ids=["vector", "sparsevec"],
)
async def test_vectors_of_768_dimensions_are_loaded(adapter, session, pg_type, text):
    rows = [[float(n == m) for m in range(768)] for n in range(50)]
    vectors = pa.array(rows, pa.list_(pa.float32()))
    assert await load(session, pg_type, vectors) == [text(n) for n in range(50)]


@promise("P17", stock=Breaks(SQLSpecError))
@pytest.mark.parametrize(
    ("array", "texts"),
    [
        (pa.array([1.5, None, 1e-9]), ["1.5", None, "0.000000001"]),
        (pa.array([7, -10_000]), ["7", "-10000"]),
        (
            pa.array([Decimal("12345678901234567890123456789012.50")], pa.decimal128(38, 2)),
            ["12345678901234567890123456789012.50"],
        ),
    ],
)
async def test_numbers_are_loaded_into_numeric(adapter, session, array, texts):
    assert await load(session, "numeric", array) == texts


@promise("P17", stock=Breaks(SQLSpecError))
async def test_uuids_are_loaded_from_strings(adapter, session):
    ids = [str(uuid.uuid4()), None]
    assert await load(session, "uuid", pa.array(ids, pa.string())) == ids


@promise("P17", stock=None)
@pytest.mark.parametrize(
    ("pg_type", "array", "texts"),
    [
        ("bytea", pa.array([b"\x00\xff"]), ["\\x00ff"]),
        ("interval", pa.array([90_000_000_000], pa.duration("us")), ["1 day 01:00:00"]),
        ("text[]", pa.array([["a", None], []]), ["{a,NULL}", "{}"]),
        ("int4[]", pa.array([[[1, 2], [3, 4]]]), ["{{1,2},{3,4}}"]),
        ("timestamptz", pa.array([0], pa.timestamp("ns", "UTC")), ["1970-01-01 00:00:00+00"]),
    ],
)
async def test_more_types_are_loaded(adapter, session, pg_type, array, texts):
    await session.execute_script("SET TIME ZONE 'UTC'")
    assert await load(session, pg_type, array) == texts


@promise(
    "P17",
    stock=(
        *OTHER_FORMAT,
        NO_DOCUMENT,
        Breaks(TypeError, "cannot be interpreted as an integer"),
        Breaks(DataError, "Parameter passed to IpAddr is incorrect"),
        Breaks(SQLSpecError, "invalid message format"),
    ),
)
@pytest.mark.parametrize(
    ("pg_type", "array", "texts"),
    [
        ("int2", pa.array([1, 2], pa.float64()), ["1", "2"]),
        ("inet", pa.array(["10.0.0.1/8"]), ["10.0.0.1/8"]),
        ("int4range", pa.array(["[1,5)"]), ["[1,5)"]),
        ("bit(3)", pa.array(["101"]), ["101"]),
        ("jsonb", pa.array(['"text"', "1", None]), ['"text"', "1", None]),
        ("numeric[]", pa.array([[1.5, None]]), ["{1.5,NULL}"]),
    ],
)
async def test_types_beyond_psqlpys_own_are_loaded(adapter, session, pg_type, array, texts):
    assert await load(session, pg_type, array) == texts


@promise("P17", stock=Breaks(AssertionError))
async def test_a_value_that_does_not_fit_names_its_column_and_types(adapter, session):
    await session.execute_script("CREATE TABLE small (id int8, value int2)")
    with pytest.raises(Exception) as failure:  # noqa: PT011 - the stock adapter's class differs
        await session.load_from_arrow("small", pa.table({"id": [0, 1], "value": [1, 40_000]}))
    assert isinstance(failure.value, DataError)
    for part in ('"value"', "row 1", "int64", "smallint", "40000"):
        assert part in str(failure.value)
