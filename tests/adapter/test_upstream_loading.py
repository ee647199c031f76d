"""load_from_* and select_to_storage go on working as SQLSpec's on both adapters."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlspec.exceptions import ImproperConfigurationError, SQLSpecError, UniqueViolationError

ITEMS = "SELECT id, name, note FROM item ORDER BY id"


@pytest.fixture
async def items(session) -> None:
    await session.execute("CREATE TABLE item (id int8 PRIMARY KEY, name text, note text)")


def table(*ids: int) -> pa.Table:
    return pa.table(
        {"id": list(ids), "name": [f"item {i}" for i in ids], "note": [None] * len(ids)}
    )


async def ids(session) -> list[int]:
    return [row["id"] for row in await session.select(ITEMS)]


@pytest.mark.usefixtures("items")
async def test_load_from_arrow_appends_the_rows_of_a_table(session):
    await session.load_from_arrow("item", table(1, 2))
    await session.load_from_arrow("item", table(3))
    rows = await session.select(ITEMS)
    assert rows == [{"id": i, "name": f"item {i}", "note": None} for i in (1, 2, 3)]


@pytest.mark.usefixtures("items")
async def test_load_from_arrow_says_how_many_rows_it_loaded(session):
    job = await session.load_from_arrow("item", table(1, 2))
    assert job.telemetry["rows_processed"] == 2
    assert job.telemetry["destination"] == "item"


@pytest.mark.usefixtures("items")
async def test_load_from_arrow_takes_the_result_of_select_to_arrow(session):
    result = await session.select_to_arrow("SELECT id::int8 AS id, name FROM users")
    await session.load_from_arrow("item", result)
    assert await ids(session) == [1, 2, 3]


@pytest.mark.usefixtures("items")
async def test_load_from_arrow_takes_a_record_batch(session):
    (batch,) = table(1, 2).to_batches()
    await session.load_from_arrow("item", batch)
    assert await ids(session) == [1, 2]


@pytest.mark.usefixtures("items")
async def test_overwrite_replaces_the_rows(session):
    await session.load_from_arrow("item", table(1, 2, 3))
    await session.load_from_arrow("item", table(4), overwrite=True)
    assert await ids(session) == [4]


@pytest.mark.usefixtures("items")
async def test_an_empty_table_loads_nothing(session):
    job = await session.load_from_arrow("item", table(1).slice(0, 0))
    assert (job.telemetry["rows_processed"], await ids(session)) == (0, [])


@pytest.mark.usefixtures("items")
async def test_columns_are_matched_by_name(session):
    await session.load_from_arrow("item", pa.table({"name": ["x"], "id": [1]}))
    assert await session.select(ITEMS) == [{"id": 1, "name": "x", "note": None}]


async def test_a_table_is_named_with_its_schema(session):
    await session.execute_script("CREATE SCHEMA stage; CREATE TABLE stage.item (id int8)")
    await session.load_from_arrow("stage.item", pa.table({"id": [1, 2]}))
    await session.load_from_arrow("stage.item", pa.table({"id": [3]}), overwrite=True)
    assert await session.select("SELECT id FROM stage.item") == [{"id": 3}]


async def test_defaults_fill_the_columns_that_are_not_given(session):
    await session.load_from_arrow("users", pa.table({"name": ["Edsger"]}))
    row = await session.select_one("SELECT id, status FROM users WHERE name = 'Edsger'")
    assert row == {"id": 4, "status": "active"}


async def test_the_common_types_are_loaded(session):
    await session.execute(
        "CREATE TABLE kinds (i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, b bool, t text, "
        "raw bytea, d date, ts timestamp, tz timestamptz, n numeric(12, 2), l text[], k int4[])"
    )
    row = {
        "i2": 1,
        "i4": 2,
        "i8": 3,
        "f4": 0.5,
        "f8": 0.1,
        "b": True,
        "t": "straße",
        "raw": b"\x00\x01",
        "d": datetime.date(2024, 2, 29),
        "ts": datetime.datetime(2024, 2, 29, 12),
        "tz": datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC),
        "n": Decimal("10.50"),
        "l": ["a", "b"],
        "k": [1, 2],
    }
    schema = pa.schema(
        [
            ("i2", pa.int16()),
            ("i4", pa.int32()),
            ("i8", pa.int64()),
            ("f4", pa.float32()),
            ("f8", pa.float64()),
            ("b", pa.bool_()),
            ("t", pa.string()),
            ("raw", pa.binary()),
            ("d", pa.date32()),
            ("ts", pa.timestamp("us")),
            ("tz", pa.timestamp("us", tz="UTC")),
            ("n", pa.decimal128(12, 2)),
            ("l", pa.list_(pa.string())),
            ("k", pa.list_(pa.int32())),
        ]
    )
    empty = dict.fromkeys(row)
    await session.load_from_arrow("kinds", pa.Table.from_pylist([row, empty], schema=schema))
    assert await session.select("SELECT * FROM kinds ORDER BY i2") == [row, empty]


async def test_documents_are_loaded_from_json_text(session):
    await session.execute("CREATE TABLE docs (id int4, a json, b jsonb)")
    source = pa.table(
        {
            "id": pa.array([1, 2], pa.int32()),
            "a": ['{"name": "x"}', "[1, 2]"],
            "b": ['{"n": 1}', None],
        }
    )
    job = await session.load_from_arrow("docs", source)
    rows = await session.select("SELECT a, b FROM docs ORDER BY id")
    assert rows == [{"a": {"name": "x"}, "b": {"n": 1}}, {"a": [1, 2], "b": None}]
    assert job.telemetry["rows_processed"] == 2


async def test_documents_are_loaded_from_structs(session):
    await session.execute("CREATE TABLE docs (id int8, b jsonb)")
    await session.load_from_arrow("docs", pa.table({"id": [1], "b": [{"n": 1, "s": "x"}]}))
    assert await session.select_value("SELECT b FROM docs") == {"n": 1, "s": "x"}


@pytest.mark.usefixtures("items")
async def test_a_duplicate_key_is_an_error_and_loads_nothing(session):
    with pytest.raises(UniqueViolationError):
        await session.load_from_arrow("item", table(1, 2, 1))
    assert await ids(session) == []


async def test_loading_into_a_missing_table_is_an_sqlspec_error(config):
    with pytest.raises(SQLSpecError):
        async with config.provide_session() as session:
            await session.load_from_arrow("no_such_table", pa.table({"id": [1]}))


@pytest.mark.usefixtures("items")
async def test_a_load_in_a_transaction_is_undone_with_it(session):
    await session.begin()
    await session.load_from_arrow("item", table(1, 2))
    assert await ids(session) == [1, 2]
    await session.rollback()
    assert await ids(session) == []


@pytest.mark.usefixtures("items")
async def test_an_overwrite_in_a_transaction_is_undone_with_it(session):
    await session.load_from_arrow("item", table(1))
    await session.begin()
    await session.load_from_arrow("item", table(2), overwrite=True)
    await session.rollback()
    assert await ids(session) == [1]


@pytest.mark.usefixtures("items")
async def test_load_from_records_takes_dicts(session):
    records = [{"id": i, "name": f"item {i}", "note": None} for i in range(20)]
    job = await session.load_from_records("item", records)
    assert job.telemetry["rows_processed"] == 20
    assert await session.select(ITEMS) == records


@pytest.mark.usefixtures("items")
async def test_load_from_records_takes_tuples_with_columns(session):
    await session.load_from_records("item", [(1, "a"), (2, "b")], columns=["id", "name"])
    rows = await session.select(ITEMS)
    assert [(row["id"], row["name"]) for row in rows] == [(1, "a"), (2, "b")]


@pytest.mark.usefixtures("items")
async def test_load_from_records_overwrites(session):
    await session.load_from_records("item", [{"id": 1}])
    await session.load_from_records("item", [{"id": 2}], overwrite=True)
    assert await ids(session) == [2]


@pytest.mark.usefixtures("items")
async def test_load_from_records_of_nothing_is_refused(session):
    with pytest.raises(ImproperConfigurationError):
        await session.load_from_records("item", [])


@pytest.mark.usefixtures("items")
async def test_load_from_records_of_tuples_without_columns_is_refused(session):
    with pytest.raises(ImproperConfigurationError):
        await session.load_from_records("item", [(1, "a", None)])


@pytest.mark.parametrize("as_text", [True, False])
async def test_a_select_is_written_to_a_parquet_file(session, tmp_path, as_text):
    path = tmp_path / "users.parquet"
    job = await session.select_to_storage(
        "SELECT id, name FROM users WHERE id < $1 ORDER BY id",
        str(path) if as_text else path,
        (3,),
        format_hint="parquet",
    )
    assert job.telemetry["rows_processed"] == 2
    assert pq.read_table(path).to_pydict() == {"id": [1, 2], "name": ["Ada", "Grace"]}


@pytest.mark.usefixtures("items")
async def test_a_parquet_file_is_loaded(session, tmp_path):
    path = tmp_path / "items.parquet"
    pq.write_table(table(1, 2), path)
    job = await session.load_from_storage("item", str(path), file_format="parquet")
    assert job.telemetry["rows_processed"] == 2
    assert await ids(session) == [1, 2]


@pytest.mark.usefixtures("items")
async def test_what_was_written_to_storage_loads_back_over_the_old_rows(session, tmp_path):
    path = str(tmp_path / "items.parquet")
    await session.load_from_arrow("item", table(1, 2))
    await session.select_to_storage(ITEMS, path, format_hint="parquet")
    await session.execute("INSERT INTO item VALUES (3)")
    await session.load_from_storage("item", path, file_format="parquet", overwrite=True)
    assert await ids(session) == [1, 2]


@pytest.mark.usefixtures("items")
async def test_a_missing_file_is_an_sqlspec_error_and_keeps_the_rows(session, tmp_path):
    await session.load_from_arrow("item", table(1))
    with pytest.raises(SQLSpecError):
        await session.load_from_storage(
            "item", str(tmp_path / "none.parquet"), file_format="parquet", overwrite=True
        )
    assert await ids(session) == [1]


@pytest.mark.parametrize(
    ("file_format", "name"),
    [("parquet", "items.parquet"), ("arrow-ipc", "items.arrow"), ("csv", "items.csv")],
)
@pytest.mark.usefixtures("items")
async def test_a_file_of_this_format_is_written_and_loaded(session, tmp_path, file_format, name):
    path = str(tmp_path / name)
    await session.load_from_records("item", [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}])
    await session.select_to_storage(
        "SELECT id, name FROM item ORDER BY id", path, format_hint=file_format
    )
    await session.load_from_storage("item", path, file_format=file_format, overwrite=True)
    rows = await session.select(ITEMS)
    assert [(row["id"], row["name"]) for row in rows] == [(1, "a"), (2, "b")]


@pytest.mark.usefixtures("items")
async def test_a_file_of_json_lines_is_loaded(session, tmp_path):
    path = tmp_path / "items.jsonl"
    path.write_text('{"id": 1, "name": "a"}\n{"id": 2, "name": null}\n')
    await session.load_from_storage("item", str(path), file_format="jsonl")
    rows = await session.select(ITEMS)
    assert [(row["id"], row["name"]) for row in rows] == [(1, "a"), (2, None)]
