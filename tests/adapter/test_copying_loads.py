"""What a load tells of itself, and loads of records and files."""

from __future__ import annotations

import ipaddress
import uuid
from decimal import Decimal

import numpy as np
import psqlpy_adapter
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from copying_tools import rows, stored
from harness import Adapter
from pgvector import HalfVector, Vector
from sqlspec.exceptions import (
    DataError,
)


@pytest.fixture
def adapter() -> Adapter:
    return Adapter("bundled", psqlpy_adapter)


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
