"""Proofs of references/drop-in.md: Arrow data."""

from __future__ import annotations

import asyncio
import uuid
import weakref
from decimal import Decimal
from typing import Any

import psqlpy_adapter.copying.source
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from proveskill import proves
from sqlspec.exceptions import SQLSpecError, UniqueViolationError
from watching_tools import ask

COUNT = "SELECT count(*) FROM loaded"
OLD = "TRUNCATE loaded; INSERT INTO loaded VALUES (2, 'old'), (3, 'x')"


async def fresh(session: Any, columns: str) -> None:
    await session.execute_script(f"DROP TABLE IF EXISTS loaded; CREATE TABLE loaded ({columns})")


@proves(
    "A load of 200,000 rows leaves the event loop running; "
    "vectors, nested lists, decimals, JSON and UUID texts go in."
)
async def test_a_large_load_leaves_the_loop_running(dropin, dsn) -> None:
    rows = 200_000
    await fresh(dropin, "id int8, name text")
    source = pa.table({"id": range(rows), "name": ["a name"] * rows})
    load = asyncio.create_task(dropin.load_from_arrow("loaded", source))
    turns = 0
    while not load.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert (await load).telemetry["rows_processed"] == ask(dsn, COUNT) == rows
    assert turns > 10
    key = str(uuid.uuid4())
    for pg_type, array, text in [
        ("vector(3)", pa.array([[1, 2, 3]], pa.list_(pa.float32(), 3)), "[1,2,3]"),
        ("halfvec(2)", pa.array([[1, 2.5]]), "[1,2.5]"),
        ("int4[]", pa.array([[[1, 2], [3, 4]]]), "{{1,2},{3,4}}"),
        ("numeric", pa.array([Decimal("12345678901234567890.5")]), "12345678901234567890.5"),
        ("jsonb", pa.array(['{"a":[1]}']), '{"a": [1]}'),
        ("uuid", pa.array([key]), key),
    ]:
        await fresh(dropin, f"value {pg_type}")
        await dropin.load_from_arrow("loaded", pa.table({"value": array}))
        assert ask(dsn, "SELECT value::text FROM loaded") == text


@proves("All of it or nothing: a failed load leaves the old rows, also with `overwrite={given}`.")
async def test_a_failed_load_leaves_the_old_rows(given: bool, dropin, dsn) -> None:
    await fresh(dropin, "id int8 PRIMARY KEY")
    await dropin.load_from_arrow("loaded", pa.table({"id": [1, 2]}))
    for overwrite in (False, given):
        with pytest.raises(UniqueViolationError):
            await dropin.load_from_arrow("loaded", pa.table({"id": [3, 3]}), overwrite=overwrite)
        assert ask(dsn, "SELECT array_agg(id ORDER BY id) FROM loaded") == [1, 2]
    await dropin.load_from_arrow("loaded", pa.table({"id": [3]}), overwrite=given)
    assert ask(dsn, "SELECT array_agg(id) FROM loaded") == [3]


@proves(
    "A `RecordBatchReader` or an iterable of batches is read while the load runs, "
    "a batch after the other; a `pyarrow.dataset` is taken as well."
)
async def test_batches_are_not_all_held(dropin, dsn, monkeypatch, tmp_path) -> None:
    """With slices as small as a batch: how many batches are there at a time."""
    monkeypatch.setattr(psqlpy_adapter.copying.source, "SLICE_ROWS", 10)
    await fresh(dropin, "id int8")
    schema = pa.schema({"id": pa.int64()})
    most = 0

    def batches() -> Any:
        nonlocal most
        made = []
        for start in range(0, 500, 10):
            batch = pa.record_batch({"id": range(start, start + 10)}, schema)
            made.append(weakref.ref(batch))
            most = max(most, sum(one() is not None for one in made))
            yield batch
            del batch

    for source in (batches(), pa.RecordBatchReader.from_batches(schema, batches())):
        most = 0
        await dropin.load_from_arrow("loaded", source, overwrite=True)
        assert ask(dsn, COUNT) == 500
        assert 1 <= most <= 10
    pq.write_table(pa.table({"id": range(7)}), tmp_path / "ids.parquet")
    await dropin.load_from_arrow("loaded", ds.dataset(tmp_path), overwrite=True)
    assert ask(dsn, COUNT) == 7


@proves(
    "`{records}` and `{storage}` take `{overwrite}`, `{conflict}` and `{progress}` too.",
    "`session.load_from_arrow(...)` and its relatives | `on_conflict=`, `progress=`",
    table="Call | New",
)
async def test_the_other_loads_take_the_same(
    records: str, storage: str, overwrite: str, conflict: str, progress: str, dropin, tmp_path
) -> None:
    await fresh(dropin, "id int8 PRIMARY KEY, name text")
    table = pa.table({"id": [1, 2], "name": ["one", "two"]})
    file = tmp_path / "items.parquet"
    pq.write_table(table, file)

    loads = {
        "load_from_arrow": lambda **keys: dropin.load_from_arrow("loaded", table, **keys),
        records: lambda **keys: getattr(dropin, records)("loaded", table.to_pylist(), **keys),
        storage: lambda **keys: getattr(dropin, storage)(
            "loaded", str(file), file_format="parquet", **keys
        ),
    }
    assert len(loads) == 3
    for load in loads.values():
        await dropin.execute_script(OLD)
        with pytest.raises(SQLSpecError):
            await load()
        told: list[Any] = []
        await load(**{conflict: "nothing", progress: lambda *sent, told=told: told.append(sent)})
        assert told[-1][0] == 2
        names = "SELECT string_agg(name, ' ' ORDER BY id) FROM loaded"
        assert await dropin.select_value(names) == "one old x"
        await load(**{conflict: "update"})
        assert await dropin.select_value(names) == "one two x"
        await load(**{overwrite: True})
        assert await dropin.select_value(names) == "one two"
