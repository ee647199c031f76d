"""Into which columns and tables a load goes."""

from __future__ import annotations

import psqlpy_adapter
import pyarrow as pa
import pytest
from copying_tools import rows, stored
from harness import Adapter
from sqlspec.exceptions import (
    DataError,
    SQLSpecError,
)


@pytest.fixture
def adapter() -> Adapter:
    return Adapter("bundled", psqlpy_adapter)


@pytest.mark.usefixtures("items")
@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (pa.table({"id": [1], "colour": ["red"]}), 'has no column "colour"; it has id, name'),
        (pa.Table.from_arrays([pa.array([1])] * 2, ["id", "id"]), 'two columns "id"'),
        (pa.table({}), "no columns"),
    ],
)
async def test_columns_that_do_not_match_are_refused(session, source, reason):
    with pytest.raises(DataError, match=reason):
        await session.load_from_arrow("items", source)
    await session.load_from_arrow("items", rows(1))  # the connection is as good as before


async def test_a_generated_column_is_refused(session):
    await session.execute_script(
        "CREATE TABLE sums (a int, b int GENERATED ALWAYS AS (a + 1) STORED)"
    )
    with pytest.raises(DataError, match='column "b" of "sums" is generated'):
        await session.load_from_arrow("sums", pa.table({"a": [1], "b": [2]}))
    await session.load_from_arrow("sums", pa.table({"a": [1]}))
    assert await stored(session, "a, b", "sums") == [(1, 2)]


async def test_names_are_quoted_and_found_by_the_search_path(session):
    await session.execute_script(
        'CREATE SCHEMA "My schema"; CREATE TABLE "My schema"."a.b" ("Id ""x" int8, "select" text);'
        'SET search_path TO "My schema", public'
    )
    source = pa.table({'Id "x': [1], "select": ["y"]})
    await session.load_from_arrow('"a.b"', source)
    await session.load_from_arrow('"My schema"."a.b"', source, overwrite=True)
    assert await stored(session, "*", '"a.b"') == [(1, "y")]


async def test_an_identity_column_takes_the_given_values(session):
    await session.execute_script(
        "CREATE TABLE things (id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text)"
    )
    await session.load_from_arrow("things", rows(10, 20))
    await session.load_from_arrow("things", rows(20, 30), on_conflict="nothing")
    assert await stored(session, "id", "things") == [10, 20, 30]


async def test_partitions_views_and_row_security_take_rows(session):
    await session.execute_script(
        "CREATE TABLE parts (id int8, name text) PARTITION BY HASH (id);"
        "CREATE TABLE part PARTITION OF parts FOR VALUES WITH (MODULUS 1, REMAINDER 0);"
        "CREATE VIEW seen AS SELECT id, name FROM parts;"
        "CREATE ROLE loader; GRANT ALL ON SCHEMA public TO loader;"
        "CREATE TABLE secured (id int8, name text); GRANT ALL ON secured TO loader;"
        "ALTER TABLE secured ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY small ON secured USING (id < 10)"
    )
    await session.load_from_arrow("parts", rows(1))
    await session.load_from_arrow("seen", rows(2))
    assert await stored(session, "id", "parts") == [1, 2]
    await session.execute_script("SET ROLE loader")
    await session.load_from_arrow("secured", rows(3))
    with pytest.raises(SQLSpecError, match="row-level security"):
        await session.load_from_arrow("secured", rows(30))
    assert await stored(session, "id", "secured") == [3]
    await session.execute_script("RESET ROLE; DROP OWNED BY loader; DROP ROLE loader")


async def test_a_missing_table_leaves_the_connection_usable(session):
    with pytest.raises(SQLSpecError, match='relation "nowhere" does not exist'):
        await session.load_from_arrow("nowhere", rows(1))
    assert await session.select_value("SELECT 1") == 1


@pytest.mark.usefixtures("items")
async def test_a_read_only_transaction_is_refused(session):
    await session.execute_script("SET default_transaction_read_only = on")
    with pytest.raises(SQLSpecError, match="read-only"):
        await session.load_from_arrow("items", rows(1))
    await session.execute_script("SET default_transaction_read_only = off")
    await session.load_from_arrow("items", rows(1))


@pytest.mark.usefixtures("items")
async def test_a_lock_that_times_out_leaves_the_connection_usable(config, session):
    await session.execute_script("SET lock_timeout = '50ms'")
    async with config.provide_session() as other:
        await other.begin()
        await other.execute("LOCK TABLE items IN EXCLUSIVE MODE")
        with pytest.raises(SQLSpecError, match="lock timeout"):
            await session.load_from_arrow("items", rows(1))
        await other.rollback()
    await session.load_from_arrow("items", rows(1))
    assert await stored(session) == [1]
