"""How a load behaves as a whole: sources, tables, transactions, conflicts, progress."""

from __future__ import annotations

import asyncio
import ipaddress
import uuid
from collections.abc import Iterator
from decimal import Decimal

import numpy as np
import psqlpy_adapter
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from harness import Adapter
from pgvector import HalfVector, Vector
from psqlpy_adapter.copying import source as slicing
from sqlspec.exceptions import (
    DataError,
    ImproperConfigurationError,
    NotNullViolationError,
    SQLSpecError,
    UniqueViolationError,
)

ITEMS = """
CREATE TABLE items (id int8 PRIMARY KEY, name text NOT NULL, email text UNIQUE,
                    price numeric, added timestamptz DEFAULT now())
"""


@pytest.fixture
def adapter() -> Adapter:
    return Adapter("bundled", psqlpy_adapter)


@pytest.fixture
async def items(session) -> None:
    await session.execute_script(ITEMS)


@pytest.fixture
def small_slices(monkeypatch) -> None:
    monkeypatch.setattr(slicing, "SLICE_ROWS", 100)


def rows(*ids: int, **columns: list) -> pa.Table:
    return pa.table({"id": ids, "name": [f"item {id_}" for id_ in ids], **columns})


async def stored(session, columns: str = "id", table: str = "items") -> list:
    found = await session.select(f"SELECT {columns} FROM {table} ORDER BY 1")
    return [tuple(row.values()) if len(row) > 1 else next(iter(row.values())) for row in found]


# -- sources

SOURCES = {
    "table": lambda table: table,
    "record batch": lambda table: table.combine_chunks().to_batches()[0],
    "reader": lambda table: table.to_reader(max_chunksize=3),
    "batches": lambda table: table.to_batches(max_chunksize=3),
    "generator": lambda table: (batch for batch in table.to_batches(max_chunksize=3)),
    "tables": lambda table: [table.slice(0, 2), table.slice(2)],
    "dataset": ds.dataset,
    "scanner": lambda table: ds.dataset(table).scanner(),
    "mapping": lambda table: table.to_pydict(),
    "mappings": lambda table: table.to_pylist(),
}


@pytest.mark.usefixtures("items")
@pytest.mark.parametrize("make", SOURCES.values(), ids=SOURCES)
async def test_every_source_of_arrow_data_is_loaded(session, make):
    job = await session.load_from_arrow("items", make(rows(*range(10))))
    assert job.telemetry["rows_processed"] == 10
    assert await stored(session) == list(range(10))


@pytest.mark.usefixtures("items", "small_slices")
@pytest.mark.parametrize("make", SOURCES.values(), ids=SOURCES)
async def test_a_source_of_many_slices_is_loaded(session, make):
    await session.load_from_arrow("items", make(rows(*range(1_050))))
    assert await stored(session) == list(range(1_050))


@pytest.mark.usefixtures("items")
async def test_a_stream_of_the_arrow_c_interface_is_loaded(session):
    class Frame:
        def __arrow_c_stream__(self, requested_schema=None):
            return rows(1, 2).__arrow_c_stream__(requested_schema)

    await session.load_from_arrow("items", Frame())
    assert await stored(session) == [1, 2]


@pytest.mark.usefixtures("items")
async def test_what_holds_no_arrow_data_is_refused(session):
    for source in (5, "rows.parquet", [1, 2], []):
        with pytest.raises(DataError):
            await session.load_from_arrow("items", source)


@pytest.mark.usefixtures("items", "small_slices")
async def test_a_reader_is_not_read_ahead_of_the_load(session):
    table = rows(*range(1_000))
    read = done = ahead = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal read, ahead
        for batch in table.to_batches(max_chunksize=100):
            read += len(batch)
            ahead = max(ahead, read - done)
            yield batch

    def progress(count: int, total: int | None) -> None:
        nonlocal done
        done = count

    reader = pa.RecordBatchReader.from_batches(table.schema, batches())
    await session.load_from_arrow("items", reader, progress=progress)
    assert done == 1_000
    assert ahead <= 300  # one slice under way, one encoded, the batch that ends it


@pytest.mark.usefixtures("items", "small_slices")
async def test_an_error_of_the_source_is_raised_and_nothing_is_stored(session):
    def batches() -> Iterator[pa.RecordBatch]:
        yield from rows(*range(500)).to_batches()
        raise ZeroDivisionError

    reader = pa.RecordBatchReader.from_batches(rows(1).schema, batches())
    with pytest.raises(ZeroDivisionError):
        await session.load_from_arrow("items", reader)
    assert await stored(session) == []


@pytest.mark.usefixtures("items")
@pytest.mark.parametrize(
    "shared",
    [
        pa.array(["x" * 50] * 1_000, pa.string_view()),
        pa.array([f"name {n}" for n in range(1_000)]).dictionary_encode(),
        pa.RunEndEncodedArray.from_arrays([1_000], ["x" * 50]),
    ],
    ids=lambda array: str(array.type),
)
async def test_columns_that_share_their_buffers_are_not_cut_into_single_rows(
    session, monkeypatch, shared
):
    monkeypatch.setattr(slicing, "SLICE_BYTES", 4_096)
    reports = []
    source = pa.table({"id": np.arange(1_000), "name": shared})
    await session.load_from_arrow("items", source, progress=lambda *report: reports.append(report))
    assert await session.select_value("SELECT count(*) FROM items") == 1_000
    assert 4 <= len(reports) <= 40


@pytest.mark.usefixtures("items")
async def test_batches_of_another_schema_are_refused(session):
    other = pa.table({"id": [2]})
    with pytest.raises(DataError, match="schema"):
        await session.load_from_arrow("items", [rows(1), other])
    assert await stored(session) == []


# -- columns and tables


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


# -- transactions


@pytest.mark.usefixtures("items")
async def test_a_load_in_a_transaction_ends_with_it(session):
    async with session.transaction():
        await session.load_from_arrow("items", rows(1))
        with pytest.raises(NotNullViolationError):
            await session.load_from_arrow("items", pa.table({"id": [2]}))
        await session.load_from_arrow("items", rows(3), on_conflict="update")
        await session.load_from_arrow("items", rows(4), on_conflict="update")
    assert await stored(session) == [1, 3, 4]


@pytest.mark.usefixtures("items")
@pytest.mark.parametrize("raw", [False, True])
async def test_a_load_joins_a_transaction_that_was_begun_as_text(session, raw):
    send = session.connection.execute if raw else session.execute
    await send("BEGIN")
    await session.load_from_arrow("items", rows(1))
    with pytest.raises(UniqueViolationError):
        await session.load_from_arrow("items", rows(1))
    await send("ROLLBACK")
    assert await stored(session) == []


@pytest.mark.usefixtures("items", "small_slices")
async def test_a_failing_slice_in_the_middle_leaves_the_old_rows(session):
    await session.load_from_arrow("items", rows(1_000_000))
    with pytest.raises(UniqueViolationError):
        await session.load_from_arrow("items", rows(*range(700), 5), overwrite=True)
    assert await stored(session) == [1_000_000]


@pytest.mark.usefixtures("items", "small_slices")
async def test_a_refused_value_is_named_by_its_row_in_the_whole_source(session):
    prices = [1.0] * 400
    prices[321] = float("nan")
    await session.execute_script("ALTER TABLE items ALTER price TYPE int8 USING 0")
    with pytest.raises(DataError, match='column "price", row 321: Arrow double'):
        await session.load_from_arrow("items", rows(*range(400), price=prices))
    assert await stored(session) == []


@pytest.mark.usefixtures("items", "small_slices")
async def test_a_cancelled_load_stores_nothing_and_the_session_goes_on(session):
    started = asyncio.Event()
    task = asyncio.create_task(
        session.load_from_arrow("items", rows(*range(5_000)), progress=lambda *_: started.set())
    )
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await stored(session) == []
    await session.load_from_arrow("items", rows(1))
    assert await stored(session) == [1]


@pytest.mark.usefixtures("items", "small_slices")
async def test_other_tasks_run_while_a_load_is_under_way(session):
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(beat())
    await session.load_from_arrow("items", rows(*range(2_000)))
    task.cancel()
    assert beats > 20


# -- conflicts


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


# -- progress and telemetry


@pytest.mark.usefixtures("items", "small_slices")
async def test_progress_is_reported_after_each_slice(session):
    reports = []
    await session.load_from_arrow(
        "items", rows(*range(250)), progress=lambda *report: reports.append(report)
    )
    assert [total for _, total in reports] == [250] * len(reports)
    assert [done for done, _ in reports] == sorted(done for done, _ in reports)
    assert reports[-1] == (250, 250)
    assert len(reports) == 3


@pytest.mark.usefixtures("items", "small_slices")
async def test_progress_may_be_a_coroutine_and_knows_no_total_of_a_reader(session):
    reports = []

    async def progress(done: int, total: int | None) -> None:
        reports.append((done, total, await session.select_value("SELECT count(*) FROM items")))

    await session.load_from_arrow("items", rows(*range(150)).to_reader(100), progress=progress)
    assert reports == [(100, None, 100), (150, None, 150)]


@pytest.mark.usefixtures("items")
async def test_an_error_of_progress_undoes_the_load(session):
    def progress(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await session.load_from_arrow("items", rows(1), progress=progress)
    assert await stored(session) == []


@pytest.mark.usefixtures("items")
async def test_the_telemetry_is_sqlspecs(session):
    source = rows(1, 2)
    job = await session.load_from_arrow("items", source, partitioner={"kind": "rows"})
    assert job.status == "completed"
    assert job.telemetry == {
        "rows_processed": 2,
        "bytes_processed": source.nbytes,
        "format": "arrow",
        "destination": "items",
        "extra": {"partitioner": {"kind": "rows"}},
    }


# -- records and files


async def test_records_are_loaded_by_the_types_of_the_columns(session):
    await session.execute_script(
        "CREATE TABLE kinds (id int8, doc jsonb, v vector(2), h halfvec(2), n numeric, u uuid,"
        " ip inet)"
    )
    id_ = uuid.UUID(int=5)
    address = ipaddress.ip_address("::1")
    await session.load_from_records(
        "kinds",
        [
            {"id": 1, "doc": {"a": 1}, "v": np.array([1.0, 2.0]), "h": HalfVector([1, 2]),
             "n": 1.5, "u": id_, "ip": address},
            {"id": np.int64(2), "doc": [{"b": id_}], "v": Vector([3, 4]), "h": [3, 4],
             "n": Decimal("2.500"), "u": str(id_), "ip": "::2"},
            {"id": 3, "doc": None, "v": (5, 6), "h": None, "n": 7, "u": None, "ip": None},
        ],
    )  # fmt: skip
    columns = "id, doc::text, v::text, h::text, n::text, u::text, host(ip)"
    assert await stored(session, columns, "kinds") == [
        (1, '{"a": 1}', "[1,2]", "[1,2]", "1.5", str(id_), "::1"),
        (2, f'[{{"b": "{id_}"}}]', "[3,4]", "[3,4]", "2.500", str(id_), "::2"),
        (3, None, "[5,6]", None, "7", None, None),
    ]


@pytest.mark.usefixtures("items")
async def test_records_without_a_type_in_common_are_refused_by_column(session):
    with pytest.raises(DataError, match='column "name"'):
        await session.load_from_records("items", [{"id": 1, "name": "a"}, {"id": 2, "name": 5}])


@pytest.mark.usefixtures("items")
async def test_records_and_files_can_be_merged(session, tmp_path):
    await session.load_from_records("items", [(1, "a"), (2, "b")], columns=["id", "name"])
    await session.load_from_records("items", [{"id": 2, "name": "c"}], on_conflict="update")
    pq.write_table(rows(2, 3), tmp_path / "items.parquet")
    path = str(tmp_path / "items.parquet")
    await session.load_from_storage("items", path, file_format="parquet", on_conflict="nothing")
    assert await stored(session, "id, name") == [(1, "a"), (2, "c"), (3, "item 3")]


async def test_dictionaries_that_no_index_reaches_together_are_loaded(session):
    index = pa.dictionary(pa.int8(), pa.string())
    chunks = [
        pa.array([f"{letter}{n}" for n in range(100)]).dictionary_encode().cast(index)
        for letter in "ab"
    ]
    lists = [pa.ListArray.from_arrays([*range(101)], chunk) for chunk in chunks]
    await session.execute("CREATE TABLE words (word text, parts text[])")
    source = pa.table({"word": pa.chunked_array(chunks), "parts": pa.chunked_array(lists)})
    await session.load_from_arrow("words", source)
    same = "SELECT count(DISTINCT word) FROM words WHERE parts = ARRAY[word]"
    assert await session.select_value(same) == 200
