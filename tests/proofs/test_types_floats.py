"""Proofs of references/types.md: floats."""

from __future__ import annotations

from decimal import Decimal
from math import nextafter

import numpy as np
import psqlpy.extra_types
import pytest
from proveskill import proves
from psqlpy.extra_types import Float32, Float64
from sqlspec.exceptions import SQLSpecError
from types_tools import outcomes, refusal

ORDINALS = ["first", "second", "third", "fourth"]


@pytest.fixture
async def floats(session):
    await session.execute("CREATE TEMP TABLE floats (f8 float8, f4 float4, raw bytea)")
    return session


def insert(column: str, written: str = "$1") -> str:
    return f"INSERT INTO floats ({column}) VALUES ({written}) RETURNING {column}"


@proves(
    "Wrap every float that meets a `float8` column in `{wide}`, and one that meets `float4` in "
    "`{narrow}`.",
    adapter="stock",
)
async def test_each_float_column_takes_one_of_the_wrappers_alone(floats, wide, narrow) -> None:
    taken = {
        column: [
            kind.__name__
            for kind in (float, Float32, Float64)
            if await refusal(floats.execute(insert(column), kind(0.5))) is None
        ]
        for column in ("f8", "f4")
    }
    assert taken == {"f8": [wide], "f4": [narrow]}


@proves(
    "SQLSpec turns a plain float into `{kind}` in every write, and in a SELECT from its {second} "
    "run on. psqlpy sends that as `{sent}`, which a float column refuses.",
    adapter="stock",
)
async def test_a_float_is_sent_as_numeric(floats, kind: str, second: str, sent: str) -> None:
    """A bytea column takes whatever bytes are sent, so it shows them."""
    of_kind = {}
    for value in (0.5, Float64(0.5), Decimal("0.5"), 1):
        if await refusal(floats.connection.execute(insert("raw"), [value])) is None:
            (row,) = (await floats.connection.fetch("SELECT raw FROM floats")).result()
            of_kind[type(value).__name__] = row["raw"]
            await floats.execute("DELETE FROM floats")
    (by_type,) = await floats.select(
        "SELECT numeric_send(0.5) AS numeric, float8send(0.5) AS float8, float4send(0.5) AS float4"
    )
    for _ in range(3):
        bytes_sent = await floats.select_value(insert("raw"), 0.5)
        assert [name for name, its in of_kind.items() if its == bytes_sent] == [kind]
        assert [name for name, its in by_type.items() if its == bytes_sent] == [sent]
    asked = await outcomes(floats, "SELECT $1::bytea", 0.5)
    assert asked.index(True) == ORDINALS.index(second)
    assert await floats.select_value("SELECT $1::bytea", 0.5) == bytes_sent
    asked = await outcomes(floats, "SELECT $1::float8", 0.5)
    assert asked.index(False) == ORDINALS.index(second)
    for column in ("f8", "f4"):
        assert await outcomes(floats, insert(column), Decimal("0.5")) == [False] * 3


@proves(
    "`$1::numeric` is no cure: it fails for floats nearer to 0 than `{low}`, and for round ones "
    "from `{high}` on.",
    adapter="stock",
)
async def test_a_cast_to_numeric_takes_floats_of_a_middle_size(
    floats, low: float, high: float
) -> None:
    sql = insert("f8", "$1::numeric")
    for value in (low, 0.0, 1.5, high - high / 10, nextafter(high, 0)):
        assert await floats.select_value(sql, value) == value
        assert await floats.select_value(sql, -value) == -value
    for value in (nextafter(low, 0), low / 10, high, 2 * high, 1e300):
        for signed in (value, -value):
            with pytest.raises(SQLSpecError, match="Cannot convert python Decimal"):
                await floats.execute(sql, signed)


@proves("An `{whole}` goes into a float column as it is.", adapter="stock")
async def test_an_int_fits_a_float_column(floats, whole: str) -> None:
    fits = [
        type(value).__name__
        for value in (4, 0.5, Decimal(4), "4")
        if await outcomes(floats, insert("f8"), value) == [True] * 3
    ]
    assert fits == [whole]
    assert await floats.select_value(insert("f8"), 4) == 4.0


@proves("`numpy.{name}` is a `{kind}` and needs `{wrapper}` too.", adapter="stock")
async def test_a_float_of_numpy_needs_the_wrapper(
    floats, name: str, kind: str, wrapper: str
) -> None:
    value = getattr(np, name)(4.2)
    assert kind in [base.__name__ for base in type(value).__mro__[1:]]
    assert await outcomes(floats, insert("f8"), value) == [False] * 3
    wrapped = getattr(psqlpy.extra_types, wrapper)(value)
    assert await floats.select_value(insert("f8"), wrapped) == 4.2


@proves("With `{fixture}`, a session of the drop-in, a float is a float:")
async def test_the_dropin_takes_and_gives_floats(dropin, fixture: str, request) -> None:
    assert request.getfixturevalue(fixture) is dropin
    await dropin.execute("CREATE TEMP TABLE plain (f8 float8, f4 float4, n numeric)")
    for value in (0.1, 1e-9, 1e16, -0.5):
        for _ in range(3):
            sql = "INSERT INTO plain VALUES ($1, $2, $3) RETURNING f8, f4"
            (row,) = await dropin.select(sql, value, 0.5, value)
            assert row == {"f8": value, "f4": 0.5}
            assert type(row["f8"]) is type(row["f4"]) is float
            assert await dropin.select("SELECT 1 AS one FROM plain WHERE f8 = $1", value)
