"""Proofs of references/results.md: streams."""

from __future__ import annotations

import pytest
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig, PsqlpyDriver
from sqlspec.exceptions import SQLSpecError
from traffic_tools import overheard
from watching_tools import becomes, seen

NUMBERS = "SELECT n FROM generate_series(1, {}) n"
STATE = "SELECT state FROM pg_stat_activity WHERE pid = %s"


async def note(session: PsqlpyDriver, name: str) -> None:
    await session.execute("INSERT INTO streamed VALUES ($1)", name)


def noted(dsn: str) -> list[str]:
    """Return the notes that are committed, and forget them."""
    return seen(dsn, "DELETE FROM streamed RETURNING name")


@pytest.fixture
async def table(session: PsqlpyDriver) -> None:
    await session.execute("CREATE TABLE IF NOT EXISTS streamed (name text)")


@proves(
    "`{method}` fetches `{size}` rows at a time (default {default}).",
    "It is not awaited.",
)
async def test_a_stream_fetches_chunks(dsn: str, method: str, size: str, default: int) -> None:
    async with overheard(dsn) as (session, wire):
        for options, chunk in (({}, default), ({size: 700}, 700), ({size: 3000}, 3000)):
            wire.forget()
            stream = getattr(session, method)(NUMBERS.format(2500), **options)
            assert not hasattr(stream, "__await__")
            assert [row["n"] async for row in stream] == list(range(1, 2501))
            assert set(wire.limits()) == {chunk}
            assert len(wire.limits()) >= 2500 / chunk


@proves(
    "To read in chunks inside a transaction, declare a cursor in SQL and FETCH from it with "
    "`session.connection.fetch`: psqlpy directly."
)
async def test_a_cursor_in_sql_leaves_the_transaction_alone(
    dsn: str, session: PsqlpyDriver, table: None
) -> None:
    async with session.transaction():
        await note(session, "before")
        await session.execute(f"DECLARE reader CURSOR FOR {NUMBERS.format(5)}")
        rows = []
        while chunk := (await session.connection.fetch("FETCH 2 FROM reader")).result():
            rows.append([row["n"] for row in chunk])
            await note(session, "during")
        assert rows == [[1, 2], [3, 4], [5]]
    assert noted(dsn) == ["before", "during", "during", "during"]


@proves(
    "A stream rolls back the transaction of its session when it ends, because psqlpy's cursor "
    "sends a `{command}` of its own.",
    "The writes before and during the stream are gone, those after it commit one by one, and "
    "nothing is raised.",
    "Give it a session of its own, outside any transaction.",
    adapter="stock",
)
async def test_a_stream_ends_the_transaction(dsn: str, table: None, command: str) -> None:
    async with overheard(dsn) as (session, wire):
        async with session.transaction():
            await note(session, "before")
            async for _ in session.select_stream(NUMBERS.format(2)):
                await note(session, "during")
            for name in ("after", "after all"):
                await note(session, name)
                assert noted(dsn) == [name]
        assert noted(dsn) == []
        sent = wire.texts()
        assert sent.count("BEGIN") == 1
        assert sent.index(command) < sent.index("COMMIT")
        assert await session.select_value("SELECT 1") == 1


@proves(
    "Without a transaction of yours it is the same: the stream opens one, and what the loop "
    "writes on that session is lost.",
    "Write on a second session:",
    adapter="stock",
)
async def test_a_write_on_the_session_that_streams(
    dsn: str, config: PsqlpyConfig, session: PsqlpyDriver, table: None
) -> None:
    async for _ in session.select_stream(NUMBERS.format(1)):
        done = await session.execute("INSERT INTO streamed VALUES ($1)", "lost")
        assert done.rows_affected == 1
        pid = await session.select_value("SELECT pg_backend_pid()")
        assert seen(dsn, STATE, pid) == ["idle in transaction"]
    await session.select_value("SELECT 1")
    assert noted(dsn) == []
    async with config.provide_session() as writer, writer.transaction():
        async for _ in session.select_stream(NUMBERS.format(2), chunk_size=1):
            await note(writer, "written")
    assert noted(dsn) == ["written", "written"]


@proves("If you leave the loop early, use the stream as a context manager, which closes it.")
async def test_leaving_a_stream_early(dsn: str, session: PsqlpyDriver) -> None:
    pid = await session.select_value("SELECT pg_backend_pid()")
    async with session.select_stream(NUMBERS.format(9), chunk_size=1) as stream:
        async for row in stream:  # noqa: B007 - the last one is looked at below
            assert seen(dsn, STATE, pid) == ["idle in transaction"]
            break
    assert row == {"n": 1}
    assert await becomes(dsn, pid, "idle") == "idle"
    stream = session.select_stream(NUMBERS.format(9), chunk_size=1)
    async for _ in stream:
        break
    assert seen(dsn, STATE, pid) == ["idle in transaction"]
    await stream.aclose()


@proves("Two streams on one session break each other.", adapter="stock")
async def test_two_streams_of_a_session(session: PsqlpyDriver) -> None:
    first = session.select_stream(NUMBERS.format(3), chunk_size=1)
    second = session.select_stream(NUMBERS.format(2), chunk_size=1)
    with pytest.raises(SQLSpecError, match=r'portal ".*" does not exist'):
        [(a, b) async for a in first async for b in second]
