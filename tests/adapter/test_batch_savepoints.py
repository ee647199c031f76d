"""The savepoint around an INSERT that is sent as a COPY or over arrays."""

from __future__ import annotations

import psqlpy_adapter
import pytest
from harness import Adapter
from psqlpy_adapter import copy_insert
from sqlspec.exceptions import SQLSpecError

INSERT = "INSERT INTO t VALUES ($1, $2)"
UPSERT = f"{INSERT} ON CONFLICT (a) DO UPDATE SET b = excluded.b"
WAYS = pytest.mark.parametrize("statement", [INSERT, UPSERT], ids=["copy", "arrays"])
SETS = [(n, str(n)) for n in range(30)]


@pytest.fixture
def adapter() -> Adapter:
    return Adapter("bundled", psqlpy_adapter)


@pytest.fixture
async def table(session, monkeypatch):
    monkeypatch.setattr(copy_insert, "SETS", 1)
    await session.execute_script("CREATE TABLE t (a int PRIMARY KEY, b text)")


@pytest.mark.usefixtures("table")
@WAYS
async def test_a_batch_inside_a_transaction_leaves_no_savepoint(session, statement):
    await session.begin()
    await session.execute_many(statement, SETS)
    with pytest.raises(SQLSpecError) as failure:
        await session.execute_script("RELEASE psqlpy_adapter")
    assert failure.value.sqlstate == "3B001"
    await session.rollback()
    assert await session.select_value("SELECT count(*) FROM t") == 0


@pytest.mark.usefixtures("table")
@WAYS
async def test_a_batch_of_its_own_is_stored_and_leaves_no_transaction(session, dsn, statement):
    await session.execute_many(statement, SETS)
    config = psqlpy_adapter.PsqlpyConfig(connection_config={"dsn": dsn})
    async with config.provide_session() as other:
        assert await other.select_value("SELECT count(*) FROM t") == len(SETS)
    await config.close_pool()
    first, second = [await session.select_value("SELECT txid_current()") for _ in range(2)]
    assert first != second
