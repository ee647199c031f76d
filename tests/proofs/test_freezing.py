"""Proofs of what freezes a process: in bulk-loading.md, and wherever else it is said.

One observation serves them all: processes that load all at once, some of which freeze.
"""

from __future__ import annotations

import os

import pyarrow as pa
import pytest
from copy_tools import loaded, pieces, size_of
from freezing_tools import End, Load, load_apart
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyDriver
from sqlspec.exceptions import SQLSpecError
from traffic_tools import overheard

LIMIT = 512 * 1024
WAYS = ("load_from_arrow", "load_from_records", "copy_records_to_table")
ARROW, RECORDS, COPY = WAYS
BUFFER = "binary_copy_to_table"
LARGE = size_of(5_000, 1_000)
LOADS = {
    **{way: Load(way, 5_000, LARGE, 200) for way in WAYS},
    # From here on it can take many calls: there is only one piece after the first one.
    "one row": Load(COPY, 1, LIMIT, 2_000),
    "many rows": Load(COPY, 500, LIMIT, 2_000),
    "2,600 rows of 200": Load(COPY, 2_600, size_of(2_600, 200), 2_000),
}
HARMLESS = {
    **{f"small {way}": Load(way, 400, 400_000, 20) for way in WAYS},
    "one row below": Load(COPY, 1, LIMIT - 1, 60),
    "2,600 rows of 100": Load(COPY, 2_600, size_of(2_600, 100), 50),
    "5,000 rows of 50": Load(COPY, 5_000, size_of(5_000, 50), 20),
    BUFFER: Load(BUFFER, 1, 2_000_000, 20),
}
WATCHED = Load(COPY, 5_000, LARGE, 200, is_watched=True)
KILLED = End(is_frozen=True, obeys_signals=False, code=-9)
DONE = End(code=0)


@pytest.fixture(scope="module")
def ends() -> dict[str, End]:
    return load_apart(os.environ["DATABASE_URL"], {**LOADS, "watched": WATCHED, **HARMLESS})


@proves(
    "`{first}`, `{second}` and `{third}` freeze the whole process, sooner or later, when one call "
    "encodes to {kib} KiB ({size} bytes) or more.",
    "No `asyncio.timeout` fires, no other thread runs, Ctrl-C is dead; another process must end "
    "it, or the C watchdog of `faulthandler`:",
    adapter="stock",
)
async def test_a_large_copy_freezes_the_process(
    dsn: str, ends: dict[str, End], first: str, second: str, third: str, kib: int, size: int
) -> None:
    assert {first, second, third} == set(WAYS)
    assert [ends[way] for way in WAYS] == [KILLED] * 3
    assert ends["watched"].code == 1
    assert ends["watched"].said.startswith("Timeout (")
    # What fits is one piece. The first of several pieces is where a process can freeze.
    width = size - size_of(1, 0)
    assert await pieces(dsn, [width - 1], [width]) == [1, 2]
    assert kib * 1024 == size == LIMIT


@proves(
    "`{first}`, `{second}` and `{third}` can freeze the process from 512 KiB a call on: stay below "
    "400 kB.",
    adapter="stock",
)
@proves(
    "`{first}`, `{second}` and `{third}` can deadlock on the GIL when one call encodes to 512 KiB "
    "or more.",
    "Cure: keep each call below 400 kB.",
    "The bytes count, not the rows: 2,600 rows of 200 characters can freeze, 2,600 of 100 cannot.",
    adapter="stock",
)
def test_which_loads_freeze(ends: dict[str, End], first: str, second: str, third: str) -> None:
    assert {first, second, third} == set(WAYS)
    assert {name for name, end in ends.items() if end == KILLED} == LOADS.keys()
    assert {name for name, end in ends.items() if end == DONE} == HARMLESS.keys()


@proves(
    "Many rows: COPY in calls below 400 kB, because from 512 KiB on a call can freeze the process; "
    "or one `binary_copy_to_table` of an encoded buffer."
)
@proves(
    "binary COPY through `load_from_arrow` is the fastest way in | one large call freezes the "
    "process; sending a buffer that is encoded already takes less CPU time",
    adapter="stock",
    table="Claim | Finding",
)
@proves("It does not freeze at any size:")
def test_a_large_copy_freezes_and_a_large_buffer_does_not(ends: dict[str, End]) -> None:
    """The CPU time is measured in test_performance_claims."""
    assert [ends[name] for name in (ARROW, COPY, "one row", "many rows")] == [KILLED] * 4
    assert [ends[name] for name in (f"small {COPY}", BUFFER)] == [DONE] * 2


@proves(
    "From {limit} KiB of encoded bytes on such a call can freeze the process for good: keep it "
    "below that.",
    "`{method}` did not freeze in {times} buffers of {size} MB.",
    adapter="stock",
)
def test_a_buffer_does_not_freeze(
    ends: dict[str, End], limit: int, method: str, times: int, size: int
) -> None:
    assert [ends["many rows"], ends["one row below"]] == [KILLED, DONE]
    assert LOADS["many rows"].size == limit * 1024
    assert HARMLESS[method] == Load(method, 1, size * 1_000_000, times)
    assert ends[method] == DONE


@proves(
    "Keep each call below 400 kB: from {limit} KiB of encoded bytes on, however many rows, it can "
    "freeze the process, see Bulk loading."
)
def test_calls_from_a_size_on_freeze_the_process(ends: dict[str, End], limit: int) -> None:
    assert {LOADS[rows].size for rows in ("one row", "many rows")} == {limit * 1024}
    assert [ends["one row"], ends["many rows"]] == [KILLED] * 2
    assert [ends["one row below"], ends[f"small {COPY}"]] == [DONE] * 2


@proves(
    "No Python timeout, signal handler or thread runs then, and Ctrl-C is dead; the C watchdog of "
    "`faulthandler` still shows where the process stands, and ends it.",
    "the process is frozen, Ctrl-C is dead | End a frozen process",
    table="You see | Section",
)
def test_what_still_runs_in_a_frozen_process(ends: dict[str, End]) -> None:
    assert [ends[way] for way in WAYS] == [KILLED] * 3
    assert ends["watched"].code == 1
    said = ends["watched"].said
    assert said.startswith("Timeout (0:00:01)!")
    assert "in _work" in said
    assert "in beat" in said  # a thread of Python, which stands still too


@proves("A single row of {kib} KiB or more has the same fault: INSERT it.")
async def test_one_large_row(session: PsqlpyDriver, ends: dict[str, End], kib: int) -> None:
    assert ends["one row"] == KILLED
    assert LOADS["one row"][1:3] == (1, kib * 1024)
    await session.execute("CREATE TEMP TABLE large (name text)")
    await session.execute("INSERT INTO large VALUES ($1)", "x" * 1_000_000)
    assert await session.select_value("SELECT length(name) FROM large") == 1_000_000


@proves(
    "The bytes count, not the rows: {rows} rows of 50 bytes are safe, {same} rows of {large} kB "
    "are not.",
    "The limit counts the encoded bytes of one call; see Keep each COPY under 512 KiB.",
)
def test_bytes_count_not_rows(ends: dict[str, End], rows: int, same: int, large: int) -> None:
    safe, deadly = HARMLESS["5,000 rows of 50"], LOADS[COPY]
    assert (safe.rows, safe.size) == (rows, size_of(rows, 50))
    assert (deadly.rows, deadly.size) == (same, size_of(same, large * 1_000))
    assert safe.size < LIMIT < deadly.size
    assert [ends["5,000 rows of 50"], ends[COPY]] == [DONE, KILLED]


@proves(
    "`INSERT ... SELECT * FROM unnest(...)` | you need an exact count, `RETURNING` or "
    "`ON CONFLICT` | {inside} | {freezes}",
    table="Way | Take it when | Inside your transaction | Can freeze from 512 KiB on",
)
async def test_an_insert_of_arrays(dsn: str, inside: bool, freezes: bool) -> None:
    left, copied = await loaded(dsn, "INSERT", 700)
    assert (left == 0) == inside
    assert (copied > 0) == freezes


@proves(
    "`session.{way}` | the statement is no INSERT and no transaction is open | {inside} | "
    "{freezes}",
    adapter="stock",
    table="Way | Take it when | Inside your transaction | Can freeze from 512 KiB on",
)
@proves(
    "`session.{way}` | the data is Arrow | {inside} | {freezes}",
    adapter="stock",
    table="Way | Take it when | Inside your transaction | Can freeze from 512 KiB on",
)
@proves(
    "`session.connection.{way}` | the data is Python values, vectors for example | {inside} | "
    "{freezes}",
    table="Way | Take it when | Inside your transaction | Can freeze from 512 KiB on",
)
@proves(
    "`session.connection.{way}` | there is much of it | {inside} | {freezes}",
    table="Way | Take it when | Inside your transaction | Can freeze from 512 KiB on",
)
async def test_ways_to_load(
    dsn: str, ends: dict[str, End], way: str, inside: str, freezes: bool
) -> None:
    left, copied = await loaded(dsn, way, 400 if way in WAYS else 700)
    assert {0: "yes", 3: "commits it"}[left] == inside
    assert freezes == (ends[way].is_frozen if way in ends else copied > 0)


@proves(
    "`load_from_records` makes an Arrow table and calls `{other}`, so the same types and the same "
    "{kib} KiB apply.",
    adapter="stock",
)
async def test_records_are_loaded_as_an_arrow_table(
    dsn: str, ends: dict[str, End], other: str, kib: int
) -> None:
    records = [{"a": 1, "b": "x"}, {"a": 2, "b": None}]
    said = []
    async with overheard(dsn) as (session, wire):
        await session.execute("CREATE TEMP TABLE both_ways (a int, b text, c numeric)")
        for method, source in (
            (session.load_from_records, records),
            (getattr(session, other), pa.Table.from_pylist(records)),
        ):
            wire.forget()
            job = await method("both_ways", source)
            assert job.telemetry["format"] == "arrow"
            said.append((wire.copied(), job.telemetry["bytes_processed"]))
        assert said[0] == said[1]
        for method, source in (
            (session.load_from_records, [{"c": 1.5}]),
            (getattr(session, other), pa.table({"c": [1.5]})),
        ):
            with pytest.raises(SQLSpecError, match="insufficient data left in message"):
                await method("both_ways", source)
    assert ends[RECORDS] == KILLED
    assert kib * 1024 == LIMIT
