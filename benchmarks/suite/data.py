"""What is read and written: tables on the server, rows, Arrow tables and their COPY bytes."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from typing import Any

import asyncpg
import numpy as np
import pgvector.asyncpg
import pyarrow as pa
import pyarrow.compute as pc

from suite.contract import POINTS

DIMENSIONS = 768
SEARCHED = 384
BATCH = 10_000
TABLES = (
    *("points", "people", "many", "readings", "exact", "indexed", "encoded"),
    *("loaded_small", "loaded_large"),
)
"""All that a run makes."""
WIDE_ROWS = 10_000

POINTS_SQL = f"""
CREATE TABLE points (id int PRIMARY KEY, name text NOT NULL, score float8 NOT NULL);
INSERT INTO points SELECT n, 'point ' || n, n / 7.0 FROM generate_series(1, {POINTS}) AS n;
"""
ROWS_SQL = f"""
CREATE TABLE people AS
SELECT n AS id, 'user ' || n AS name, 'user' || n || '@example.com' AS email,
    n / 3.0::float8 AS score, n % 2 = 0 AS active, now() + n * interval '1 s' AS at,
    'a longer text about number ' || n AS about
FROM generate_series(1, {WIDE_ROWS}) AS n;
"""
MANY_SQL = "CREATE TABLE many (id int, name text, email text, score float8);"
READ_SQL = """
CREATE TABLE readings AS
SELECT n::bigint AS id, 'sensor ' || n % 1000 AS name, n / 7.0::float8 AS value,
    now() + n * interval '1 s' AS at
FROM generate_series(1, {rows}) AS n;
"""


def _types(text: str) -> dict[str, str]:
    pairs = [column.split() for column in text.split(",")]
    return {name: kind for [name, kind] in pairs}


NARROW = _types("id bigint, name text, note text")
WIDE = _types(
    "id bigint, parent bigint, count int4, size int4, kind int2, active bool, hidden bool,"
    "score float8, weight float8, share float4, price numeric, name text, email text, city text,"
    "note text, data bytea, day date, at timestamptz, local timestamp, tags int4[]"
)
VECTOR = _types("id bigint, embedding vector")


def columns_sql(types: dict[str, str]) -> str:
    """The columns of the table that is loaded."""
    sized = {"vector": f"vector({DIMENSIONS})", "numeric": "numeric(12,2)"}
    return ", ".join(f"{name} {sized.get(kind, kind)}" for name, kind in types.items())


def _texts(prefix: str, numbers: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(prefix, pc.cast(numbers, pa.string()), " ")


def narrow(count: int) -> pa.Table:
    """A number and two texts."""
    ids = pa.array(np.arange(count))
    texts = [_texts("name", ids), _texts("a longer note on number", ids)]
    return pa.table([ids, *texts], names=list(NARROW))


def wide(count: int) -> pa.Table:
    """Twenty columns; each tenth note is missing."""
    random = np.random.default_rng(0)
    numbers = np.arange(count)
    ids = pa.array(numbers)
    note = pa.array(
        [None if number % 10 == 0 else f"a note on number {number}" for number in range(count)]
    )
    moments = numbers * 1_000_000
    tags = pa.ListArray.from_arrays(
        pa.array(np.arange(count + 1) * 3, pa.int32()),
        pa.array(random.integers(0, 100, count * 3), pa.int32()),
    )
    cents = pa.array(numbers % 1_000_000, pa.int64())
    price = pc.divide(pc.cast(cents, pa.decimal128(19, 0)), pa.scalar(100, pa.decimal128(3, 0)))
    columns = [
        ids,
        pa.array(numbers // 2),
        pa.array(numbers % 1000, pa.int32()),
        pa.array(numbers % 7777, pa.int32()),
        pa.array(numbers % 100, pa.int16()),
        pa.array(numbers % 2 == 0),
        pa.array(numbers % 3 == 0),
        pa.array(random.random(count)),
        pa.array(random.random(count)),
        pa.array(random.random(count, np.float32)),
        pc.cast(price, pa.decimal128(12, 2), safe=False),
        _texts("name", ids),
        pc.binary_join_element_wise(pc.cast(ids, pa.string()), "example.com", "@"),
        pa.array(["Rome", "Oslo", "Lima", "Kyiv"]).take(pa.array(numbers % 4)),
        note,
        pc.cast(_texts("bytes", ids), pa.binary()),
        pa.array(numbers % 20_000, pa.int32()).cast(pa.date32()),
        pa.array(moments, pa.timestamp("us", "UTC")),
        pa.array(moments, pa.timestamp("us")),
        tags,
    ]
    return pa.table(columns, names=list(WIDE))


def embeddings(count: int) -> pa.Table:
    """A number and a vector."""
    values = np.random.default_rng(0).random(count * DIMENSIONS, np.float32)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(values), DIMENSIONS)
    return pa.table([pa.array(np.arange(count)), vectors], names=list(VECTOR))


def records_of(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    """Rows of Python values, made batch by batch; vectors as NumPy arrays, as pgvector takes."""
    for batch in table.to_batches(max_chunksize=BATCH):
        columns = [
            list(column.flatten().to_numpy().reshape(-1, column.type.list_size))
            if pa.types.is_fixed_size_list(column.type)
            else column.to_pylist()
            for column in batch.columns
        ]
        yield from zip(*columns, strict=True)


async def encode(admin: asyncpg.Connection, source: pa.Table, types: dict[str, str]) -> bytes:
    """The table as binary COPY, as the server writes it."""
    await admin.execute(f"CREATE UNLOGGED TABLE encoded ({columns_sql(types)})")
    await admin.copy_records_to_table("encoded", records=records_of(source), columns=list(types))
    written = io.BytesIO()
    await admin.copy_from_table("encoded", output=written, format="binary")
    await admin.execute("DROP TABLE encoded")
    return written.getvalue()


async def make_vectors(admin: asyncpg.Connection, count: int) -> None:
    """Two tables of vectors, one with an index."""
    random = np.random.default_rng(1)
    rows = [(number, random.random(SEARCHED, np.float32)) for number in range(count)]
    for table in ("exact", "indexed"):
        await admin.execute(f"CREATE TABLE {table} (id int, embedding vector({SEARCHED}))")
        await admin.copy_records_to_table(table, records=rows)
    await admin.execute("CREATE INDEX ON indexed USING hnsw (embedding vector_cosine_ops)")


def asked_vectors() -> Iterator[Any]:
    """The vectors whose neighbours are asked for, over and over."""
    random = np.random.default_rng(2)
    return itertools.cycle([random.random(SEARCHED, np.float32) for _ in range(100)])


def batch(count: int) -> list[tuple[int, str, str, float]]:
    """Rows for a batch insert."""
    return [(n, f"name {n}", f"user{n}@example.com", n / 7) for n in range(count)]


async def register(admin: asyncpg.Connection) -> None:
    """Let a connection take vectors."""
    await pgvector.asyncpg.register_vector(admin)
