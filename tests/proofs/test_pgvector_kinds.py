"""Proofs of references/pgvector.md: the other kinds of vectors, and values that are refused."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from typing import Any

import psqlpy
import psqlpy.extra_types
import pytest
import sqlspec.exceptions
from proveskill import proves
from psqlpy.extra_types import PgVector
from sqlspec.adapters.psqlpy import PsqlpyDriver
from sqlspec.exceptions import SQLSpecError

V = PgVector([1, 0, 2])
STORED = {"h": "[1,0,2]", "s": "{1:1,3:2}/3", "b": "101", "vs": '{"[1,0,2]"}'}


@pytest.fixture
async def kinds(session: PsqlpyDriver) -> AsyncIterator[None]:
    await session.execute(
        "CREATE TEMP TABLE kinds (id int, h halfvec(3), s sparsevec(3), b bit(3), vs vector(3)[])"
    )
    yield
    await session.execute("DROP TABLE kinds")


@proves(
    "Bind a `PgVector` or a string, and let the server convert it.",
    "These casts hold on every execution.",
    "A `vector[]` parameter is a list of `{name}`.",
    "Search with the same casts.",
)
async def test_the_server_converts_vectors_and_strings(
    session: PsqlpyDriver, kinds: None, name: str
) -> None:
    array = [getattr(psqlpy.extra_types, name)([1, 0, 2])]
    vectors = (
        "INSERT INTO kinds (id, h, s, b, vs) VALUES ($1, $2::vector::halfvec,"
        " $2::vector::sparsevec, binary_quantize($2::vector), $3)"
    )
    strings = (
        "INSERT INTO kinds (id, h, s, b, vs) VALUES (4, $1::text::halfvec, $2::text::sparsevec,"
        " $3::text::bit(3), $4::text[]::vector[])"
    )
    texts = [STORED["h"], STORED["s"], STORED["b"], [STORED["h"]]]
    for _ in range(3):
        await session.execute(vectors, 1, V, array)
        await session.execute(strings, *texts)
    sql = "SELECT h::text, s::text, b::text, vs::text FROM kinds"
    assert await session.select(sql) == [STORED] * 6
    await session.execute("INSERT INTO kinds SELECT 2, '[9,9,9]', '{1:9}/3', '011', '{}'")
    for order, value in (
        ("h <-> $1::vector::halfvec", V),
        ("s <-> $1::vector::sparsevec", V),
        ("b <~> $1::text::bit(3)", "101"),
    ):
        for _ in range(3):
            search = f"SELECT id FROM kinds WHERE id < 3 ORDER BY {order} LIMIT 1"
            assert await session.select_value(search, value) == 1


@proves(
    "A `PgVector` that reaches a `halfvec`, `sparsevec` or `bit` parameter is refused, and so is a"
    " string without `::text`:",
    adapter="stock",
)
async def test_other_kinds_refuse_what_is_not_converted(session: PsqlpyDriver, kinds: None) -> None:
    await session.execute("INSERT INTO kinds (id) VALUES (1)")
    for column, kind, text in (
        ("h", "halfvec", "[1,0,2]"), ("s", "sparsevec", "{1:1,3:2}/3"), ("b", "bit(3)", "101")
    ):  # fmt: skip
        for value in (V, text):
            for cast in ("", f"::{kind}"):
                with pytest.raises(SQLSpecError):
                    await session.execute(f"UPDATE kinds SET {column} = $1{cast}", value)
    assert await session.select_one("SELECT h::text, s::text, b::text FROM kinds") == {
        "h": None, "s": None, "b": None
    }  # fmt: skip


@proves("{hamming} distance `<~>` and {jaccard} distance `<%>` compare bits:")
async def test_distances_of_bits(session: PsqlpyDriver, hamming: str, jaccard: str) -> None:
    a, b = {0, 1}, {0, 2}  # the bits that are set
    expected = {"Hamming": len(a ^ b), "Jaccard": 1 - len(a & b) / len(a | b)}
    for operator, name in (("<~>", hamming), ("<%>", jaccard)):
        sql = f"SELECT $1::text::bit(3) {operator} $2::text::bit(3)"
        measured = await session.select_value(sql, "110", "101")
        assert measured == pytest.approx(expected[name])


@proves(
    "psqlpy decodes `vector`, and a NULL of it.",
    "A SELECT that returns `{half}`, `{sparse}`, `{bit}` or `{array}` raises `{error}`.",
    "Cast in the SELECT list:",
    adapter="stock",
)
async def test_psqlpy_reads_vector_only(
    session: PsqlpyDriver, half: str, sparse: str, bit: str, array: str, error: str
) -> None:
    assert await session.select_value("SELECT '[1,0,2]'::vector") == [1.0, 0.0, 2.0]
    assert await session.select("SELECT NULL::vector AS v") == [{"v": None}]
    sources = {
        "halfvec": "'[1,0,2]'::halfvec", "sparsevec": "'{1:1,3:2}/3'::sparsevec",
        "bit": "'101'::bit(3)", "vector[]": "'{\"[1,0,2]\"}'::vector[]",
    }  # fmt: skip
    for kind, text in zip((half, sparse, bit, array), STORED.values(), strict=True):
        with pytest.raises(SQLSpecError, match="Cannot convert") as raised:
            await session.select(f"SELECT {sources[kind]}")
        assert raised.type.__name__ == error
        assert await session.select_value(f"SELECT {sources[kind]}::text") == text
        if kind in ("halfvec", "sparsevec"):
            assert await session.select_value(f"SELECT {sources[kind]}::vector") == [1.0, 0.0, 2.0]


@proves("On the raw connection a decoder per column does it too.")
async def test_a_decoder_reads_a_column(dsn: str) -> None:
    connection = await psqlpy.connect(dsn=dsn)
    found = await connection.fetch("SELECT '101'::bit(3) AS b, '[1,2]'::halfvec AS h", [])
    rows = found.result(custom_decoders={"b": bytes, "h": bytes})
    assert rows == [{"b": b"\0\0\0\x03\xa0", "h": b"\0\x02\0\0\x3c\0\x40\0"}]
    connection.close()


@proves(
    "`select_to_arrow` gives a vector as a list of {item}.",
    "Without rows it has no columns, unless you pass the schema:",
    adapter="stock",
)
async def test_vectors_in_arrow(session: PsqlpyDriver, item: str) -> None:
    import pyarrow as pa

    sql = "SELECT id, vector FROM embeddings WHERE id = $1"
    kind = (await session.select_to_arrow(sql, 4)).get_data().schema.field("vector").type
    assert kind == pa.list_(getattr(pa, item)())
    assert (await session.select_to_arrow(sql, 0)).get_data().column_names == []
    schema = pa.schema([("id", pa.int64()), ("vector", pa.list_(pa.float32()))])
    empty = (await session.select_to_arrow(sql, 0, arrow_schema=schema)).get_data()
    assert empty.schema == schema
    assert empty.num_rows == 0


@proves(
    "The server checks the dimension and refuses NaN, infinity and an empty vector.",
    "The error is a plain `{error}`.",
    "It does not say which vector of several is bad: where the caller must know, check the length"
    " and `{check}` before you bind.",
    adapter="stock",
)
async def test_the_server_refuses_bad_vectors(
    session: PsqlpyDriver, error: str, check: str
) -> None:
    sql = "UPDATE embeddings SET vector = $1 WHERE vector <> $2"
    module, _, function = check.partition(".")
    is_finite = getattr({"math": math}[module], function)
    for bad in ([1, 2], [1, 2, 3, 4], [1, 2, math.nan], [1, 2, math.inf], [1, 2, -math.inf], []):
        messages = set()
        for pair in ((bad, [1, 2, 3]), (bad, [4, 5, 6])):
            with pytest.raises(SQLSpecError) as raised:
                await session.execute(sql, *map(PgVector, pair))
            assert raised.type is getattr(sqlspec.exceptions, error)
            messages.add(str(raised.value))
        assert len(messages) == 1
        assert "$1" not in messages.pop()
        assert len(bad) != 3 or not all(map(is_finite, bad))
    assert all(map(is_finite, [1.0, -2, 1e30]))


@proves("NULL is `{null}`, not `{wrong}({argument})`:")
async def test_null_is_none(session: PsqlpyDriver, null: str, wrong: str, argument: str) -> None:
    value: Any = {"None": None}[null]
    assert await session.select_value("SELECT $1::vector IS NULL", (value,)) is True
    with pytest.raises(TypeError, match="not an instance of 'Sequence'"):
        getattr(psqlpy.extra_types, wrong)({"None": None}[argument])
