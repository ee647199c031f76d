"""Proofs of references/bulk-loading.md: load_from_arrow, slices, and replacing all rows."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
import sqlspec.core
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyDriver
from sqlspec.exceptions import SQLSpecError, UniqueViolationError
from traffic_tools import overheard

NOON, KEY = datetime(2026, 1, 1, 12), uuid.UUID(int=1)
NUMBERS = [(pa.array([1], kind), "1") for kind in (pa.int8(), pa.int64(), pa.uint16())]
# What a word of a cell names: arrays of that type, and the literal of their value in PostgreSQL.
ARRAYS: dict[str, list[tuple[Any, str]]] = {
    "any integer": NUMBERS,
    "a number too large": [(pa.array([2**63], pa.uint64()), "")],
    "int64": [(pa.array([1]), "1")],
    "float32": [(pa.array([1.5], pa.float32()), "1.5")],
    "float64": [(pa.array([1.5]), "1.5")],
    "decimal128": [(pa.array([Decimal("1.5")]), "1.5")],
    "pa.uuid()": [(pa.array([KEY.bytes], pa.uuid()), str(KEY))],
    "pa.binary(16)": [(pa.array([KEY.bytes], pa.binary(16)), str(KEY))],
    "timestamp (UTC if it has no zone)": [
        (pa.array([NOON], kind), "2026-01-01 12:00:00+00")
        for kind in (pa.timestamp("us"), pa.timestamp("ns", "Asia/Tokyo"), pa.timestamp("s"))
    ],
    "date32": [(pa.array([NOON.date()], pa.date32()), "2026-01-01")],
    "date64": [(pa.array([date(2026, 1, 1)], pa.date64()), "2026-01-01")],
    "string": [(pa.array(["[1,2]"]), "[1,2]")],
    "list of string": [(pa.array([["a"], None]), "{a}")],
    "list of integers": [(pa.array([[1]]), "{1}"), (pa.array([[1]], pa.list_(pa.int8())), "{1}")],
    "string with an object or array": [(pa.array([t]), t) for t in ('{"a": 1}', "[1, 2]")],
    "string with another JSON value": [
        (pa.array([text]), "") for text in ("1", '"a"', "null", "true", "false")
    ],
    "struct": [(pa.array([{"a": 1}]), '{"a": 1}')],
    "none": [],
    "load vectors in another way": [],
}


def words(cell: str) -> list[str]:
    return cell.replace("`", "").split(", ")


@proves("{columns} | {taken} | {refused}", table="Column | Arrow types | Refused", adapter="stock")
async def test_arrow_types(session: PsqlpyDriver, columns: str, taken: str, refused: str) -> None:
    await session.execute("SET TIME ZONE 'America/New_York'")
    for number, column in enumerate(words(columns)):
        table = f"taken_{number}"
        await session.execute(f"CREATE TEMP TABLE {table} (value {column})")
        for array, literal in (pair for name in words(taken) for pair in ARRAYS[name]):
            await session.execute(f"TRUNCATE {table}")
            await session.load_from_arrow(table, pa.table({"value": array}))
            found = f"SELECT count(*) FROM {table} WHERE value IS NOT DISTINCT FROM '{literal}'"
            assert await session.select_value(found) == 1
        for some in refused.split("; "):
            names, _, error = some.rpartition(": ")
            for array, _ in (pair for name in words(names) for pair in ARRAYS[name]):
                with pytest.raises(Exception) as raised:  # noqa: PT011 - named by the text
                    await session.load_from_arrow(table, pa.table({"value": array}))
                assert raised.type.__name__ == error.strip("`")
        await session.execute(f"DROP TABLE {table}")


@proves(
    "COPY converts nothing on the server, so the Arrow type must fit the column:", adapter="stock"
)
async def test_copy_converts_nothing(session: PsqlpyDriver) -> None:
    await session.execute("CREATE TEMP TABLE stiff (value numeric)")
    await session.execute("INSERT INTO stiff VALUES (1.5::float8)")
    with pytest.raises(SQLSpecError, match="insufficient data left in message"):
        await session.load_from_arrow("stiff", pa.table({"value": [1.5]}))


@proves(
    "`{method}` runs a binary COPY.",
    "It appends, fills only the columns the Arrow table has, and obeys your transaction.",
    "It takes a `pyarrow.{table}`, a `{batch}` or the `{result}` of `select_to_arrow`:",
)
async def test_what_load_from_arrow_does(
    dsn: str, method: str, table: str, batch: str, result: str
) -> None:
    async with overheard(dsn) as (session, wire):
        await session.execute("CREATE TEMP TABLE several (a int, b text DEFAULT 'b')")
        await session.execute("INSERT INTO several VALUES (0)")
        load, source = getattr(session, method), pa.table({"a": [1, 2]})
        wire.forget()
        await load("several", source)
        (copy,) = [text for text in wire.texts() if "COPY" in text]
        assert copy.endswith('"several"("a") FROM STDIN (FORMAT binary)')
        assert wire.copied()[0].startswith(b"PGCOPY\n\xff\r\n\0")
        rows = [{"a": a, "b": "b"} for a in range(3)]
        assert await session.select("SELECT a, b FROM several ORDER BY a") == rows
        await session.begin()
        await load("several", source)
        await session.rollback()
        assert await session.select("SELECT a, b FROM several ORDER BY a") == rows

        found = await session.select_to_arrow("SELECT a, b FROM several")
        for what, kind in (
            (source, getattr(pa, table)),
            (source.to_batches()[0], getattr(pa, batch)),
            (found, getattr(sqlspec.core, result)),
        ):
            assert isinstance(what, kind)
            await session.execute("TRUNCATE several")
            await load("several", what)
            assert await session.select_value("SELECT count(*) FROM several") == (
                3 if what is found else 2
            )


def slices(table: pa.Table, limit: int = 400_000) -> Iterator[pa.Table]:
    """As in the text."""
    size = table.nbytes + table.num_rows * (2 + 4 * table.num_columns)
    if size <= limit or table.num_rows < 2:
        yield table
        return
    middle = table.num_rows // 2
    yield from slices(table.slice(0, middle), limit)
    yield from slices(table.slice(middle), limit)


@proves(
    "Load in slices.",
    "The binary format takes {row} bytes a row, {field} bytes a field, and the value.",
    "A dictionary column counts too little in `{count}`; cast it to `pa.{text}()` first.",
    "In slices, only the first may overwrite.",
)
async def test_slices(dsn: str, row: int, field: int, count: str, text: str) -> None:
    source = pa.table({"a": ["x" * 1_000] * 1_500, "b": [1] * 1_500})
    async with overheard(dsn) as (session, wire):
        await session.execute("CREATE TEMP TABLE sliced (a text, b int)")
        await session.execute("INSERT INTO sliced VALUES ('old')")
        async with session.transaction():
            for number, part in enumerate(slices(source)):
                wire.forget()
                await session.load_from_arrow("sliced", part, overwrite=number == 0)
                (piece,) = wire.copied()
                values = part.num_rows * (1_000 + 4)
                assert len(piece) == 21 + values + part.num_rows * (row + 2 * field)
        assert number == 3
        assert await session.select_value("SELECT count(*) FROM sliced") == 1_500

        async with session.transaction():
            for part in slices(source):
                await session.load_from_arrow("sliced", part, overwrite=True)
        assert await session.select_value("SELECT count(*) FROM sliced") == part.num_rows

        coded = pa.table({"a": pa.array(["x" * 1_000] * 300).dictionary_encode()})
        wire.forget()
        await session.load_from_arrow("sliced", coded)
        assert getattr(coded, count) < 3_000 < 300_000 < len(wire.copied()[0])
        plain = coded.cast(pa.schema([("a", getattr(pa, text)())]))
        assert getattr(plain, count) > 300_000


@proves("`overwrite=True` is a TRUNCATE and a COPY.")
async def test_what_overwrite_is(dsn: str) -> None:
    async with overheard(dsn) as (session, wire):
        await session.execute("CREATE TEMP TABLE over (a int)")
        for overwrite in (False, True):
            wire.forget()
            await session.load_from_arrow("over", pa.table({"a": [1]}), overwrite=overwrite)
            found = re.findall("TRUNCATE|COPY|DELETE", "\n".join(wire.texts()))
            assert found == ["TRUNCATE"] * overwrite + ["COPY"]


@proves(
    "Without one the TRUNCATE is committed before the COPY, and a failed load leaves the table "
    "empty:",
    "Put a transaction around them:",
    adapter="stock",
)
async def test_a_failed_overwrite(session: PsqlpyDriver) -> None:
    await session.execute_script(
        "CREATE TEMP TABLE over (a int PRIMARY KEY); INSERT INTO over VALUES (1)"
    )
    bad = pa.table({"a": [4, 4]})
    with pytest.raises(UniqueViolationError):
        async with session.transaction():
            await session.load_from_arrow("over", bad, overwrite=True)
    assert await session.select("SELECT a FROM over") == [{"a": 1}]
    with pytest.raises(UniqueViolationError):
        await session.load_from_arrow("over", bad, overwrite=True)
    assert await session.select("SELECT a FROM over") == []


@proves("With `dropin`, a session of the drop-in, a failed load leaves the old rows:")
async def test_a_failed_overwrite_of_the_dropin(dropin: Any) -> None:
    await dropin.execute_script(
        "CREATE TEMP TABLE over (a int PRIMARY KEY); INSERT INTO over VALUES (1)"
    )
    with pytest.raises(UniqueViolationError):
        await dropin.load_from_arrow("over", pa.table({"a": [4, 4]}), overwrite=True)
    assert await dropin.select("SELECT a FROM over") == [{"a": 1}]
