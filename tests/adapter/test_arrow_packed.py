"""Arrow tables of rows that the server packed: the same as those that are read row by row."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import packed_tools
import psqlpy_adapter
import pyarrow as pa
import pytest
from harness import Adapter
from packed_tools import latin1, make_table
from psqlpy_adapter import arrow_selecting, packed_select
from psqlpy_adapter.packing import Packing
from sqlspec.exceptions import DataError, QueryTimeoutError, SQLSpecError

ROWS = 40
VALUES = {
    **packed_tools.VALUES,
    "char(4)": ["ab", "", "äöü"],
    "bytea": ["\\x", "\\x00ff", "\\x616263"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"],
    "time": ["00:00", "23:59:59.999999"],
    "numeric": ["1.10", "-0.001", "12345678901234567890"],
    "numeric(6, 2)": ["1.1", "0"],
    "vector(3)": ["[1,2,3]", "[0,-0.5,1e-3]"],
    "vector": ["[1,2]", "[3,4]"],
}
UNUSUAL = {
    "date": ["infinity", "0044-03-15 BC"],
    "time": ["24:00"],
    "timestamp": ["-infinity"],
    "timestamptz": ["10000-01-01 00:00+00"],
    "numeric": ["NaN"],
    "vector": ["[1]", "[1,2]"],
}


@pytest.fixture
def adapter() -> Adapter:
    return Adapter("bundled", psqlpy_adapter)


@dataclass
class Tables:
    """`done` says of each SELECT that was packed whether its table was used."""

    monkeypatch: pytest.MonkeyPatch
    done: list[bool] = field(default_factory=list)

    async def both(self, session, *query):
        """The table as the server packed it, or as it is, and the one that was read by rows."""
        self.monkeypatch.setattr(arrow_selecting, "FEW", -1)
        table = (await session.select_to_arrow(*query)).get_data()
        self.monkeypatch.setattr(arrow_selecting, "FEW", 10**9)
        rows = (await session.select_to_arrow(*query)).get_data()
        return table, rows


@pytest.fixture
def packing(monkeypatch):
    found = Tables(monkeypatch)
    real = Packing.answer

    async def spy(*arguments):
        table = await real(*arguments)
        found.done.append(table is not None)
        return table

    monkeypatch.setattr(Packing, "answer", spy)
    return found


@pytest.fixture
async def table(session):
    await make_table(session, "packed", ROWS, VALUES)


def same(table: pa.Table, rows: pa.Table) -> bool:
    """Whether schema and values are the same; NaN is what it is."""
    return table.schema == rows.schema and repr(table.to_pylist()) == repr(rows.to_pylist())


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("column", "abc")
@pytest.mark.parametrize(("number", "kind"), list(enumerate(VALUES)), ids=str)
async def test_a_type_gives_the_same_array(session, packing, number, kind, column):
    for rows in ("", " LIMIT 1", " LIMIT 0"):
        query = f"SELECT {column}{number} AS v, id FROM packed ORDER BY id{rows}"
        table, expected = await packing.both(session, query)
        assert same(table, expected), (table, expected)
    # Nobody knows the length of vectors of which there are none.
    assert packing.done[0] == ("vector" not in kind or column != "c")
    assert packing.done[-1] == ("vector" not in kind)


@pytest.mark.usefixtures("table")
async def test_all_columns_at_once_are_the_same(session, packing):
    names = [f"{column}{n}" for column in "ab" for n in range(len(VALUES))]
    query = f"SELECT {', '.join(names)} FROM packed ORDER BY id DESC"
    table, expected = await packing.both(session, query)
    assert same(table, expected)
    assert packing.done == [True]
    table.validate(full=True)


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, texts in UNUSUAL.items() for text in texts]
)
async def test_what_has_no_array_of_its_own_is_as_it_is_by_rows(session, packing, kind, text):
    usual = VALUES.get(kind, ["[1,2]"])[0]
    query = f"SELECT v::text::{kind} AS v FROM (VALUES ('{usual}'), ('{text}')) AS t (v)"
    outcomes = []
    for few in (-1, 10**9):
        packing.monkeypatch.setattr(arrow_selecting, "FEW", few)
        try:
            found = (await session.select_to_arrow(query)).get_data()
            outcomes.append((found.schema, repr(found.to_pylist())))
        except DataError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id, name FROM users ORDER BY id DESC;",
        "SELECT id, name FROM users WHERE id > $1 ORDER BY id -- the end",
        "SELECT 1 AS x, name AS x FROM users ORDER BY 2",
        'SELECT id AS "A b", id + 1, id + 2 FROM users ORDER BY 1 LIMIT 2 OFFSET 1',
        "SELECT DISTINCT age FROM users UNION ALL SELECT id FROM users ORDER BY 1",
        "SELECT u.id, count(*) FROM users u JOIN users o ON o.id >= u.id GROUP BY u.id ORDER BY 1",
    ],
)
async def test_a_query_of_any_shape_gives_the_same_table(session, packing, query):
    values = (1,) if "$1" in query else ()
    table, expected = await packing.both(session, query, *values)
    assert table.num_rows > 0
    assert same(table, expected)
    assert packing.done == [True]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT nextval('numbers') AS n, id FROM users",
        "SELECT id FROM users FOR UPDATE",
        "SELECT id FROM seen",
        "SELECT id, '{}'::jsonb AS j FROM users",
        "SELECT id, ARRAY[id] AS a FROM users",
        "WITH u AS (SELECT id FROM users) SELECT id FROM u",
        "INSERT INTO users (name, email) VALUES ('x', 'x@example.com') RETURNING id",
        "SELECT",
        f"SELECT {', '.join(f'{n} AS c{n}' for n in range(64))}",
    ],
)
async def test_what_leaves_a_trace_or_has_other_types_is_run_once_by_rows(session, packing, query):
    await session.execute_script("CREATE SEQUENCE numbers; CREATE VIEW seen AS SELECT * FROM users")
    packing.monkeypatch.setattr(arrow_selecting, "FEW", -1)
    found = await session.select_to_arrow(query)
    assert packing.done == []
    if "nextval" in query:
        assert found.get_data()["n"].to_pylist() == [1, 2, 3]


async def test_a_separator_in_a_text_is_a_part_of_it(session, packing):
    query = "SELECT chr(30 + n) || 'x' AS v FROM generate_series(1, 3) AS n"
    table, expected = await packing.both(session, query)
    assert table["v"].to_pylist() == ["\x1fx", " x", "!x"]
    assert same(table, expected)
    assert packing.done == [False]


async def test_few_rows_are_not_packed(session, packing):
    await session.select_to_arrow("SELECT n FROM generate_series(1, 400) AS n")
    assert packing.done == []
    await session.select_to_arrow("SELECT n FROM generate_series(1, 2000) AS n")
    assert packing.done == [True]


async def test_more_than_the_server_is_to_hold_is_not_packed(session, packing):
    packing.monkeypatch.setattr(arrow_selecting, "MOST_BYTES", 1000)
    found = await session.select_to_arrow("SELECT n FROM generate_series(1, 2000) AS n")
    assert (found.get_data().num_rows, packing.done) == (2000, [])


async def test_more_rows_than_estimated_are_read_by_rows(session, packing):
    packing.monkeypatch.setattr("psqlpy_adapter.packing.MOST_ROWS", 1999)
    found = await session.select_to_arrow("SELECT n FROM generate_series(1, 2000) AS n")
    assert (found.get_data().num_rows, packing.done) == (2000, [False])


async def test_a_transaction_sees_its_own_rows_and_survives_what_cannot_be_packed(session, packing):
    query = "SELECT 10 / (id - 4) AS q FROM users ORDER BY id"
    await session.begin()
    await session.execute("UPDATE users SET age = 77")
    packing.monkeypatch.setattr(arrow_selecting, "FEW", -1)
    ages = (await session.select_to_arrow("SELECT age FROM users")).get_data()
    assert (ages["age"].to_pylist(), packing.done) == ([77] * 3, [True])
    packing.monkeypatch.setattr(packed_select, "WIDTHS", {})  # a statement that the server refuses
    packing.monkeypatch.setitem(packed_select._TEXTS, "int4recv", "pg_catalog.no_such({})")
    assert (await session.select_to_arrow(query)).get_data()["q"].to_pylist() == [-3, -5, -10]
    assert await session.select_value("SELECT max(age) FROM users") == 77
    await session.rollback()


async def test_an_error_of_the_query_is_the_one_that_it_has_by_rows(session, packing):
    packing.monkeypatch.setattr(arrow_selecting, "FEW", -1)
    with pytest.raises(SQLSpecError, match="division by zero") as failure:
        await session.select_to_arrow("SELECT 1 / (id - 1) AS q FROM users")
    assert failure.value.sqlstate == "22012"


async def test_a_database_in_another_encoding_gives_the_same(dsn, packing):
    async with latin1(dsn) as session:
        query = "SELECT chr(228) || n AS v FROM generate_series(1, 3) AS n"
        table, expected = await packing.both(session, query)
        assert table["v"].to_pylist() == ["ä1", "ä2", "ä3"]
        assert same(table, expected)


async def test_tables_that_are_gathered_are_each_what_was_asked_for(session, packing):
    packing.monkeypatch.setattr(arrow_selecting, "FEW", -1)
    query = "SELECT n FROM generate_series($1::int, $2::int) AS n"
    calls = (session.select_to_arrow(query, n, n + 2) for n in range(5))
    found = [answer.get_data()["n"].to_pylist() for answer in await asyncio.gather(*calls)]
    assert found == [[n, n + 1, n + 2] for n in range(5)]
    assert packing.done == [True] * 5


async def test_a_query_that_takes_too_long_is_not_begun_again(session, monkeypatch):
    async def by_rows(*_):
        raise AssertionError("it was begun again")

    monkeypatch.setattr(type(session), "_by_rows", by_rows)
    monkeypatch.setattr(arrow_selecting, "MOST_BYTES", 10**12)
    await session.execute_script("SET statement_timeout = '300ms'")
    with pytest.raises(QueryTimeoutError):
        await session.select_to_arrow(
            "SELECT a.n FROM generate_series(1, 40000) AS a (n), generate_series(1, 9000) AS b (n)"
        )
