"""Proofs of references/psqlpy-direct.md: pipelines and transactions."""

from __future__ import annotations

from contextlib import suppress

import psqlpy
import pytest
from proveskill import proves
from psqlpy import IsolationLevel, ReadVariant
from sqlspec.exceptions import SQLSpecError
from watching_tools import seen

ADD = "INSERT INTO direct VALUES ($1)"
COUNT = "SELECT count(*) FROM direct"


@pytest.fixture
async def direct(session):
    """A session and an empty table ``direct (id int)``."""
    await session.execute("CREATE TABLE IF NOT EXISTS direct (id int)")
    await session.execute("DELETE FROM direct")
    return session


def committed(dsn: str) -> list[int]:
    return seen(dsn, "SELECT id FROM direct ORDER BY id")


@proves(
    "`{method}` exists on a psqlpy transaction.",
    "Give every statement a list of parameters:",
    '`{nothing}` for "no parameters" fails:',
)
async def test_a_pipeline_wants_a_list_for_every_statement(
    direct, dsn, method: str, nothing: str
) -> None:
    connection = direct.connection
    assert not hasattr(connection, method)
    async with connection.transaction() as transaction:
        answers = await getattr(transaction, method)([(ADD, [5]), (COUNT, [])])
    assert [answer.result() for answer in answers] == [[], [{"count": 1}]]
    assert committed(dsn) == [5]
    for absent, name in ((None, "None"), ([], "[]")):
        try:
            async with connection.transaction() as transaction:
                await transaction.pipeline([(COUNT, absent)])
        except psqlpy.exceptions.PyToRustValueMappingError:
            assert name == nothing
        else:
            assert name != nothing


@proves("One failing statement fails the call and aborts the transaction:")
async def test_a_failing_statement_of_a_pipeline_aborts_the_transaction(direct, dsn) -> None:
    await direct.connection.execute(ADD, [1])
    statements = [("DELETE FROM direct", []), ("SELECT 1 / 0", []), (ADD, [2])]
    async with direct.connection.transaction() as transaction:
        with pytest.raises(psqlpy.Error, match="division by zero"):
            await transaction.pipeline(statements)
        with pytest.raises(psqlpy.Error, match="transaction is aborted"):
            await transaction.execute("SELECT 1")
    assert committed(dsn) == [1]


@proves(
    "`begin()` and `transaction()` of SQLSpec take no options. psqlpy's `transaction()` does, and "
    "the session's own methods run inside it:",
    adapter="stock",
)
async def test_options_of_a_psqlpy_transaction(direct) -> None:
    options = {
        "isolation_level": IsolationLevel.Serializable,
        "read_variant": ReadVariant.ReadOnly,
        "deferrable": True,
    }
    for name, value in options.items():
        for method in (direct.begin, direct.transaction):
            with pytest.raises(TypeError):
                await method(**{name: value})
    seen = []
    for given in (options, {"isolation_level": IsolationLevel.RepeatableRead}):
        async with direct.connection.transaction(**given):
            for name in ("isolation", "read_only", "deferrable"):
                seen.append(await direct.select_value(f"SHOW transaction_{name}"))
    assert seen == ["serializable", "on", "on", "repeatable read", "off", "off"]


@proves(
    "An exception rolls back.",
    "`{method}` stays inside this transaction, unlike inside SQLSpec's own:",
    adapter="stock",
)
async def test_a_batch_inside_a_psqlpy_transaction_is_rolled_back(direct, dsn, method) -> None:
    async def fail_in(transaction) -> None:
        async with transaction:
            await getattr(direct, method)(ADD, [(1,), (2,)])
            raise LookupError

    async def left_by(transaction) -> list[int]:
        with pytest.raises(LookupError):
            await fail_in(transaction)
        return committed(dsn)

    assert await left_by(direct.connection.transaction()) == []
    assert await left_by(direct.transaction()) == [1, 2]


@proves(
    "Do not mix the two kinds.",
    "A psqlpy transaction inside `session.{method}()` commits the session's transaction:",
)
async def test_a_psqlpy_transaction_commits_that_of_the_session(direct, dsn, method: str) -> None:
    await getattr(direct, method)()
    assert await direct.select_value("SELECT now() < clock_timestamp()") is True
    await direct.execute(ADD, 7)
    assert committed(dsn) == []
    async with direct.connection.transaction():
        await direct.select_value("SELECT 1")
    assert committed(dsn) == [7]
    with suppress(SQLSpecError):
        await direct.rollback()
    assert committed(dsn) == [7]


@proves("Savepoints are methods of the psqlpy transaction:")
async def test_savepoints_of_a_psqlpy_transaction(direct, dsn) -> None:
    async with direct.connection.transaction() as transaction:
        await transaction.execute(ADD, [1])
        await transaction.create_savepoint("before")
        await transaction.execute(ADD, [2])
        await transaction.rollback_savepoint("before")
        await transaction.execute(ADD, [3])
        await transaction.create_savepoint("after")
        await transaction.release_savepoint("after")
    assert committed(dsn) == [1, 3]
