"""Proofs of references/drop-in.md: transactions, and the ends of statements."""

from __future__ import annotations

import asyncio
from typing import Any

import psqlpy_adapter
import pytest
from dropin_tools import opened
from observing import until_asleep
from proveskill import proves
from relay import Relay
from sqlspec.exceptions import SQLSpecError, TransactionError
from watching_tools import PID, ask, becomes, until


@proves("A commit that commits nothing raises:")
async def test_a_commit_of_an_aborted_transaction_raises(dropin, dsn) -> None:
    await dropin.execute("CREATE TABLE kept (id int)")
    await dropin.begin()
    await dropin.execute("INSERT INTO kept VALUES (1)")
    with pytest.raises(SQLSpecError):
        await dropin.execute("SELECT 1/0")
    with pytest.raises(TransactionError, match="Nothing was committed"):
        await dropin.commit()
    assert ask(dsn, "SELECT count(*) FROM kept") == 0


@proves(
    "`session.begin(...)`, `session.transaction(...)` | `{level}=`, `{reading}=`, `{deferred}=`",
    table="Call | New",
)
async def test_what_a_transaction_takes(level: str, reading: str, deferred: str, dropin) -> None:
    keys = {level: "serializable", reading: True, deferred: True}
    shown = "SELECT current_setting($1)"
    names = ["transaction_isolation", "transaction_read_only", "transaction_deferrable"]

    async def found() -> list[str]:
        return [await dropin.select_value(shown, name) for name in names]

    await dropin.begin(**keys)
    assert await found() == ["serializable", "on", "on"]
    await dropin.rollback()
    async with dropin.transaction(**keys):
        assert await found() == ["serializable", "on", "on"]
    assert await found() == ["read committed", "off", "off"]


async def timed_out(session: Any, sleep: Any) -> None:
    async with asyncio.timeout(0.1):
        await sleep(session)


async def waited_for(session: Any, sleep: Any) -> None:
    await asyncio.wait_for(sleep(session), 0.1)


async def cancelled(session: Any, sleep: Any) -> None:
    task = asyncio.create_task(sleep(session))
    await asyncio.sleep(0.05)
    task.cancel()
    await task


async def left_by_a_sibling(session: Any, sleep: Any) -> None:
    async def fail() -> None:
        await asyncio.sleep(0.05)
        raise LookupError

    async with asyncio.TaskGroup() as group:
        group.create_task(sleep(session))
        group.create_task(fail())


@proves(
    "`asyncio.timeout`, `wait_for`, `cancel()` and a TaskGroup end in their own exceptions, the "
    "server stops, and the connection is idle before anyone uses it again."
)
async def test_a_statement_that_is_cancelled_stops(dsn) -> None:
    async def sleep(session: Any) -> None:
        await session.select("SELECT pg_sleep(60)")

    ways = {
        timed_out: TimeoutError, waited_for: TimeoutError,
        cancelled: asyncio.CancelledError, left_by_a_sibling: ExceptionGroup,
    }  # fmt: skip
    async with opened(dsn, max_db_pool_size=1) as config:
        for way, error in ways.items():
            async with config.provide_session() as session:
                pid = await session.select_value(PID)
                with pytest.raises(error) as raised:
                    await way(session, sleep)
                assert raised.type is error
                assert await becomes(dsn, pid, "idle") == "idle"
                async with asyncio.timeout(5):
                    assert await session.select_value("SELECT 42") == 42


@proves("A cancelled statement of a transaction aborts it: roll back.")
async def test_a_cancelled_statement_aborts_its_transaction(dropin, session) -> None:
    await dropin.begin()
    pid = await dropin.select_value(PID)
    sleep = asyncio.create_task(dropin.select("SELECT pg_sleep(60)"))
    await until_asleep(session, pid)
    sleep.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleep
    with pytest.raises(SQLSpecError, match="aborted"):
        await dropin.select_value("SELECT 42")
    await dropin.rollback()
    assert await dropin.select_value("SELECT 42") == 42


@proves("A COMMIT that was lost on the way raises `{name}`: ask the database.")
async def test_a_lost_commit_says_that_nobody_knows(name: str, dsn) -> None:
    async with (
        opened(dsn) as config,
        config.provide_session() as session,
        config.provide_session() as other,
    ):
        await session.execute_script(
            "CREATE TABLE slow (n int); CREATE FUNCTION wait() RETURNS trigger "
            "LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(20); RETURN NEW; END $$;"
            "CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION wait()"
        )
        pid = await session.select_value(PID)
        await session.begin()
        await session.execute("INSERT INTO slow VALUES (1)")
        commit = asyncio.create_task(session.commit())
        await until_asleep(other, pid)
        await other.select_value("SELECT pg_terminate_backend($1, 5000)", pid)
        with pytest.raises(SQLSpecError) as raised:
            await commit
        assert raised.type.__name__ == name
        assert raised.type is getattr(psqlpy_adapter, name)
    assert ask(dsn, "SELECT count(*) FROM slow") == 0


@proves(
    "keep a statement from reaching the server when it is sent: a write that is cancelled may have "
    "been done, which the exception's note then says;"
)
async def test_a_cancelled_write_that_was_done_says_so(dsn) -> None:
    """The answer is held back until the write is done and its caller has been cancelled."""
    count = "SELECT count(*) FROM written"
    add = "INSERT INTO written VALUES ($1)"
    async with (
        Holding.before(dsn) as relay,
        opened(relay.dsn(dsn)) as config,
        config.provide_session() as session,
    ):
        await session.execute("CREATE TABLE written (id int)")
        await session.execute(add, 1)
        await session.execute(add, 2)
        relay.hold()
        write = asyncio.create_task(session.execute(add, 3))
        await until(lambda: ask(dsn, count) == 3)
        write.cancel()
        await asyncio.sleep(0)
        relay.held.clear()
        relay.goes_on.set()
        with pytest.raises(asyncio.CancelledError) as raised:
            await write
        assert "stored" in "".join(raised.value.__notes__)
        slow = "INSERT INTO written SELECT 2 FROM pg_sleep(60)"
        with pytest.raises(TimeoutError) as late:
            await timed_out(session, lambda session: session.execute(slow))
        assert not hasattr(late.value.__cause__, "__notes__")
    assert ask(dsn, count) == 3


class Holding(Relay):
    """A relay that can hold back what the server says on the connections that it has."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.goes_on = asyncio.Event()
        self.held: set[Any] = set()
        self.clients: set[Any] = set()

    def hold(self) -> None:
        self.held |= self.clients

    async def join(self, reader, writer, first=b"") -> None:
        self.clients.add(writer)
        await super().join(reader, writer, first)

    async def _copy(self, reader, writer) -> None:
        while chunk := await reader.read(65536):
            if writer in self.held:
                await self.goes_on.wait()
            writer.write(chunk)
        writer.close()
