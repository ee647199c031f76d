"""Proofs of references/transactions.md: isolation levels."""

from __future__ import annotations

import inspect

import pytest
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import SQLSpecError
from transactions_tools import ADD, clear
from watching_tools import failure

SHOW = "SHOW transaction_isolation"
SERIALIZABLE = "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"


@pytest.fixture
async def notes(session):
    await clear(session)
    return session


@proves("`begin()` and `transaction()` take no isolation argument.", adapter="stock")
def test_begin_and_transaction_take_no_argument():
    from sqlspec.adapters.psqlpy import PsqlpyDriver

    for method in (PsqlpyDriver.begin, PsqlpyDriver.transaction):
        assert list(inspect.signature(method).parameters) == ["self"]


@proves(
    "Make `SET TRANSACTION` the first statement of the transaction.",
    "After the first query it is an error:",
)
async def test_the_level_is_set_by_the_first_statement_only(notes):
    async with notes.transaction():
        await notes.execute(SERIALIZABLE)
        assert await notes.select_value(SHOW) == "serializable"
    await notes.begin()
    await notes.select_value("SELECT 1")
    with pytest.raises(SQLSpecError, match="must be called before any query"):
        await notes.execute(SERIALIZABLE)
    await notes.rollback()
    assert await notes.select_value(SHOW) == "read committed"


@proves("Outside a transaction it does nothing, without an error:")
async def test_outside_a_transaction_the_level_is_lost(notes):
    assert await failure(notes.execute(SERIALIZABLE)) is None
    assert await notes.select_value(SHOW) == "read committed"
    async with notes.transaction():
        assert await notes.select_value(SHOW) == "read committed"


@proves("`READ ONLY` is set the same way, and two characteristics go into one statement:")
async def test_read_only_is_set_beside_a_level(notes):
    for characteristics, level in (
        ("READ ONLY", "read committed"),
        ("ISOLATION LEVEL REPEATABLE READ, READ ONLY", "repeatable read"),
    ):
        await notes.begin()
        await notes.execute(f"SET TRANSACTION {characteristics}")
        assert await notes.select_value(SHOW) == level
        assert "in a read-only transaction" in str(await failure(notes.execute(ADD, 1)))
        await notes.rollback()


@proves("For a level in every transaction of a program, set it for each connection:")
async def test_options_set_the_level_of_each_connection(dsn):
    options = "-c default_transaction_isolation=serializable"
    strict = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2, "options": options})
    async with strict.provide_session() as first, strict.provide_session() as second:
        for session in (first, second):
            for _ in range(2):
                async with session.transaction():
                    assert await session.select_value(SHOW) == "serializable"
    await strict.close_pool()
