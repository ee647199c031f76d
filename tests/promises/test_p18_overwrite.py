"""P18: `overwrite=True` replaces the rows, or leaves them as they were."""

from __future__ import annotations

import asyncio

import pyarrow as pa
import pytest
from apart import apart
from harness import Breaks, promise
from observing import until_asleep
from sqlspec.exceptions import SQLSpecError, UniqueViolationError


@pytest.fixture
async def items(session):
    await session.execute_script(
        "CREATE TABLE items (id int8 PRIMARY KEY, name text NOT NULL);"
        "INSERT INTO items VALUES (1, 'old'), (2, 'old')"
    )


async def ids(session) -> list[int]:
    return [row["id"] for row in await session.select("SELECT id FROM items ORDER BY id")]


def rows(*ids: int, name: str | None = "new") -> pa.Table:
    return pa.table({"id": ids, "name": pa.array([name] * len(ids), pa.string())})


@promise("P18", stock=None)
async def test_the_old_rows_are_replaced(adapter, session, items):
    await session.load_from_arrow("items", rows(3, 4, 5), overwrite=True)
    assert await ids(session) == [3, 4, 5]


@promise("P18", stock=Breaks(AssertionError))
@pytest.mark.parametrize("bad", [rows(3, 3), rows(3, name=None)])
async def test_a_load_that_the_server_refuses_leaves_the_old_rows(adapter, session, items, bad):
    with pytest.raises(SQLSpecError):
        await session.load_from_arrow("items", bad, overwrite=True)
    assert await ids(session) == [1, 2]


@promise("P18", stock=Breaks(AssertionError))
async def test_values_that_do_not_fit_leave_the_old_rows(adapter, session, items):
    bad = pa.table({"id": ["three"], "name": ["new"]})
    with pytest.raises(Exception, match=r"three|str"):  # TypeError from the stock adapter
        await session.load_from_arrow("items", bad, overwrite=True)
    assert await ids(session) == [1, 2]


@promise("P18", stock=Breaks(SQLSpecError, "current transaction is aborted"))
async def test_a_failed_load_leaves_the_callers_transaction_usable(adapter, session, items):
    await session.begin()
    await session.execute("INSERT INTO items VALUES (7, 'mine')")
    with pytest.raises(UniqueViolationError):
        await session.load_from_arrow("items", rows(3, 3), overwrite=True)
    await session.execute("INSERT INTO items VALUES (8, 'mine')")
    await session.commit()
    assert await ids(session) == [1, 2, 7, 8]


@promise("P18", stock=Breaks(AssertionError))
async def test_other_sessions_never_see_the_table_empty(adapter, config, session, items):
    seen: set[int] = set()

    async def watch(other) -> None:
        while True:
            seen.add(await other.select_value("SELECT count(*) FROM items"))
            await asyncio.sleep(0)

    async with config.provide_session() as other:
        watcher = asyncio.create_task(watch(other))
        for _ in range(200):
            await session.load_from_arrow("items", rows(3, 4, 5), overwrite=True)
        watcher.cancel()
        await asyncio.wait([watcher])
    assert seen <= {2, 3}


@promise("P18", stock=Breaks(AssertionError))
@apart
async def test_a_cancelled_overwrite_leaves_the_old_rows(adapter, dsn, config):
    async with config.provide_session() as session, config.provide_session() as other:
        await session.execute_script(
            "CREATE TABLE slow (n bigint); INSERT INTO slow VALUES (-1);"
            "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$;"
            "CREATE TRIGGER wait BEFORE INSERT ON slow FOR EACH ROW EXECUTE FUNCTION wait()"
        )
        pid = await session.select_value("SELECT pg_backend_pid()")
        source = pa.table({"n": list(range(20))})
        load = asyncio.create_task(session.load_from_arrow("slow", source, overwrite=True))
        await until_asleep(other, pid)
        load.cancel()
        await asyncio.wait([load])
        assert await other.select("SELECT n FROM slow") == [{"n": -1}]


@promise("P18", stock=Breaks(AssertionError))
async def test_a_table_that_a_foreign_key_references_is_left_with_the_reason(
    adapter, session, items
):
    await session.execute_script(
        "CREATE TABLE orders (item int8 REFERENCES items); INSERT INTO orders VALUES (1)"
    )
    with pytest.raises(SQLSpecError) as raised:
        await session.load_from_arrow("items", rows(1, 3), overwrite=True)
    # Not stock's ForeignKeyViolationError: TRUNCATE is refused whatever the new rows are.
    assert type(raised.value) is SQLSpecError
    assert raised.value.sqlstate == "0A000"
    assert "load with on_conflict='update'" in str(raised.value)
    assert await ids(session) == [1, 2]
    await session.load_from_arrow("items", rows(1, 3), on_conflict="update")
    assert await ids(session) == [1, 2, 3]
