"""Where a load takes its rows from: tables, batches, readers, iterators."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import psqlpy_adapter
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from copying_tools import rows, stored
from harness import Adapter
from psqlpy_adapter.copying import source as slicing
from sqlspec.exceptions import (
    DataError,
)


@pytest.fixture
def adapter() -> Adapter:
    return Adapter("bundled", psqlpy_adapter)


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
