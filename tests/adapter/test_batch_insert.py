"""When an INSERT of parameter sets is one statement, and that nobody can tell."""

from __future__ import annotations

import asyncio
import datetime
import decimal
import struct
import sys
import uuid
from dataclasses import dataclass

import numpy as np
import psqlpy_adapter
import pytest
from harness import Adapter
from hypothesis import given
from hypothesis import strategies as st
from psqlpy_adapter import array_insert, batch_columns, copy_insert
from psqlpy_adapter.arrays import array, column
from psqlpy_adapter.batch_insert import batch_insert
from psqlpy_adapter.batches import in_block
from psqlpy_adapter.copying import source
from psqlpy_adapter.types import Catalogue, PgType
from sqlspec.exceptions import DataError, SQLSpecError

UTC = datetime.UTC
INT4 = PgType(23, "pg_catalog", "int4", "b", "int4recv", 1007)
FLOAT8 = PgType(701, "pg_catalog", "float8", "b", "float8recv", 1022)
TEXT = PgType(25, "pg_catalog", "text", "b", "textrecv", 1009)


@pytest.fixture
def adapter() -> Adapter:
    return Adapter("bundled", psqlpy_adapter)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            "INSERT INTO t (a, b) VALUES ($1, $2)",
            "INSERT INTO t (a, b) SELECT batch.p1, batch.p2 FROM {} AS batch ",
        ),
        (
            "insert into s.t values (upper($2), $1::date) on conflict do nothing;",
            "insert into s.t SELECT upper(batch.p2), batch.p1::date FROM {} AS batch"
            "  on conflict do nothing",
        ),
        (
            'INSERT INTO "T" AS x (a, b) VALUES ($1, cast($2 AS numeric(9, 2))) RETURNING x.*',
            'INSERT INTO "T" AS x (a, b) SELECT batch.p1, cast(batch.p2 AS numeric(9, 2))'
            " FROM {} AS batch  RETURNING x.*",
        ),
    ],
)
def test_an_insert_of_one_row_is_told_as_one_of_many(statement, expected):
    insert = batch_insert(statement)
    arrays = (
        '(SELECT unnest($1::"pg_catalog"."int4"[]) AS p1, unnest($2::"pg_catalog"."text"[]) AS p2)'
    )
    assert insert is not None
    assert insert.sql([INT4, TEXT]) == expected.format(arrays)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO t (a) VALUES ($1), ($2)",
        "INSERT INTO t (a) VALUES ($2)",
        "INSERT INTO t (a) SELECT $1",
        "INSERT INTO t DEFAULT VALUES",
        "INSERT INTO t (a, b) VALUES ($1, DEFAULT)",
        "INSERT INTO t (a, b) VALUES ($1, 'text')",
        "INSERT INTO t (a) VALUES (f($1))",
        "INSERT INTO t (a) VALUES (s.lower($1))",
        "INSERT INTO t (a) VALUES (row($1, $2))",
        "INSERT INTO t (a) VALUES (($1, $2))",
        'INSERT INTO t (a) VALUES ("F"($1))',
        "INSERT INTO t (a, b) VALUES ($1, (SELECT max(b) FROM t))",
        "INSERT INTO t (a) VALUES ($1) RETURNING f(a)",
        "INSERT INTO t (a) VALUES ($1) ON CONFLICT (a) DO UPDATE SET b = $2",
        "INSERT INTO t (a) VALUES ($1) ON CONFLICT (a) DO UPDATE SET b = (SELECT count(*) FROM t)",
        "WITH x AS (SELECT 1) INSERT INTO t (a) VALUES ($1)",
        "UPDATE t SET a = $1",
        "INSERT INTO t (a) VALUES ($1",
        "",
    ],
)
def test_an_insert_that_may_mean_something_else_is_left_alone(statement):
    assert batch_insert(statement) is None


@given(st.lists(st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1))))
def test_a_column_of_numbers_is_packed_like_its_values(values):
    binary = Catalogue().binary(INT4)
    fields = [None if value is None else binary(value) for value in values]
    assert column(INT4, values, binary) == array(INT4, fields)


@given(st.lists(st.floats()))
def test_a_column_of_floats_is_packed_like_its_values(values):
    binary = Catalogue().binary(FLOAT8)
    packed = column(FLOAT8, values, binary)
    assert packed == array(FLOAT8, [struct.pack(">d", value) for value in values])


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))))
def test_a_column_of_texts_is_packed_like_its_values(values):
    binary = Catalogue().binary(TEXT)
    assert column(TEXT, values, binary) == array(TEXT, [value.encode() for value in values])


@pytest.fixture(params=["arrays", "copy"])
def way(request, monkeypatch):
    """How an INSERT of parameters is sent; checks that a COPY was tried, and what came of it."""
    outcomes = []
    real = array_insert.copy_at_once

    async def spy(*arguments, **options):
        outcomes.append(await real(*arguments, **options))
        return outcomes[-1]

    monkeypatch.setattr(array_insert, "copy_at_once", spy)
    least = 1 if request.param == "copy" else sys.maxsize
    monkeypatch.setattr(copy_insert, "SETS", least)
    monkeypatch.setattr(copy_insert, "SETS_ONE_BY_ONE", least)
    return Way(request.param, outcomes)


@dataclass
class Way:
    """`copied` has the outcome of each `copy_at_once`: the rows stored, or None."""

    name: str
    copied: list[int | None]

    def was_taken(self) -> bool:
        """Whether each batch so far went the way that the test is about."""
        taken = [(outcome is not None) == (self.name == "copy") for outcome in self.copied]
        return bool(taken) and all(taken)


@pytest.fixture
def seen(monkeypatch):
    """Whether `insert_at_once` did the work, for each call."""
    outcomes = []
    real = psqlpy_adapter.batches.insert_at_once

    async def spy(*arguments, **options):
        outcome = await real(*arguments, **options)
        outcomes.append(outcome is not None)
        return outcome

    monkeypatch.setattr(psqlpy_adapter.batches, "insert_at_once", spy)
    return outcomes


EVERYTHING = {
    "bool": [True, False, None],
    "int2": [1, -(2**15), None],
    "int8": [2**62, None, 0],
    "float4": [0.5, float("inf"), None],
    "numeric(12, 2)": [decimal.Decimal("1.25"), 7, None],
    "varchar(5)": ["abc", "", None],
    "char(3)": ["abc", "xyz", None],
    "bytea": [b"\0x", b"", None],
    "uuid": [uuid.UUID(int=5), None, uuid.UUID(int=6)],
    "date": [datetime.date(2024, 2, 29), None, datetime.date.min],
    "timestamptz": [datetime.datetime(2024, 1, 1, tzinfo=UTC), None, None],
    "interval": [datetime.timedelta(days=1, seconds=2), None, None],
    "jsonb": [{"a": [1, None]}, [], None],
    "inet": ["10.0.0.1/8", None, "::1"],
    "int4range": [None, None, None],
    "mood": ["ok", "sad", None],
}


@pytest.mark.parametrize("name", EVERYTHING)
async def test_every_type_is_stored_as_by_single_statements(session, way, seen, name):
    await session.execute_script(f"""
        CREATE TYPE mood AS ENUM ('ok', 'sad');
        CREATE TABLE one (n int, v {name}); CREATE TABLE many (n int, v {name});
    """)
    values = EVERYTHING[name] * 20
    for number, value in enumerate(values):
        await session.execute("INSERT INTO one (n, v) VALUES ($1, $2)", number, value)
    result = await session.execute_many(
        "INSERT INTO many (n, v) VALUES ($1, $2)", list(enumerate(values))
    )
    assert result.rows_affected == 60
    assert seen == [True]
    if name not in ("inet", "int4range"):  # given as text, or all NULL
        assert way.was_taken()
    same = "SELECT count(*) FROM one JOIN many USING (n) WHERE one.v IS NOT DISTINCT FROM many.v"
    assert await session.select_value(same) == 60


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("int[]", [[1, None], [], None]),
        ("vector(2)", [np.array([1.0, 2.0]), [3, 4], None]),
        ("pair", [(1, "a"), None, (None, None)]),
        ("positive", [1, 2, None]),
    ],
)
async def test_other_types_are_stored_too(session, way, name, values):
    await session.execute_script(f"""
        CREATE TYPE pair AS (a int, b text);
        CREATE DOMAIN positive AS int CHECK (value > 0);
        CREATE TABLE many (n int, v {name});
    """)
    sets = list(enumerate(values * 10))
    result = await session.execute_many("INSERT INTO many (n, v) VALUES ($1, $2)", sets)
    assert result.rows_affected == 30
    assert await session.select_value("SELECT count(v) FROM many") == sum(
        value is not None for _, value in sets
    )
    assert way.was_taken()


@pytest.mark.parametrize(
    "special",
    [
        "CREATE RULE r AS ON INSERT TO t DO ALSO INSERT INTO log VALUES (1)",
        "CREATE TRIGGER g BEFORE INSERT ON t EXECUTE FUNCTION touch()",
        "ALTER TABLE t ADD parent int REFERENCES t (id)",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE t ALTER note SET DEFAULT newest()",
        "ALTER TABLE t ADD CHECK (newest() IS NOT NULL)",
        "ALTER TABLE t RENAME TO base; CREATE VIEW t AS SELECT * FROM base",
    ],
)
async def test_a_table_that_does_things_of_its_own_gets_single_statements(
    session, way, seen, special
):
    await session.execute_script("""
        CREATE TABLE t (id int PRIMARY KEY, note text); CREATE TABLE log (n int);
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE FUNCTION newest() RETURNS text STABLE LANGUAGE sql
        AS 'SELECT coalesce(max(id), 0)::text FROM t';
    """)
    await session.execute_script(special)
    await session.execute_many("INSERT INTO t (id) VALUES ($1)", [(n,) for n in range(20)])
    assert seen == [False]
    assert await session.select_value("SELECT count(*) FROM t") == 20


async def test_a_partitioned_table_and_serial_columns_take_rows_in_order(session, seen):
    await session.execute_script("""
        CREATE TABLE t (n int, id serial) PARTITION BY LIST (n);
        CREATE TABLE odd PARTITION OF t FOR VALUES IN (1);
        CREATE TABLE even PARTITION OF t DEFAULT;
    """)
    sets = [(n % 2,) for n in range(1_000)]
    result = await session.execute_many("INSERT INTO t (n) VALUES ($1) RETURNING n, id", sets)
    assert seen == [True]
    assert result.all() == [{"n": n, "id": id_} for id_, (n,) in enumerate(sets, 1)]


async def test_long_batches_are_sent_in_bounded_messages(session, way, seen, monkeypatch):
    monkeypatch.setattr(batch_columns, "BYTES", 10_000)
    monkeypatch.setattr(source, "SLICE_BYTES", 10_000)
    await session.execute("CREATE TABLE t (n int, v text)")
    sets = [(n, "x" * (n % 300)) for n in range(2_000)]
    insert = "INSERT INTO t (n, v) VALUES ($1, $2)"
    result = await session.execute_many(insert, [*sets, (2_000, "y" * 50_000)])
    assert seen == [True]
    assert result.rows_affected == 2_001
    assert await session.select_value("SELECT sum(length(v)) FROM t WHERE n < 2000") == sum(
        len(text) for _, text in sets
    )


async def test_a_failing_message_takes_the_whole_batch_with_it(session, way, monkeypatch):
    monkeypatch.setattr(batch_columns, "BYTES", 10_000)
    monkeypatch.setattr(source, "SLICE_BYTES", 10_000)
    await session.execute("CREATE TABLE t (n int PRIMARY KEY, v text)")
    sets = [(n, "x" * 100) for n in range(2_000)]
    with pytest.raises(SQLSpecError):
        await session.execute_many("INSERT INTO t (n, v) VALUES ($1, $2)", [*sets, (3, "")])
    assert await session.select_value("SELECT count(*) FROM t") == 0


async def test_a_returning_batch_survives_a_change_of_its_table(session):
    await session.execute("CREATE TABLE t (n int)")
    insert = "INSERT INTO t (n) VALUES ($1) RETURNING *"
    sets = [(n,) for n in range(20)]
    await session.execute_many(insert, sets)
    await session.execute("ALTER TABLE t ADD extra int DEFAULT 3")
    result = await session.execute_many(insert, sets)
    assert result.all() == [{"n": n, "extra": 3} for n in range(20)]


@pytest.mark.parametrize(
    "statement", ["INSERT INTO t (n) VALUES ($1)", "DELETE FROM t WHERE n = $1"]
)
@pytest.mark.parametrize("delay", [0, 0.001, 0.005, 0.02])
async def test_a_cancelled_batch_leaves_nothing_and_a_usable_session(
    session, way, statement, delay
):
    await session.execute_script("CREATE TABLE t (n int); INSERT INTO t VALUES (-1), (5)")
    sets = [(n,) for n in range(5_000)]
    task = asyncio.ensure_future(session.execute_many(statement, sets))
    await asyncio.sleep(delay)
    task.cancel()
    (outcome,) = await asyncio.gather(task, return_exceptions=True)
    kept = await session.select_value("SELECT count(*) FROM t")
    if isinstance(outcome, asyncio.CancelledError):
        assert kept == 2
    else:
        assert kept == 2 + outcome.rows_affected * (1 if "INSERT" in statement else -1)
    assert session.lane.idle
    assert not await in_block(session)


async def test_a_cancelled_batch_in_a_transaction_leaves_it_to_its_owner(session):
    await session.execute("CREATE TABLE t (n int)")
    await session.begin()
    task = asyncio.ensure_future(
        session.execute_many("INSERT INTO t (n) SELECT $1 FROM pg_sleep(0.01)", [(1,)] * 1_000)
    )
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await session.rollback()
    assert await session.select_value("SELECT count(*) FROM t") == 0


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("date", ["2024-02-29", None, "1999-01-01"]),
        ("inet", ["10.0.0.1/8", None, "::1"]),
        ("int4range", ["[1,3)", None, "empty"]),
        ("timestamptz", ["2024-02-29 12:00+02", None, datetime.datetime(2024, 1, 1, tzinfo=UTC)]),
    ],
)
async def test_text_that_only_the_server_can_read_is_stored(session, way, name, values):
    await session.execute(f"CREATE TABLE many (n int, v {name})")
    sets = list(enumerate(values * 20))
    await session.execute_many("INSERT INTO many (n, v) VALUES ($1, $2)", sets)
    assert await session.select_value("SELECT count(v) FROM many") == 40
    first = await session.select_value(f"SELECT v = '{values[0]}' FROM many WHERE n = 30")
    assert first is True


@pytest.mark.parametrize("row", ["row($2::int, $3)", "($2::int, $3)"])
async def test_a_row_becomes_the_composite_type_of_its_column(session, row):
    await session.execute_script("""
        CREATE TYPE pair AS (a int, b text); CREATE TABLE t (n int, p pair);
    """)
    sets = [(n, n, "x") for n in range(20)]
    await session.execute_many(f"INSERT INTO t (n, p) VALUES ($1, {row})", sets)
    assert await session.select_value("SELECT count(*) FROM t WHERE p = (n, 'x')::pair") == 20


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("text", "x", "a\0b"),
        ("text", "x", "\ud800"),
        ("int", "7", "7\0"),
        ("int", "7", "\ud800"),
        ("float4", 0.5, 1e39),
    ],
)
@pytest.mark.parametrize("at", [0, 19])
async def test_a_set_that_does_not_fit_is_named_and_nothing_is_sent(
    session, way, name, good, bad, at
):
    await session.execute(f"CREATE TABLE t (v {name})")
    sets = [(good,)] * 20
    sets[at] = (bad,)
    await session.begin()
    with pytest.raises(DataError, match=rf"^parameter set {at}: parameter \$1: "):
        await session.execute_many("INSERT INTO t (v) VALUES ($1)", sets)
    assert await session.select_value("SELECT count(*) FROM t") == 0  # the transaction goes on
    await session.rollback()


@pytest.mark.parametrize("ending", ["", " ON CONFLICT DO NOTHING", " RETURNING v"])
async def test_a_batch_in_a_transaction_survives_that_a_type_is_made_anew(
    session, way, seen, ending
):
    for _ in range(3):
        await session.execute_script("""
            DROP TYPE IF EXISTS mood CASCADE; DROP TABLE IF EXISTS t;
            CREATE TYPE mood AS ENUM ('ok', 'sad'); CREATE TABLE t (v mood);
        """)
        await session.begin()
        sets = [("ok",)] * 20
        result = await session.execute_many(f"INSERT INTO t (v) VALUES ($1){ending}", sets)
        await session.commit()
        assert result.rows_affected == 20
    assert seen == [True] * 3
