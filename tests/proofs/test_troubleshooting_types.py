"""Proofs of references/troubleshooting.md: values of the wrong type, and second runs."""

from __future__ import annotations

import sqlspec.exceptions
from best_practices_tools import Tap, failure
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import DataError, SQLSpecError


def config_of(dsn, **features):
    settings = {"dsn": dsn, "max_db_pool_size": 2}
    return PsqlpyConfig(connection_config=settings, driver_features=features)


@proves(
    "Parameters travel in binary: the Python type must be the column's.",
    "These `{first}` and `{second}` are not `{base}`.",
    "`{binary}`, `{short}`, `{overflow}` | Fix a value of the wrong type",
    adapter="stock",
    table="You see | Section",
)
async def test_values_of_the_wrong_type(
    dsn, first: str, second: str, base: str, binary: str, short: str, overflow: str
):
    async with Tap.before(dsn) as tap:
        config = config_of(tap.dsn(dsn))
        async with config.provide_session() as session:
            find = "SELECT name FROM users WHERE age = $1"
            await session.select(find, 258)
            assert (4).to_bytes(4) + (258).to_bytes(4) in b"".join(tap.packets)
            name = "SELECT age FROM users WHERE name = $1"
            for sql, value, kind in ((find, "36", first), (name, 5, first), (find, 2**40, second)):
                error = await failure(session.select(sql, value))
                assert type(error).__name__ == kind
                assert not isinstance(error, getattr(sqlspec.exceptions, base))
            assert second == overflow
            for sql, value, message in (
                ("SELECT id FROM products WHERE price = $1", 5, f"ERROR: {short}"),
                ("SELECT owner FROM accounts WHERE id = $1", "x" * 36, f"ERROR: {binary} in bind"),
            ):
                error = await failure(session.select(sql, value))
                assert isinstance(error, SQLSpecError)
                assert message in f"{error} "
        await config.close_pool()


@proves(
    "On a statement's first run on a config SQLSpec converts values by their casts; from the "
    "second run on it does not, and it turns the floats of a SELECT into `{kind}`.",
    "In a write it does so from the first run on.",
    "To see the wrong casts on the first run, switch the conversion off.",
    "works once, then fails | Make a statement work twice",
    adapter="stock",
    table="You see | Section",
)
async def test_the_second_run(dsn, session, kind: str):
    """A column of type numeric takes a Decimal and no float, one of type float8 the other way."""
    since = "SELECT id FROM events WHERE timestamp > $1::timestamptz"
    noon = "2026-01-01T12:00:00+00:00"
    config = config_of(dsn)
    async with config.provide_session() as one:
        assert await one.select(since, noon) == [{"id": 2}]
    async with config.provide_session() as two:
        for _ in range(2):
            assert isinstance(await failure(two.select(since, noon)), DataError)
        price, rating = (
            f"SELECT id FROM products WHERE {name} > $1" for name in ("price", "rating")
        )
        took = [[await failure(two.select(sql, 4.25)) is None for sql in (price, rating)]
                for _ in range(3)]  # fmt: skip
        assert took == [[False, True], [True, False], [True, False]]
        await two.execute("CREATE TEMP TABLE typed (n numeric, f float8)")
        add = "INSERT INTO typed ({}) VALUES ($1)"
        writes = [await failure(two.execute(add.format(c), 4.25)) is None for c in "nf"]
        assert writes == [True, False]
        (of_column,) = await two.select("SELECT n FROM typed")
        assert type(of_column["n"]).__name__ == kind
    await config.close_pool()
    off = config_of(dsn, enable_cast_detection=False)
    async with off.provide_session() as session:
        assert isinstance(await failure(session.select(since, noon)), DataError)
    await off.close_pool()
