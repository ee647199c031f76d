"""Proofs of references/bulk-loading.md: encoded buffers and vectors."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import psqlpy.exceptions
import psqlpy.extra_types
import psycopg
import pyarrow as pa
import pytest
from best_practices_tools import run_apart
from copy_tools import buffer
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyDriver
from sqlspec.exceptions import SQLSpecError
from traffic_tools import overheard

CLASSES = {"UUID": UUID, "Decimal": Decimal, "PgVector": psqlpy.extra_types.PgVector}
VALUES: dict[str, Any] = {"UUID": UUID(int=1), "Decimal": Decimal("1.5"), "PgVector": [1.0, 2.5]}
LIMIT = 524_288
PANIC = """
import asyncio, json, os, sys
import pyarrow as pa
from sqlspec.adapters.psqlpy import PsqlpyConfig

async def attempt(call):
    try:
        await call
    except BaseException as error:
        return [type(error).__name__, str(error)]

async def main():
    found = []
    lists = {"id": [20], "vector": pa.array([[1, 2, 3]], pa.list_(pa.float32(), 3))}
    for vector in (lists["vector"], pa.array([[1, 2, 3]], pa.list_(pa.float64()))):
        for name in ("load_from_arrow", "load_from_records"):
            config = PsqlpyConfig(connection_config={"dsn": sys.argv[1], "max_db_pool_size": 2})
            async with config.provide_session() as session:
                table = pa.table({"id": [20], "vector": vector})
                source = table if name == "load_from_arrow" else table.to_pylist()
                pid = await session.select_value("SELECT pg_backend_pid()")
                panic = await attempt(getattr(session, name)("embeddings", source))
                after = await session.select_value("SELECT pg_backend_pid()")
                found.append([panic, pid == after])
    print(json.dumps(found), flush=True)
    os._exit(0)

asyncio.run(main())
"""


def copied_out(dsn: str, query: str) -> bytes:
    """What the server itself writes in that format."""
    statement = f"COPY ({query}) TO STDOUT (FORMAT binary)"
    with psycopg.connect(dsn) as connection, connection.cursor().copy(statement) as copy:
        return b"".join(bytes(piece) for piece in copy)


@proves(
    "`{method}` sends a buffer in PostgreSQL's binary COPY format as one piece and does not "
    "freeze.",
    "It returns the number of rows.",
    "It obeys `session.{begin}()`.",
    "Its errors come from psqlpy, not from SQLSpec:",
)
async def test_a_buffer_is_sent_as_one_piece(dsn: str, method: str, begin: str) -> None:
    async with overheard(dsn) as (session, wire):
        await session.execute("CREATE TEMP TABLE lines (line text)")
        copy, count = getattr(session.connection, method), "SELECT count(*) FROM lines"
        for rows in (1, 3_000):
            data = buffer("x" * 1_000, rows)
            wire.forget()
            assert await copy(data, "lines") == rows
            assert wire.copied() == [data]
        assert len(data) > 5 * LIMIT
        await getattr(session, begin)()
        await copy(buffer("y", 1), "lines")
        assert await session.select_value(count) == 3_002
        await session.rollback()
        assert await session.select_value(count) == 3_001
        with pytest.raises(psqlpy.exceptions.Error, match="signature not recognized") as raised:
            await copy(b"no header", "lines")
        assert not isinstance(raised.value, SQLSpecError)


@proves(
    "Every field is a {size}-byte length and the value in network order; {null} is NULL.",
)
async def test_the_format_of_fields(dsn: str, size: int, null: int) -> None:
    header, end = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
    number = (4).to_bytes(size, "big") + (7).to_bytes(4, "big")
    nothing = null.to_bytes(size, "big", signed=True)
    text = (2).to_bytes(size, "big") + b"ab"
    row = (3).to_bytes(2, "big") + number + nothing + text
    assert copied_out(dsn, "SELECT 7, NULL::int, 'ab'::text") == header + row + end


@proves(
    "`copy_records_to_table` takes `{vector}`, `{key}` and `{number}` objects as they are, and "
    "returns the number of rows."
)
async def test_records_of_objects(
    session: PsqlpyDriver, vector: str, key: str, number: str
) -> None:
    await session.execute("CREATE TEMP TABLE objects (a vector(2), b uuid, c numeric)")
    row = tuple(CLASSES[name](VALUES[name]) if name == "PgVector" else VALUES[name]
                for name in (vector, key, number))  # fmt: skip
    assert await session.connection.copy_records_to_table("objects", [row] * 3) == 3
    found = "SELECT count(*) FROM objects WHERE a = '[1,2.5]' AND c = 1.5 AND b = $1"
    assert await session.select_value(found, UUID(int=1)) == 3


@proves(
    "A vector takes {base} bytes and {each} a dimension, so {rows} rows of 1,536 dimensions fit "
    "into one COPY, and {more} do not."
)
async def test_the_size_of_vectors(dsn: str, base: int, each: int, rows: int, more: int) -> None:
    async with overheard(dsn) as (session, wire):
        await session.execute("CREATE TEMP TABLE sized (id int, e vector)")
        sizes = {}
        for dimensions in (1, 2, 1_536):
            wire.forget()
            row = (1, psqlpy.extra_types.PgVector([0.5] * dimensions))
            await session.connection.copy_records_to_table("sized", [row] * 2)
            (piece,) = wire.copied()
            sizes[dimensions] = (len(piece) - 21) // 2 - (2 + 4 + 4)
    assert sizes == {n: base + each * n for n in sizes}
    # Of a table of vectors and their ids; the end of the data is no part of the limit.
    assert 19 + rows * (10 + sizes[1_536]) < LIMIT <= 19 + more * (10 + sizes[1_536])
    assert more == rows + 1


@proves(
    "`load_from_arrow` and `load_from_records` cannot load a vector: a list raises `{error}`, a "
    "Rust panic, and text is read as a vector's bytes.",
    adapter="stock",
)
async def test_vectors_cannot_be_loaded(dsn: str, session: PsqlpyDriver, error: str) -> None:
    attempts = json.loads(run_apart(PANIC, dsn).stdout)
    assert len(attempts) == 4
    for panic, is_alive in attempts:
        assert panic == [error, "internal error: entered unreachable code"]
        assert is_alive
    loads = (
        lambda text: session.load_from_records("embeddings", [{"id": 30, "vector": text}]),
        lambda text: session.load_from_arrow(
            "embeddings", pa.table({"id": [31], "vector": [text]})
        ),
    )
    for load in loads:
        with pytest.raises(SQLSpecError, match="cannot have more than 16000 dimensions"):
            await load("[1,2,3]")
        # Three dimensions, a zero, and 12.078431 three times.
        await load("\0\3\0\0" + "AAAA" * 3)
    found = await session.select("DELETE FROM embeddings WHERE id > 29 RETURNING vector::text AS v")
    assert [row["v"] for row in found] == ["[12.078431,12.078431,12.078431]"] * 2


@proves(
    "For many vectors, encode them from numpy.",
    "A `vector` is its dimension, a zero and float{size} values; a `halfvec` has float{half} "
    "values.",
    "Or insert them with unnest, with a list of `{kind}` for `vector[]`:",
)
async def test_encoded_vectors(
    dsn: str, session: PsqlpyDriver, size: int, half: int, kind: str
) -> None:
    values = np.array([1.5, -2.25, 0.1], np.float32)
    head = (3).to_bytes(2, "big") + (0).to_bytes(2, "big")
    encoded = head + values.astype(f">f{size}").tobytes()
    halved = head + values.astype(f">f{half}").tobytes()
    for name, data in (("vector", encoded), ("halfvec", halved)):
        sent = copied_out(dsn, f"SELECT '[1.5,-2.25,0.1]'::{name}")
        assert sent == b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\0\1" + (
            len(data).to_bytes(4, "big") + data + b"\xff\xff"
        )
        await session.execute(f"CREATE TEMP TABLE encoded_{name} (e {name}(3))")
        copy = session.connection.binary_copy_to_table
        assert await copy(sent, f"encoded_{name}") == 1
        found = f"SELECT count(*) FROM encoded_{name} WHERE e = '[1.5,-2.25,0.1]'"
        assert await session.select_value(found) == 1
    insert = "INSERT INTO encoded_vector SELECT * FROM unnest($1::vector[])"
    vectors = [getattr(psqlpy.extra_types, kind)(values.tolist())] * 3
    for _ in range(2):
        assert (await session.execute(insert, (vectors,))).rows_affected == 3
    assert await session.select_value(found.replace("halfvec", "vector")) == 7
