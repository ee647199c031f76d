"""Proofs of references/types.md: arrays."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import psqlpy.extra_types
import pytest
from proveskill import proves
from psqlpy.extra_types import Float32, Float64Array, NumericArray
from sqlspec.exceptions import DataError, SQLSpecError
from types_tools import outcomes

KEY = UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")


@pytest.fixture
async def lists(session):
    await session.execute(
        "CREATE TEMP TABLE lists (t text[], i int[], u uuid[], f4 real[], f8 float8[], n numeric[])"
    )
    return session


def insert(column: str) -> str:
    return f"INSERT INTO lists ({column}) VALUES ($1)"


@proves(
    "Pass a list, alone in a tuple.",
    "Elements follow the rules of their type: `{a}` for `uuid[]`, `{b}` for `text[]`.",
    adapter="stock",
)
async def test_a_list_goes_in_beside_another_value_or_in_a_tuple(lists, a: str, b: str) -> None:
    taken = {}
    for column in ("u", "t"):
        both = f"INSERT INTO lists ({column}, i) VALUES ($1, $2)"
        for element in (KEY, "x", 1):
            alone = await outcomes(lists, insert(column), ([element],))
            assert alone == await outcomes(lists, both, [element], [1, 2])
            if alone == [True] * 3:
                taken[column] = type(element).__name__
            assert not any(await outcomes(lists, insert(column), [element]))
    assert taken == {"u": a, "t": b}


@proves(
    "An array that holds NULL can be written but not read.",
    "Drop the NULLs, or read it as JSON.",
    adapter="stock",
)
async def test_an_array_with_null_can_be_written_but_not_read(lists) -> None:
    for column, value in (("t", ["light", None]), ("i", [None, 7])):
        assert await outcomes(lists, insert(column), (value,)) == [True] * 3
        held = f"FROM lists WHERE {column} IS NOT NULL"
        assert await lists.select_value(f"SELECT bool_and(NULL = ANY({column}) IS NULL) {held}")
        with pytest.raises(DataError, match="a Postgres value was `NULL`"):
            await lists.select(f"SELECT {column} {held}")
        dropped = await lists.select(f"SELECT array_remove({column}, NULL) AS v {held}")
        assert dropped == [{"v": [element for element in value if element is not None]}] * 3
        assert await lists.select(f"SELECT to_jsonb({column}) AS v {held}") == [{"v": value}] * 3


@proves(
    "Lists of floats and of `{kind}` need a wrapper.",
    "There is none for `float4[]`: pass a list of `{element}`, or text.",
    adapter="stock",
)
async def test_lists_of_floats_and_decimals(lists, kind: str, element: str) -> None:
    plain = {
        "f8": ([0.5], Float64Array([0.5])),
        "n": ([Decimal("0.5")], NumericArray([Decimal("0.5")])),
    }
    selected = {"f8": "$1::float8[]", "n": "$1::numeric[]"}
    for column, (bare, wrapped) in plain.items():
        sql = f"SELECT 1 AS {column}{{}} WHERE {selected[column]} IS NOT NULL"
        writes = await outcomes(lists, insert(column), (bare,))
        reads = await outcomes(lists, sql.format("bare"), (bare,))
        assert not all(writes + reads)
        assert all(await outcomes(lists, insert(column), wrapped))
        assert all(await outcomes(lists, sql.format("wrapped"), wrapped))
    assert type(plain["n"][0][0]).__name__ == kind
    for wrapped in (Float64Array([0.5]), NumericArray([Decimal("0.5")])):
        with pytest.raises(SQLSpecError, match="expected 700"):
            await lists.execute(insert("f4"), wrapped)
    assert not any(await outcomes(lists, insert("f4"), ([0.5],)))
    made = getattr(psqlpy.extra_types, element)
    assert made is Float32
    for value in ([made(0.5), made(1.5)], [made(-2.0)]):
        assert await outcomes(lists, insert("f4"), (value,)) == [True] * 3
        assert await outcomes(lists, "SELECT $1::real[]", (value,)) == [True] * 3
    text = "INSERT INTO lists (f4) VALUES ($1::text::real[]) RETURNING f4"
    for _ in range(3):
        assert await lists.select_value(text, "{0.5,1.5}") == [0.5, 1.5]
    count = "SELECT count(*) FROM lists WHERE f4 = '{0.5,1.5}'"
    assert await lists.select_value(count) == 6
