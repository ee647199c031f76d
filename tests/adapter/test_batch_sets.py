"""What `execute_many` takes for its parameter sets, and which statements."""

from __future__ import annotations

import asyncio
from collections import namedtuple

import pytest
from harness import Adapter
from sqlspec.exceptions import DataError, SQLSpecError

INSERT = "INSERT INTO noted (n) VALUES ($1)"


@pytest.fixture
def adapter() -> Adapter:
    import psqlpy_adapter

    return Adapter("bundled", psqlpy_adapter)


@pytest.fixture
async def noted(session):
    await session.execute("CREATE TABLE noted (n text)")


async def test_the_sets_may_come_from_a_generator(session, noted):
    await session.execute_many(INSERT, ((str(n),) for n in range(3)))
    assert await session.select_value("SELECT string_agg(n, '' ORDER BY n) FROM noted") == "012"


@pytest.mark.parametrize("sets", ["abc", b"abc", {"n": "a"}, 7])
async def test_what_is_no_sequence_of_sets_is_refused(session, noted, sets):
    with pytest.raises(DataError, match="a sequence of parameter sets, not a"):
        await session.execute_many(INSERT, sets)
    assert await session.select("SELECT n FROM noted") == []


async def test_a_copy_is_refused_and_the_connection_stays(session, noted):
    with pytest.raises(SQLSpecError, match="load_from_arrow"):
        await session.execute_many("COPY noted FROM STDIN", [("a",)])
    assert await session.select("SELECT n FROM noted") == []


async def test_a_named_tuple_is_a_set_of_parameters(session, noted):
    row = namedtuple("row", "n")
    await session.execute_many(INSERT, [row("a"), row("b")])
    assert await session.select_value("SELECT string_agg(n, '' ORDER BY n) FROM noted") == "ab"


async def test_a_batch_with_a_repeated_name_keeps_its_place_among_gathered_statements(session):
    await session.execute("CREATE TABLE twice (a text, b text)")
    await asyncio.gather(
        session.execute_many("INSERT INTO twice (a, b) VALUES (:n, :n)", [{"n": "x"}] * 3),
        session.execute("DELETE FROM twice"),
    )
    assert await session.select("SELECT a FROM twice") == []
