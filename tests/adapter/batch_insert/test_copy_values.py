"""When an INSERT of parameters is a COPY, it stores and refuses the same values."""

from __future__ import annotations

import datetime
import decimal
import sys

import pytest
from psqlpy_adapter import copy_insert
from psqlpy_adapter.batch_insert import batch_insert
from sqlspec.exceptions import SQLSpecError

MINUS_TWO = datetime.timezone(datetime.timedelta(hours=-2))


@pytest.mark.parametrize(
    ("statement", "columns"),
    [
        ("INSERT INTO t (a, b) VALUES ($1, $2)", ("a", "b")),
        ("INSERT INTO t (a, b) VALUES ($2, $1)", ("b", "a")),
        ('INSERT INTO s.t (A, "B ""x""") VALUES ($1, $2);', ("a", 'B "x"')),
        ("INSERT INTO t VALUES ($1, $2)", ()),
    ],
)
def test_an_insert_of_parameters_alone_says_which_column_takes_each(statement, columns):
    insert = batch_insert(statement)
    assert insert is not None
    assert insert.columns == columns


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO t VALUES ($2, $1)",
        "INSERT INTO t (a, b) VALUES ($1, $1)",
        "INSERT INTO t (a, b) VALUES ($1, 7)",
        "INSERT INTO t (a, b) VALUES ($1, $2::date)",
        "INSERT INTO t (a, b) VALUES ($1, lower($2))",
        "INSERT INTO t (a, b) VALUES ($1, ($2))",
        "INSERT INTO t (a[1], b) VALUES ($1, $2)",
        "INSERT INTO t (a.x, b) VALUES ($1, $2)",
        "INSERT INTO t (a) OVERRIDING SYSTEM VALUE VALUES ($1)",
        "INSERT INTO t AS x (a) VALUES ($1)",
        "INSERT INTO t (a) VALUES ($1) RETURNING a",
        "INSERT INTO t (a) VALUES ($1) ON CONFLICT DO NOTHING",
    ],
)
def test_an_insert_of_more_than_parameters_is_no_copy(statement):
    insert = batch_insert(statement)
    assert insert is None or insert.columns is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("varchar(3)", "abc   "),
        ("varchar(3)", "abcd"),
        ("char(3)", "a"),
        ("char(3)", "abcd"),
        ("numeric(4, 1)", decimal.Decimal("12.36")),
        ("numeric(4, 1)", 12345),
        ("timestamp(0)", datetime.datetime(2024, 1, 1, 1, 2, 3, 600_000)),
        ("timestamp", datetime.datetime(2024, 1, 1, tzinfo=MINUS_TWO)),
        ("timestamptz(1)", datetime.datetime(2024, 1, 1, 1, 1, 1, 250_000, tzinfo=MINUS_TWO)),
        ("time(0)", datetime.time(1, 2, 3, 600_000)),
        ("interval(0)", datetime.timedelta(seconds=1, microseconds=600_000)),
        ("date", datetime.datetime(2024, 1, 1, 23, 59)),
        ("float4", 0.1),
        ("float8", 7),
        ("int2", 7),
        ("vector(2)", [1, 2.5]),
        ("vector(2)", [1, 2, 3]),
        ("halfvec(2)", [1, 2]),
        ("varchar(3)[]", ["abc", None]),
        ("varchar(3)[]", ["abcd"]),
        ("numeric(4, 1)[]", [decimal.Decimal("1.25"), None]),
        ("int2vector", [1, 2]),
        ("short", "abc"),
        ("short", "abcd"),
        ("moods", ["sad", "ok"]),
        ("mood", "angry"),
        ("jsonb", "text"),
        ("jsonb", {"a": [1, None]}),
        ("json", {"a": [1, None]}),
        ("uuid", "00000000-0000-0000-0000-000000000001"),
        ("citext", "Abc"),
        ("text", ""),
        ("bytea", b"\0\xff"),
        ("point", (1.0, 2.0)),
    ],
)
async def test_a_value_is_stored_or_refused_as_by_an_insert(session, copied, name, value):
    await session.execute_script(f"""
        CREATE EXTENSION IF NOT EXISTS citext; SET TIME ZONE 'Asia/Tokyo';
        CREATE DOMAIN short AS text CHECK (length(value) <= 3);
        CREATE TYPE mood AS ENUM ('ok', 'sad'); CREATE DOMAIN moods AS mood[];
        CREATE TABLE one (v {name}); CREATE TABLE many (v {name});
    """)

    async def outcome(table, sets):
        try:
            await session.execute_many(f"INSERT INTO {table} (v) VALUES ($1)", sets)
        except SQLSpecError as error:
            return type(error), error.sqlstate
        return await session.select_value(f"SELECT min(v::text) FROM {table}")

    assert await outcome("many", [(value,)] * 20) == await outcome("one", [(value,)])


async def test_many_sets_of_arrays_are_copied(session, copied, monkeypatch):
    monkeypatch.setattr(copy_insert, "SETS", sys.maxsize)
    await session.execute("CREATE TABLE t (n int, tags text[])")
    sets = [(n, [f"tag {n}", None]) for n in range(20)]
    await session.execute_many("INSERT INTO t (n, tags) VALUES ($1, $2)", sets)
    assert copied == [20]
    assert await session.select_value("SELECT tags FROM t WHERE n = 7") == ["tag 7", None]
