"""Proofs of references/configuration.md: the conversion of parameters by their casts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from proveskill import proves
from psqlpy.extra_types import PgVector
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import SQLSpecError

TEXT = "8c5d3bd2-6ae5-4f7c-9d0a-52a8c0d1c7c7"
KEY = "enable_cast_detection"


async def runs(dsn: str, values: dict[str, Any], count: int, **features: Any) -> list[bool]:
    """Whether each run of the queries works, on a new configuration."""
    config = PsqlpyConfig(
        connection_config={"dsn": dsn, "max_db_pool_size": 2}, driver_features=features
    )
    worked: list[bool] = []
    messages: set[bool] = set()
    async with config.provide_session() as session:
        for query, value in values.items():
            for _ in range(count):
                try:
                    await session.select_value(query, value)
                except SQLSpecError as error:
                    worked.append(False)
                    messages.add("incorrect binary data format" in str(error))
                else:
                    worked.append(True)
    await config.close_pool()
    assert messages <= {True}
    return worked


@proves(
    "`{key}` | `{default}` | converts a parameter by its cast, on the first call only",
    "By default SQLSpec converts a parameter by the cast beside it when a config compiles that "
    "SQL, and not when it takes the SQL from its cache.",
    "So code with the wrong type works once:",
    "Switch the conversion off.",
    "Then a test that runs a statement once finds the fault:",
    adapter="stock",
    table="Feature | Default | What it does",
)
async def test_a_wrong_type_works_once(dsn: str, key: str, default: bool) -> None:
    for features in ({}, {key: default}, {key: True}):
        assert await runs(dsn, {"SELECT $1::uuid": TEXT}, 3, **features) == [True, False, False]
    assert await runs(dsn, {"SELECT $1::uuid": TEXT}, 2, **{key: False}) == [False, False]


@proves("Parameters of the final type work with and without it, each time:")
async def test_the_final_type_works_each_time(dsn: str) -> None:
    values = {
        "SELECT $1::uuid": UUID(TEXT),
        "SELECT $1::timestamptz": datetime(2026, 1, 1, 12, tzinfo=UTC),
        "SELECT $1::vector::text": PgVector([1.0, 2.0]),
        "SELECT $1::jsonb": ({"a": 1},),
    }
    for features in ({KEY: True}, {KEY: False}):
        assert await runs(dsn, values, 3, **features) == [True] * 12


@proves("It does not find a float for `{placeholder}` in a SELECT: Parameters.", adapter="stock")
async def test_it_does_not_find_a_float(dsn: str, placeholder: str) -> None:
    query = f"SELECT {placeholder}"
    assert await runs(dsn, {query: 1.5}, 3, **{KEY: False}) == [True, False, False]
