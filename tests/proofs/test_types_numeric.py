"""Proofs of references/types.md: numeric."""

from __future__ import annotations

from decimal import Decimal

import pytest
from proveskill import proves
from psqlpy.extra_types import Float64
from sqlspec.exceptions import DataError
from types_tools import outcomes, refusal

IN = "SELECT $1::numeric::text"
REFUSED = "Cannot convert python Decimal"
KINDS = ("smallint", "integer", "bigint", "numeric")


async def both_ways(session, number: str) -> tuple[str, str]:
    """A number of many digits as the server got it, and as Python did."""
    arrived = await session.select_value(IN, Decimal(number))
    return arrived, str(await session.select_value(f"SELECT {number}::numeric"))


@proves("Pass `{taken}`.", "An `{refused}` is refused.", adapter="stock",
        section="types#write-numeric-values")  # fmt: skip
async def test_a_decimal_alone_goes_into_a_numeric_column_at_every_run(
    session, taken: str, refused: str
) -> None:
    fits = {
        type(value).__name__: await outcomes(session, "SELECT $1::numeric", value)
        for value in (Decimal(5), Float64(5.0), "5", 5)
    }
    assert [kind for kind, went in fits.items() if all(went)] == [taken]
    assert not any(fits[refused])
    assert refused == "int"


@proves(
    "`avg` of integers or `{a}`, and the `sum` of `{b}` or `{c}`, are `{result}`: compare them "
    "with a `{decimal}`.",
    "The `sum` of `{d}` or `{e}` takes an `{whole}`.",
    adapter="stock",
)
async def test_what_aggregates_are_compared_with(
    session, a: str, b: str, c: str, result: str, decimal: str, d: str, e: str, whole: str
) -> None:
    async def takes(call: str, kind: str) -> str:
        sql = f"SELECT {call}(n::{kind}) > $1 FROM generate_series(1, 2) AS n"
        fits = [v for v in (Decimal(1), 1) if all(await outcomes(session, sql, v))]
        return " ".join(type(value).__name__ for value in fits)

    assert {kind: await takes("avg", kind) for kind in KINDS} == dict.fromkeys(KINDS, decimal)
    assert {*KINDS} - {"smallint", "integer", "bigint"} == {a}
    summed = {kind: await takes("sum", kind) for kind in KINDS}
    assert summed == {d: whole, e: whole, b: decimal, c: decimal}
    for call in (f"avg(1::{a})", "avg(1)", f"sum(1::{b})", f"sum(1::{c})"):
        assert await session.select_value(f"SELECT pg_typeof({call})::text") == result


@proves(
    "A `Decimal` whose `str()` has an exponent is refused.",
    "That is any value but 0 nearer to 0 than `{smallest}`, and what `normalize()` makes of 100.",
    "NaN and infinity are refused too.",
    adapter="stock",
)
async def test_decimals_with_an_exponent_are_refused(session, smallest: Decimal) -> None:
    nearer = smallest.next_minus()
    for value in (smallest, -smallest, Decimal(0), Decimal(100)):
        assert "E" not in str(value)
        assert await outcomes(session, IN, value) == [True] * 3
    for value in (nearer, -nearer, smallest / 10, Decimal(100).normalize()):
        assert "E" in str(value)
        with pytest.raises(DataError, match=REFUSED):
            await session.select(IN, value)
    for value in ("NaN", "Infinity", "-Infinity"):
        assert REFUSED in str(await refusal(session.select(IN, Decimal(value))))


@proves(
    "Beyond {digits} significant digits fractions are rounded without an error, on the way in and "
    "on the way out.",
    adapter="stock",
)
async def test_digits_that_a_numeric_keeps(session, digits: int) -> None:
    for whole in (0, 1, digits // 2):
        kept = f"{'9' * whole or '0'}.{'9' * (digits - whole)}"
        assert await both_ways(session, kept) == (kept, kept)
        rounded = await both_ways(session, f"{'9' * whole or '0'}.{'9' * (digits + 1 - whole)}")
        assert [Decimal(number) for number in rounded] == [10**whole] * 2


@proves("Numbers from {base}^{exponent} on are refused.", adapter="stock")
async def test_the_largest_numeric(session, base: int, exponent: int) -> None:
    limit = base**exponent
    for number in (limit - 1, 1 - limit):
        assert await both_ways(session, str(number)) == (str(number), str(number))
    for number in (limit, -limit, limit * 10):
        with pytest.raises(DataError, match=REFUSED):
            await session.select(IN, Decimal(number))
        with pytest.raises(DataError, match="Number exceeds maximum value"):
            await session.select(f"SELECT {number}::numeric")


@proves("Text carries all of them:", adapter="stock")
async def test_text_carries_every_numeric(session) -> None:
    for value in ("0." + "1234567890" * 5, "1E-7", str(2**96), "NaN", "Infinity"):
        for _ in range(3):
            found = await session.select_value("SELECT $1::text::numeric::text", value)
            assert str(Decimal(found)) == value
