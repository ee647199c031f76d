"""When an INSERT of parameters is a COPY: it stores, and is refused, as the INSERT is."""

from __future__ import annotations

import asyncio
import datetime
import decimal
import sys

import psqlpy_adapter
import pytest
from fault_tools import DEADLINE
from harness import Adapter
from psqlpy_adapter import array_insert, copy_insert
from psqlpy_adapter.batch_insert import batch_insert
from sqlspec.exceptions import SQLSpecError

MINUS_TWO = datetime.timezone(datetime.timedelta(hours=-2))


@pytest.fixture
def adapter() -> Adapter:
    return Adapter("bundled", psqlpy_adapter)


@pytest.fixture
def copied(monkeypatch):
    """The outcome of each `copy_at_once`; few sets are enough for it."""
    outcomes = []
    real = array_insert.copy_at_once

    async def spy(*arguments, **options):
        outcomes.append(await real(*arguments, **options))
        return outcomes[-1]

    monkeypatch.setattr(array_insert, "copy_at_once", spy)
    monkeypatch.setattr(copy_insert, "SETS", 1)
    monkeypatch.setattr(copy_insert, "SETS_ONE_BY_ONE", 1)
    return outcomes


async def until_blocked(owner):
    """Wait until another session waits for the table that the owner has locked."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 't'::regclass"
    async with asyncio.timeout(DEADLINE):
        while not await owner.select_value(waiting):
            pass  # every look is a round trip, in which the other tasks go on


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


async def test_columns_are_found_by_the_names_that_the_statement_means(session, copied):
    table = '"S p"."T ""x"" t"'
    await session.execute_script(f"""
        CREATE SCHEMA "S p"; CREATE TABLE {table} (gone int, "A b" int, ß text, c text);
        ALTER TABLE {table} DROP gone;
    """)
    sets = [(n, "ß", "c") for n in range(20)]
    await session.execute_many(f'INSERT INTO {table} ("A b", ß, C) VALUES ($1, $2, $3)', sets)
    await session.execute_many(f"INSERT INTO {table} VALUES ($1, $2, $3)", sets)
    turned = [(c, n) for n, _, c in sets]
    await session.execute_many(f'INSERT INTO {table} (c, "A b") VALUES ($1, $2)', turned)
    assert copied == [20, 20, 20]
    counts = f'SELECT count("A b") AS n, count(ß) AS s, count(c) AS c FROM {table}'
    assert await session.select_one(counts) == {"n": 60, "s": 40, "c": 60}


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


@pytest.mark.parametrize(
    ("broken", "sqlstate"),
    [
        ((None, 1), "23502"),
        ((3, 1), "23505"),
        ((-1, 1), "23514"),
        ((99, 7), "23503"),
    ],
)
async def test_a_broken_constraint_is_the_error_that_an_insert_raises(
    session, copied, monkeypatch, broken, sqlstate
):
    await session.execute_script("""
        CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1);
        CREATE TABLE t (id int PRIMARY KEY CHECK (id >= 0), parent int REFERENCES parent);
    """)
    sets = [*((n, 1) for n in range(20)), broken]
    errors = []
    for least in (1, sys.maxsize):
        monkeypatch.setattr(copy_insert, "SETS", least)
        with pytest.raises(SQLSpecError) as caught:
            await session.execute_many("INSERT INTO t (id, parent) VALUES ($1, $2)", sets)
        errors.append((type(caught.value), caught.value.sqlstate))
    assert errors[0] == errors[1]
    assert errors[0][1] == sqlstate
    assert await session.select_value("SELECT count(*) FROM t") == 0
    assert copied == [None]  # the first raised


async def test_a_failure_in_a_transaction_leaves_it_to_its_owner(session, copied):
    await session.execute("CREATE TABLE t (id int PRIMARY KEY)")
    await session.begin()
    await session.execute("INSERT INTO t VALUES (100)")
    with pytest.raises(SQLSpecError):
        await session.execute_many("INSERT INTO t (id) VALUES ($1)", [(n % 19,) for n in range(20)])
    await session.rollback()
    assert await session.select_value("SELECT count(*) FROM t") == 0
    await session.execute_many("INSERT INTO t (id) VALUES ($1)", [(n,) for n in range(20)])
    assert copied == [20]


async def test_defaults_and_sequences_number_the_rows_in_their_order(session, copied):
    await session.execute("""
        CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, n int, twice int GENERATED ALWAYS
            AS (n * 2) STORED, at timestamptz DEFAULT now(), note text DEFAULT 'none')
    """)
    await session.execute_many("INSERT INTO t (n) VALUES ($1)", [(n,) for n in range(20)])
    assert copied == [20]
    wrong = "SELECT count(*) FROM t WHERE (id, twice, note) <> (n + 1, n * 2, 'none') OR at IS NULL"
    assert await session.select_value(wrong) == 0


@pytest.mark.parametrize("column", ["id", "twice"])
async def test_a_column_that_the_server_fills_in_is_refused_as_by_an_insert(
    session, copied, column
):
    await session.execute("CREATE TABLE t (id int, twice int, n int)")
    insert = f"INSERT INTO t ({column}, n) VALUES ($1, $2)"
    sets = [(n, n) for n in range(20)]
    await session.execute_many(insert, sets)
    # The statement is known: the server is not asked again before it is sent.
    await session.execute_script("""
        DELETE FROM t; ALTER TABLE t ALTER id SET NOT NULL;
        ALTER TABLE t ALTER id ADD GENERATED ALWAYS AS IDENTITY;
        ALTER TABLE t DROP twice; ALTER TABLE t ADD twice int GENERATED ALWAYS AS (n * 2) STORED;
    """)
    with pytest.raises(SQLSpecError) as caught:
        await session.execute_many(insert, sets)
    assert caught.value.sqlstate == "428C9"
    assert await session.select_value("SELECT count(*) FROM t") == 0
    assert copied[0] == 20
    assert set(copied[1:]) <= {None}


async def test_a_column_of_another_type_since_the_last_batch_is_filled(session, copied):
    await session.execute("CREATE TABLE t (n int)")
    insert = "INSERT INTO t (n) VALUES ($1)"
    await session.execute_many(insert, [(n,) for n in range(20)])
    for type_ in ("bigint", "numeric", "text"):
        await session.execute(f"ALTER TABLE t ALTER n TYPE {type_}")
        number = "7" if type_ == "text" else 7
        await session.execute_many(insert, [(number,)] * 20)
    await session.execute("DROP TABLE t")
    await session.execute("CREATE TABLE t (other int, n int)")
    await session.execute_many(insert, [(n,) for n in range(20)])
    assert await session.select_value("SELECT count(n) FROM t") == 20


async def test_the_right_to_some_columns_is_enough(session, copied):
    await session.execute_script("""
        CREATE TABLE t (id int, secret int); CREATE ROLE writer;
        GRANT INSERT (id) ON t TO writer; SET ROLE writer
    """)
    try:
        for ending in (session.commit, session.rollback):
            await session.begin()
            await session.execute_many("INSERT INTO t (id) VALUES ($1)", [(1,)] * 20)
            await ending()
        assert copied == [None, None]
    finally:
        await session.execute_script("RESET ROLE; DROP OWNED BY writer; DROP ROLE writer")
    assert await session.select_value("SELECT count(*) FROM t") == 20


async def test_in_a_read_only_transaction_the_error_is_that_of_an_insert(session, copied):
    await session.execute_script("CREATE TABLE t (n int); CREATE TEMPORARY TABLE mine (n int)")
    await session.execute_script("BEGIN; SET TRANSACTION READ ONLY")
    sets = [(1,)] * 20
    assert (await session.execute_many("INSERT INTO mine VALUES ($1)", sets)).rows_affected == 20
    with pytest.raises(SQLSpecError) as caught:
        await session.execute_many("INSERT INTO t VALUES ($1)", sets)
    assert caught.value.sqlstate == "25006"
    await session.rollback()
    assert copied == [None, None]


async def test_a_locked_table_is_waited_for_no_longer_than_lock_timeout(session, copied, config):
    await session.execute("CREATE TABLE t (n int)")
    insert, sets = "INSERT INTO t (n) VALUES ($1)", [(n,) for n in range(20)]
    async with config.provide_session() as other:
        await other.begin()
        await other.execute("LOCK TABLE t")
        await session.execute("SET lock_timeout = '50ms'")
        with pytest.raises(SQLSpecError) as caught:
            await session.execute_many(insert, sets)
        assert caught.value.sqlstate == "55P03"
        await session.execute("RESET lock_timeout")
        waiting = asyncio.ensure_future(session.execute_many(insert, sets))
        await until_blocked(other)
        await other.commit()
        assert (await waiting).rows_affected == 20
    assert copied == [20]


async def test_a_table_that_begins_to_do_things_of_its_own_while_it_is_waited_for_is_noticed(
    session, copied, config
):
    await session.execute_script("""
        CREATE TABLE t (n int); CREATE TABLE log (n int);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN INSERT INTO log VALUES (1); RETURN NULL; END';
    """)
    async with config.provide_session() as other:
        await other.begin()
        await other.execute("CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION note()")
        insert = session.execute_many("INSERT INTO t (n) VALUES ($1)", [(n,) for n in range(20)])
        waiting = asyncio.ensure_future(insert)
        await until_blocked(other)
        await other.commit()
        await waiting
    assert copied == [None]
    assert await session.select_value("SELECT count(*) FROM log") == 20


async def test_many_sets_of_arrays_are_copied(session, copied, monkeypatch):
    monkeypatch.setattr(copy_insert, "SETS", sys.maxsize)
    await session.execute("CREATE TABLE t (n int, tags text[])")
    sets = [(n, [f"tag {n}", None]) for n in range(20)]
    await session.execute_many("INSERT INTO t (n, tags) VALUES ($1, $2)", sets)
    assert copied == [20]
    assert await session.select_value("SELECT tags FROM t WHERE n = 7") == ["tag 7", None]
