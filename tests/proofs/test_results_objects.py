"""Proofs of references/results.md: objects in place of dicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict
from uuid import UUID

import pytest
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyDriver

ROWS = "SELECT n AS a, -n AS b FROM generate_series(1, {}) n ORDER BY n"


@dataclass
class Pair:
    a: int
    b: int
    note: str = ""


class Typed(TypedDict):
    a: str
    c: int


@dataclass
class Account:
    id: UUID


@proves(
    "Pass `schema_type`.",
    "A dataclass must have exactly the columns of the query, save those with a default.",
    "A `TypedDict` is not checked at all.",
)
async def test_schema_type(session: PsqlpyDriver) -> None:
    assert await session.select(ROWS.format(1), schema_type=Pair) == [Pair(1, -1)]
    assert await session.select_one(ROWS.format(1), schema_type=Pair) == Pair(1, -1)
    assert (await session.execute(ROWS.format(1))).get_first(schema_type=Pair) == Pair(1, -1)
    for columns in ("1 AS a", "1 AS a, 2 AS b, 3 AS c"):
        with pytest.raises(TypeError):
            await session.select(f"SELECT {columns}", schema_type=Pair)
    assert await session.select(ROWS.format(1), schema_type=Typed) == [{"a": 1, "b": -1}]


@proves(
    "Annotations do not convert: psqlpy gives a `{column}` column as `{kind}`, and a dataclass "
    "field annotated `{annotation}` holds that `{kind}`.",
    adapter="stock",
)
async def test_annotations_do_not_convert(
    session: PsqlpyDriver, column: str, kind: str, annotation: str
) -> None:
    account = await session.select_one(
        f"SELECT gen_random_uuid()::{column} AS id", schema_type=Account
    )
    assert type(account.id).__name__ == kind
    assert Account.__annotations__["id"] == annotation


@proves("`{keyword}` converts one value:")
async def test_value_type(session: PsqlpyDriver, keyword: str) -> None:
    key = UUID(int=1)
    found = await session.select_value(f"SELECT '{key}'::uuid AS id", **{keyword: UUID})
    assert found == key
    assert type(found) is UUID
