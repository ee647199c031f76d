"""A load of rows whose keys are there already."""

from __future__ import annotations

import psqlpy_adapter
import pyarrow as pa
import pytest
from copying_tools import rows, stored
from harness import Adapter
from sqlspec.exceptions import (
    ImproperConfigurationError,
    UniqueViolationError,
)


@pytest.fixture
def adapter() -> Adapter:
    return Adapter("bundled", psqlpy_adapter)


@pytest.mark.usefixtures("items")
async def test_on_conflict_update_writes_the_columns_of_the_source_only(session):
    await session.load_from_arrow("items", rows(1, 2, email=["a", "b"]))
    job = await session.load_from_arrow("items", rows(2, 3), on_conflict="update")
    assert await stored(session, "id, name, email") == [
        (1, "item 1", "a"),
        (2, "item 2", "b"),
        (3, "item 3", None),
    ]
    assert job.telemetry["rows_processed"] == 2
    assert job.telemetry["extra"] == {"rows_written": 2}


@pytest.mark.usefixtures("items")
async def test_on_conflict_nothing_keeps_the_rows_that_are_there(session):
    await session.load_from_arrow("items", rows(1, email=["old"]))
    source = rows(1, 2, 2, email=["new", "first", "second"])
    job = await session.load_from_arrow("items", source, on_conflict="nothing")
    assert await stored(session, "id, email") == [(1, "old"), (2, "first")]
    assert job.telemetry["extra"] == {"rows_written": 1}


@pytest.mark.usefixtures("items")
async def test_the_last_row_of_a_key_wins_under_update(session):
    source = rows(1, 2, 1, 1, email=["a", "b", "c", "d"])
    await session.load_from_arrow("items", source, on_conflict="update")
    assert await stored(session, "id, email") == [(1, "d"), (2, "b")]


@pytest.mark.usefixtures("items")
async def test_the_key_can_be_named(session):
    await session.load_from_arrow("items", rows(1, email=["a"]))
    source = rows(7, 8, 9, email=["a", None, None])
    await session.load_from_arrow("items", source, on_conflict=("update", ["email"]))
    assert await stored(session, "id, email") == [(7, "a"), (8, None), (9, None)]


@pytest.mark.usefixtures("items")
async def test_a_conflict_on_another_key_is_an_error(session):
    await session.load_from_arrow("items", rows(1, email=["a"]))
    for action in ("update", "nothing"):
        with pytest.raises(UniqueViolationError):
            await session.load_from_arrow("items", rows(2, email=["a"]), on_conflict=action)


@pytest.mark.usefixtures("items")
@pytest.mark.parametrize(
    ("on_conflict", "reason"),
    [
        ("replace", "'update' or 'nothing'"),
        (("update", "email"), "columns of a unique key"),
        (("update", ["id"], "name"), "columns of a unique key"),
        ((), "columns of a unique key"),
        (("update", []), "no primary key"),
        (("update", ["colour"]), 'no column "colour"'),
        (("update", ["email"]), 'the source has no column "email"'),
    ],
)
async def test_a_wrong_on_conflict_is_refused(session, on_conflict, reason):
    with pytest.raises(ImproperConfigurationError, match=reason):
        await session.load_from_arrow("items", rows(1), on_conflict=on_conflict)


async def test_on_conflict_needs_a_key(session):
    await session.execute_script("CREATE TABLE heap (id int8, name text)")
    with pytest.raises(ImproperConfigurationError, match="the table has no primary key"):
        await session.load_from_arrow("heap", rows(1), on_conflict="update")


async def test_of_keys_with_null_the_last_wins_where_nulls_conflict(session):
    await session.execute_script(
        "CREATE TABLE apart (a int, b int, n int, UNIQUE (a, b));"
        "CREATE TABLE alike (a int, b int, n int, UNIQUE NULLS NOT DISTINCT (b, a) INCLUDE (n))"
    )
    source = pa.table({"a": [1, 1], "b": pa.array([None, None], pa.int32()), "n": [1, 2]})
    for table, expected in (("apart", [1, 1, 2, 2]), ("alike", [2])):
        for _ in range(2):
            await session.load_from_arrow(table, source, on_conflict=("update", ["a", "b"]))
        assert await stored(session, "n", table) == expected


async def test_keys_that_rounding_makes_equal_are_one(session):
    await session.execute_script("CREATE TABLE prices (p numeric(5,2) PRIMARY KEY, n int)")
    source = pa.table({"p": [1.001, 1.002], "n": [1, 2]})  # floats: the server reads their text
    await session.load_from_arrow("prices", source, on_conflict="update")
    assert await stored(session, "p::text, n", "prices") == [("1.00", 2)]


@pytest.mark.usefixtures("items")
async def test_a_row_of_nothing_but_its_key_can_be_merged(session):
    await session.execute_script("ALTER TABLE items ALTER name DROP NOT NULL")
    source = pa.table({"id": [1, 1, 2]})
    for _ in range(2):
        await session.load_from_arrow("items", source, on_conflict="update")
    assert await stored(session) == [1, 2]
