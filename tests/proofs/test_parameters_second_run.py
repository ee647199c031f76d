"""Proofs of references/parameters.md: values that work once, and values that work always."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from proveskill import proves
from psqlpy.extra_types import Float64, PgVector
from sqlspec.adapters.psqlpy import PsqlpyConfig, PsqlpyDriver
from sqlspec.exceptions import DataError, SQLSpecError

KEY = "12345678-1234-5678-1234-567812345678"
FINAL = [
    ("SELECT count(*) FROM accounts WHERE id = $1", uuid.UUID(KEY), 0),
    ("SELECT count(*) FROM events WHERE timestamp > $1", datetime(2026, 1, 2, tzinfo=UTC), 1),
    ("SELECT count(*) FROM products WHERE metadata @> $1", {"color": "red"}, 1),
    ("SELECT count(*) FROM products WHERE rating > $1", Float64(4.2), 1),
    ("SELECT count(*) FROM products WHERE price < $1", Decimal("99.5"), 1),
    ("SELECT count(*) FROM embeddings WHERE vector <-> $1 < 1", PgVector([1, 0, 0]), 1),
]
CASTS = [
    ("SELECT count(*) FROM accounts WHERE id = $1::uuid", KEY),
    ("SELECT count(*) FROM events WHERE timestamp > $1::timestamptz", "2026-01-02T00:00:00Z"),
    ("SELECT count(*) FROM products WHERE metadata @> $1::jsonb", '{"color": "red"}'),
    ("SELECT count(*) FROM embeddings WHERE vector <-> $1::vector < 1", np.array([1.0, 0, 0])),
]
"""The cast is right, and so is the value on the first run."""
TEXTS = [
    ("uuid", KEY), ("timestamptz", "2026-01-02T00:00:00Z"), ("jsonb", '{"color": "red"}'),
    ("numeric", "1.50"), ("interval", "1 day"), ("inet", "10.0.0.1"), ("int4range", "[1,5)"),
    ("vector", "[1,0,0]"),
]  # fmt: skip
RATED, PRICED = (f"SELECT count(*) FROM products WHERE {name} < $1" for name in ("rating", "price"))


@pytest.fixture
async def fresh(dsn: str) -> AsyncIterator[Any]:
    """Makes configurations that have run nothing."""
    made = []

    def config(**features: Any) -> PsqlpyConfig:
        settings = {"dsn": dsn, "max_db_pool_size": 2}
        made.append(PsqlpyConfig(connection_config=settings, driver_features=features))
        return made[-1]

    yield config
    for config in made:
        await config.close_pool()


async def runs(config: PsqlpyConfig, sql: str, value: Any, times: int = 3) -> list[bool]:
    """Whether each run in a session of its own gives a result, not an error."""
    found = []
    for _ in range(times):
        async with config.provide_session() as session:
            try:
                await session.select_value(sql, (value,))
                found.append(True)
            except SQLSpecError:
                found.append(False)
    return found


@proves("Pass the final type and write no cast.", "These hold at every run:")
async def test_the_final_type_holds(session: PsqlpyDriver) -> None:
    for sql, value, expected in FINAL * 3:
        assert await session.select_value(sql, (value,)) == expected


@proves(
    "If all you have is text, cast it twice: `{parameter}::text::TYPE` binds a `{kind}` and lets"
    " the server parse it, at every run."
)
async def test_text_is_cast_twice(session: PsqlpyDriver, parameter: str, kind: str) -> None:
    for name, text in TEXTS:
        assert type(text).__name__ == kind
        sql = f"SELECT {parameter}::text::{name} = '{text}'::{name}"
        assert [await session.select_value(sql, text) for _ in range(3)] == [True] * 3


@proves(
    "SQLSpec caches a statement in the config object at its first run.",
    "From the second run on it no longer converts values by their casts, and floats become"
    " `{number}`.",
    "So a test that runs each query once passes, and the program fails.",
    "Run every query twice on one config in your tests.",
    "A new config starts with an empty cache and hides the fault:",
    adapter="stock",
)
async def test_casts_hold_once_a_config(fresh: Any, number: str) -> None:
    config, other = fresh(), fresh()
    for sql, value in CASTS:
        assert await runs(config, sql, value) == [True, False, False]
        assert await runs(other, sql, value, 1) == [True]
    assert await runs(config, RATED, 4.2) == [True, False, False]
    async with config.provide_session() as session:
        assert await session.select_value(f"{RATED} AND true", 1e300) == 2
        for _ in range(2):  # no number of this size fits
            with pytest.raises(DataError, match=f"Cannot convert python {number} into"):
                await session.select_value(f"{RATED} AND true", 1e300)


@proves("A float against `{kind}` is the reverse: the first run fails.", adapter="stock")
async def test_a_float_for_numeric_fails_once(fresh: Any, session: PsqlpyDriver, kind: str) -> None:
    column = "SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attname = 'price'"
    assert await session.select_value(column) == kind
    assert await runs(fresh(), PRICED, 99.5) == [False, True, True]


@proves(
    "With `{flag}={value}` the wrong casts fail on the first run; the float still works once.",
    adapter="stock",
)
async def test_no_cast_detection(fresh: Any, flag: str, value: bool) -> None:
    config = fresh(**{flag: value})
    for sql, wrong in CASTS:
        assert await runs(config, sql, wrong) == [False] * 3
    assert await runs(config, RATED, 4.2) == [True, False, False]


@proves("With `dropin`, a session of the drop-in, every run gives the same:")
async def test_every_run_of_the_dropin_gives_the_same(dropin: Any) -> None:
    for sql, value in [*CASTS, (RATED, 4.2), (PRICED, 99.5), ("SELECT $1::date", "2026-01-02")]:
        first, *others = [await dropin.select_value(sql, (value,)) for _ in range(4)]
        assert others == [first] * 3
