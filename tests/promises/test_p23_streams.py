"""P23, streams: they read what a select reads, side by side, and leave other statements alone."""

import uuid

import numpy as np
import pyarrow as pa
import pytest
from faults import AS_ROW, NO_DOCUMENT, UNKNOWN
from harness import Breaks, promise
from psqlpy_adapter.types import Range
from sqlspec.exceptions import SQLSpecError

KEY = uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
NUMBERS = "SELECT n FROM generate_series(1, {}) n"
NO_PORTAL = Breaks(SQLSpecError, "does not exist")
"""psqlpy's cursors lose their portal when another statement is run."""


@promise("P23", stock=UNKNOWN)
async def test_a_stream_reads_what_a_select_reads(adapter, session):
    statement = "SELECT $1::uuid AS a, $2::int4range AS b, n FROM generate_series(1, 5) n"
    for _ in (1, 2):
        stream = session.select_stream(statement, str(KEY), Range(1, 5), chunk_size=2)
        rows = [row async for row in stream]
        assert rows == [{"a": KEY, "b": Range(1, 5), "n": n} for n in range(1, 6)]


@promise("P23", stock=None)
async def test_a_stream_leaves_a_transaction_begun_as_text_alone(adapter, session):
    await session.execute_script("CREATE TEMP TABLE kept (id int)")
    await session.execute("BEGIN")
    await session.execute("INSERT INTO kept VALUES (1)")
    assert [row async for row in session.select_stream("SELECT id FROM kept")] == [{"id": 1}]
    await session.execute("ROLLBACK")
    assert await session.select_value("SELECT count(*) FROM kept") == 0


async def reads_what_a_select_reads(session, value, kind):
    text = f"SELECT ($1::{kind})::text AS v"
    expected = await session.select(text, value)
    for _ in (1, 2):
        async with session.select_stream(text, value) as stream:
            assert [row async for row in stream] == expected
        async with session.select_stream(f"{text}, $2::int AS n", value, 5) as stream:
            assert [row async for row in stream] == [expected[0] | {"n": 5}]


@pytest.mark.parametrize(("value", "kind"), [([1, 2], "int[]"), ({"a": 1}, "jsonb")], ids=str)
@promise("P23", stock=(AS_ROW, NO_DOCUMENT))
async def test_a_stream_takes_a_list_or_a_dict_as_a_select_does(adapter, session, value, kind):
    await reads_what_a_select_reads(session, value, kind)


@promise("P23", stock=None)
async def test_a_stream_takes_an_array_as_a_select_does(adapter, session):
    await reads_what_a_select_reads(session, np.array([1.0, 2.0]), "vector")


@pytest.mark.parametrize("is_open", [False, True])
@promise("P23", stock=NO_PORTAL)
async def test_two_streams_of_a_session_run_side_by_side(adapter, session, is_open):
    if is_open:
        await session.begin()
    first = session.select_stream(NUMBERS.format(3), chunk_size=1)
    second = session.select_stream(NUMBERS.format(2), chunk_size=1)
    pairs = [(a["n"], b["n"]) async for a in first async for b in second]
    # A stream is read once: the inner one is at its end after the first round.
    assert pairs == [(1, 1), (1, 2)]
    if is_open:
        await session.commit()


@pytest.mark.parametrize("is_open", [False, True])
@promise("P23", stock=NO_PORTAL)
async def test_two_streams_take_turns_and_other_statements_run_between(adapter, session, is_open):
    await session.execute_script("CREATE TEMP TABLE seen (n int)")
    if is_open:
        await session.begin()
    first = session.select_stream(NUMBERS.format(5), chunk_size=2)
    second = session.select_stream(NUMBERS.format(5), chunk_size=3)
    async with first, second:
        for n in range(1, 6):
            assert await anext(first) == {"n": n}
            assert await anext(second) == {"n": n}
            await session.execute("INSERT INTO seen VALUES ($1)", n)
        for stream in (first, second):
            with pytest.raises(StopAsyncIteration):
                await anext(stream)
    if is_open:
        await session.commit()
    assert await session.select_value("SELECT sum(n) FROM seen") == 15


INSERT = "INSERT INTO kept VALUES (1)"


async def begun(session):
    async with session.transaction():
        await session.execute(INSERT)


WAYS = {
    "execute": lambda session: session.execute(INSERT),
    "transaction": begun,
    "execute_many": lambda session: session.execute_many("INSERT INTO kept VALUES ($1)", [(1,)]),
    "execute_script": lambda session: session.execute_script(INSERT),
    "load_from_arrow": lambda session: session.load_from_arrow(
        "kept", pa.table({"id": pa.array([1], pa.int32())})
    ),
}


@pytest.mark.parametrize("way", WAYS)
@promise("P23", stock=Breaks(AssertionError))
async def test_what_is_written_while_a_stream_is_read_is_committed_by_itself(adapter, config, way):
    count = "SELECT count(*) FROM kept"
    async with config.provide_session() as session, config.provide_session() as other:
        await session.execute_script("CREATE TABLE kept (id int)")

        async def write_at_five():
            query = "SELECT n, 1 / (50 - n) AS x FROM generate_series(1, 100) n"
            async with session.select_stream(query, chunk_size=10) as rows:
                async for row in rows:
                    if row["n"] == 5:
                        await WAYS[way](session)
                        assert await other.select_value(count) == 1

        with pytest.raises(SQLSpecError, match="division by zero"):
            await write_at_five()
        assert await other.select_value(count) == 1
