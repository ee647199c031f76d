"""Proofs of references/parameters.md: lists, dicts and parameters without a type."""

from __future__ import annotations

import builtins
import datetime
from decimal import Decimal
from typing import Any

import pytest
from proveskill import proves
from psqlpy.extra_types import Float64Array, NumericArray
from sqlspec.adapters.psqlpy import PsqlpyConfig, PsqlpyDriver
from sqlspec.exceptions import DatabaseConnectionError, DataError, SQLSpecError

ANY = "SELECT id FROM users WHERE id = ANY({}) ORDER BY id"
BOTH = [{"id": 1}, {"id": 2}]
LAMP = [{"name": "Lamp"}]


@proves(
    "Use `= ANY($1)`, and wrap a lone list in a tuple: a list that is the only argument is taken"
    " for the list of all values.",
    adapter="stock",
)
async def test_a_lone_list_is_all_values(session: PsqlpyDriver) -> None:
    for _ in (1, 2):
        assert await session.select(ANY.format("$1"), ([1, 2],)) == BOTH
        assert await session.select(ANY.format(":ids"), ids=[1, 2]) == BOTH
        beside = f"SELECT id FROM ({ANY.format('$1')}) AS t WHERE id < $2"
        assert await session.select(beside, [1, 2], 2) == [{"id": 1}]
    with pytest.raises(SQLSpecError, match="2 parameters provided but 1"):
        await session.select(ANY.format("$1"), [1, 2])
    assert await session.select("SELECT id FROM users WHERE id IN ($1, $2)", [1, 2]) == BOTH


@proves(
    "`<> ALL($1)` is `NOT IN`.",
    "An empty list matches nothing with `{nothing}` and everything with `{everything}`.",
)
async def test_an_empty_list(session: PsqlpyDriver, nothing: str, everything: str) -> None:
    sql = "SELECT id FROM users WHERE id {} ORDER BY id"
    not_in = await session.select(sql.format("NOT IN (1, 2)"))
    assert await session.select(sql.format("<> ALL($1)"), ([1, 2],)) == not_in == [{"id": 3}]
    for operator in ("=", "<>"):
        assert await session.select(sql.format(f"{operator} {nothing}($1)"), ([],)) == []
        found = await session.select(sql.format(f"{operator} {everything}($1)"), ([],))
        assert len(found) == 3


@proves("Lists and tuples bind; a {unbound} does not.")
async def test_a_set_does_not_bind(session: PsqlpyDriver, unbound: str) -> None:
    for value in ([1, 2], (1, 2)):
        assert await session.select(ANY.format("$1"), (value,)) == BOTH
    with pytest.raises(DataError):
        await session.select(ANY.format("$1"), (getattr(builtins, unbound)([1, 2]),))


@proves(
    "A list of floats works on the first run only, a list of `{number}` from the second run on;"
    " wrap them.",
    adapter="stock",
)
async def test_lists_of_numbers_need_their_class(session: PsqlpyDriver, number: str) -> None:
    rated = "SELECT name FROM products WHERE rating = ANY($1)"
    priced = "SELECT name FROM products WHERE price = ANY($1)"
    exact = Decimal("19.99")
    assert type(exact).__name__ == number
    for _ in range(3):
        assert await session.select(rated, Float64Array([4.5])) == LAMP
        assert await session.select(priced, NumericArray([exact])) == LAMP
    rated, priced = rated.lower(), priced.lower()  # to be run for the first time
    assert await session.select(rated, ([4.5],)) == LAMP
    with pytest.raises(SQLSpecError, match='sign in external "numeric"'):
        await session.select(priced, ([exact],))
    for _ in range(2):
        with pytest.raises(SQLSpecError, match="improper binary format"):
            await session.select(rated, ([4.5],))
        assert await session.select(priced, ([exact],)) == LAMP


@proves(
    "Never bind a list to `{condition}`: Rust panics.",
    "`{panic}` is not an `{base}`, so `except {base}` does not catch it, and the session is of no"
    " use after it.",
    adapter="stock",
)
async def test_a_list_for_in_panics(
    config: PsqlpyConfig, condition: str, panic: str, base: str
) -> None:
    async with config.provide_session() as session:
        with pytest.raises(BaseException, match="entered unreachable code") as raised:
            await session.select(f"SELECT id FROM users WHERE id {condition}", ([1, 2],))
        assert raised.type.__name__ == panic
        assert not issubclass(raised.type, getattr(builtins, base))
        for _ in range(2):
            with pytest.raises(DatabaseConnectionError, match="connection closed"):
                await session.select("SELECT 1")


CONTAINS = "SELECT name FROM products WHERE metadata @> {}"
RED = {"color": "red"}


@proves(
    "A dict that is the only argument is read as named parameters.",
    "Wrap it in a tuple, name it, or pass a second value.",
    adapter="stock",
)
async def test_a_lone_dict_is_named_parameters(session: PsqlpyDriver) -> None:
    for _ in (1, 2):
        assert await session.select(CONTAINS.format("$1"), (RED,)) == LAMP
        assert await session.select(CONTAINS.format(":wanted"), wanted=RED) == LAMP
        assert await session.select(CONTAINS.format("$1 AND id < $2"), RED, 9) == LAMP
    assert await session.select_value("SELECT $1::text", RED) == RED["color"]
    with pytest.raises(DataError, match="PyJSON must be dict"):
        await session.select(CONTAINS.format("$1"), RED)


@proves("The server gives a bare parameter the type `{kind}`, or no type.", "Cast it.")
async def test_the_type_of_a_bare_parameter(session: PsqlpyDriver, kind: str) -> None:
    await session.execute("PREPARE bare AS SELECT $1")
    types = "SELECT parameter_types::text FROM pg_prepared_statements WHERE name = 'bare'"
    assert await session.select_value(types) == f"{{{kind}}}"
    await session.execute("DEALLOCATE bare")
    assert await session.select_value("SELECT $1", "5") == "5"
    with pytest.raises(SQLSpecError, match="could not determine data type"):
        await session.select_value("SELECT jsonb_build_object('n', $1)", 5)
    assert await session.select_value("SELECT $1::int", 5) == 5
    assert await session.select_value("SELECT jsonb_build_object('n', $1::int)", 5) == {"n": 5}


@proves("For an optional filter, cast the parameter at its first use.")
async def test_an_optional_filter(session: PsqlpyDriver) -> None:
    sql = "SELECT count(*) FROM users WHERE {} IS NULL OR status = {}"
    for value, count in (("inactive", 1), (None, 3)):
        for _ in (1, 2):
            assert await session.select_value(sql.format("$1::text", "$1"), (value,)) == count
        for late in (sql.format("$1", "$1"), sql.format("$1", "$1::text")):
            with pytest.raises(SQLSpecError, match=r"data type of parameter \$1"):
                await session.select_value(late, (value,))


@proves(
    "A cast names the type that you must pass: `$1::interval` takes a `{right}`, not a `{wrong}`.",
    adapter="stock",
)
async def test_a_cast_names_the_type_to_pass(session: PsqlpyDriver, right: str, wrong: str) -> None:
    sql = "SELECT $1::interval = interval '1 day'"
    value: Any = getattr(datetime, right)(days=1)
    assert await session.select_value(sql, value) is True
    text = "1 day"
    assert type(text).__name__ == wrong
    with pytest.raises(TypeError, match=f"'{wrong}' object is not an instance of '{right}'"):
        await session.select_value(sql, text)
