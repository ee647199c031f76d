"""Proofs of references/bulk-loading.md: explicit ids, upserts, dictionaries and JSON."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyDriver
from sqlspec.exceptions import (
    DataError,
    ImproperConfigurationError,
    SQLSpecError,
    UniqueViolationError,
)


@proves(
    "COPY with ids of your own does not advance the column's sequence, so a later INSERT collides:",
    "Set the sequence in the same transaction as the load:",
)
async def test_explicit_ids(session: PsqlpyDriver) -> None:
    await session.execute("CREATE TEMP TABLE numbered (id serial PRIMARY KEY, name text)")
    insert = "INSERT INTO numbered (name) VALUES ('new') RETURNING id"
    await session.load_from_arrow("numbered", pa.table({"id": [1, 2]}))
    with pytest.raises(UniqueViolationError):
        await session.select_value(insert)
    async with session.transaction():
        await session.load_from_arrow("numbered", pa.table({"id": [3, 4, 9]}))
        await session.select_value(
            "SELECT setval(pg_get_serial_sequence('numbered', 'id'), "
            "(SELECT max(id) FROM numbered))"
        )
    assert await session.select_value(insert) == 10


@proves(
    "COPY has no `{clause}`.",
    "Copy into a temporary table, then merge, in one transaction:",
    "Two rows with the same key in one batch fail; select them with `{distinct}`:",
)
async def test_upserts(dsn: str, session: PsqlpyDriver, clause: str, distinct: str) -> None:
    await session.execute("CREATE TEMP TABLE upserted (email text PRIMARY KEY, name text)")
    with psycopg.connect(dsn) as connection, pytest.raises(psycopg.errors.SyntaxError):
        connection.execute(f"COPY users FROM STDIN {clause} DO NOTHING")
    await session.execute("INSERT INTO upserted VALUES ('a', 'old')")
    source = pa.table({"email": ["a", "b"], "name": ["new", "new"]})
    with pytest.raises(UniqueViolationError):
        await session.load_from_arrow("upserted", source)

    upsert = (
        f"INSERT INTO upserted SELECT {{}} email, name FROM incoming ORDER BY email, name DESC "
        f"{clause} (email) DO UPDATE SET name = excluded.name"
    )
    create = "CREATE TEMP TABLE incoming (email text, name text) ON COMMIT DROP"
    twice = pa.table({"email": ["a", "a", "c"], "name": ["A", "B", "C"]})
    for table, columns, count in ((source, "", 2), (source, "", 2), (twice, distinct, 2)):
        async with session.transaction():
            await session.execute(create)
            await session.load_from_arrow("incoming", table)
            assert (await session.execute(upsert.format(columns))).rows_affected == count
    await session.begin()
    await session.execute(create)
    await session.load_from_arrow("incoming", twice)
    with pytest.raises(SQLSpecError, match="cannot affect row a second time"):
        await session.execute(upsert.format(""))
    await session.rollback()
    found = await session.select("SELECT email, name FROM upserted ORDER BY email")
    assert [tuple(row.values()) for row in found] == [("a", "B"), ("b", "new"), ("c", "C")]


@proves("It wants at least {number} record, and the same keys in all.")
async def test_what_records_must_be(session: PsqlpyDriver, number: int) -> None:
    await session.execute("CREATE TEMP TABLE keyed (a int, b int)")
    record = {"a": 1, "b": 2}
    await session.load_from_records("keyed", [record] * number)
    for wrong in ([record] * (number - 1), [record, {"a": 1}], [{"a": 1}, record]):
        with pytest.raises(ImproperConfigurationError):
            await session.load_from_records("keyed", wrong)
    assert await session.select("SELECT a, b FROM keyed") == [record]


@proves(
    "Dicts for a `{column}` column become an Arrow struct.",
    "All rows then get the keys of all rows, and mixed types fail.",
    "Dump them to text: text for a `{other}` or `{column_again}` column is parsed.",
    "JSON text that is a string, a number, true, false or null is refused; insert those with "
    "`{cast}`.",
    adapter="stock",
)
async def test_documents(
    session: PsqlpyDriver, column: str, other: str, column_again: str, cast: str
) -> None:
    assert (column, other) == (column_again, "json")
    for kind in (column, other):
        table = f"documents_{kind}"

        async def loaded(*documents: Any, table: str = table) -> list[Any]:
            await session.execute(f"TRUNCATE {table}")
            await session.load_from_records(table, [{"v": document} for document in documents])
            rows = await session.select(f"SELECT v::text AS v FROM {table}")
            return [json.loads(row["v"]) for row in rows]

        await session.execute(f"CREATE TEMP TABLE {table} (v {kind})")
        structs = await loaded({"a": 1}, {"b": 2})
        assert structs == [{"a": 1, "b": None}, {"a": None, "b": 2}]
        texts = [{"a": 1}, {"b": "2"}, [1, "x"], {"a": "one"}]
        with pytest.raises(pa.ArrowInvalid):
            await loaded({"a": 1}, {"a": "one"})
        assert await loaded(*map(json.dumps, texts)) == texts
        for scalar in ("red", 1.5, True, False, None):
            with pytest.raises(DataError):
                await loaded(json.dumps(scalar))
            insert = f"INSERT INTO {table} VALUES ({cast}) RETURNING v::text"
            for _ in range(2):
                assert await session.select_value(insert, json.dumps(scalar)) == json.dumps(scalar)
        await session.execute(f"DROP TABLE {table}")


@proves("A table that a foreign key refers to cannot be truncated; upsert instead.")
async def test_a_table_that_is_referred_to(session: PsqlpyDriver) -> None:
    one = pa.table({"id": [1], "name": ["Ada L."]})
    with pytest.raises(SQLSpecError, match="cannot truncate a table referenced"):
        await session.load_from_arrow("users", one, overwrite=True)
    await session.begin()
    await session.execute("CREATE TEMP TABLE incoming (id int, name text) ON COMMIT DROP")
    await session.load_from_arrow("incoming", one)
    upserted = await session.select(
        "INSERT INTO users (id, name) SELECT id, name FROM incoming "
        "ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING id, name"
    )
    assert upserted == [{"id": 1, "name": "Ada L."}]
    await session.rollback()
