"""A transaction is committed or rolled back, whatever is cancelled, and by whatever it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psqlpy_adapter
import pytest
from fault_tools import observing, until_at_work
from sqlspec.exceptions import IntegrityError, SQLSpecError, TransactionError

ADD = "INSERT INTO notes VALUES ($1)"


@pytest.fixture
async def session(dsn: str) -> AsyncIterator[Any]:
    config = psqlpy_adapter.PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 1})
    async with config.provide_session() as session:
        await session.execute_script("CREATE TABLE notes (id int)")
        await session.execute(ADD, 0)
        yield session
    await config.close_pool()


@pytest.fixture
async def observer(dsn: str) -> AsyncIterator[Any]:
    async with observing(dsn) as observer:
        yield observer


async def stored(observer: Any) -> list[int]:
    return [row["id"] for row in await observer.fetch("SELECT id FROM notes ORDER BY id")]


async def state_of(observer: Any, session: Any) -> str:
    pid = session.checkout.backend_pid
    return await observer.fetchval("SELECT state FROM pg_stat_activity WHERE pid = $1", pid)


async def until_idle(observer: Any, session: Any) -> None:
    async with asyncio.timeout(5):
        while await state_of(observer, session) != "idle":  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def until_queued(session: Any, neighbour: list[Any], count: int = 1) -> None:
    """Wait until so many wait for their turn behind the neighbour."""
    async with asyncio.timeout(5):
        while not neighbour or len(session.lane._queue) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def fail_inside(session: Any, add: int) -> None:
    async def unit() -> None:
        async with session.transaction():
            await session.execute(ADD, add)
            raise LookupError

    with pytest.raises(LookupError):
        await unit()


@pytest.mark.parametrize("fails", [True, False], ids=["ROLLBACK", "COMMIT"])
async def test_a_block_whose_end_is_cancelled_behind_a_neighbour_is_rolled_back(
    session, observer, fails
):
    neighbour: list[asyncio.Task[Any]] = []

    async def unit() -> None:
        async with session.transaction():
            await session.execute(ADD, 1)
            neighbour.append(asyncio.create_task(session.execute("SELECT pg_sleep(0.3)::text")))
            await until_at_work(observer, session.checkout.backend_pid, "pg_sleep")
            if fails:
                raise LookupError

    task = asyncio.create_task(unit())
    await until_queued(session, neighbour)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with session.transaction():
        await session.execute(ADD, 2)
    assert await stored(observer) == [0, 2]
    await neighbour[0]


async def test_a_block_cancelled_behind_a_neighbour_is_rolled_back_though_nothing_follows(
    session, observer
):
    neighbour: list[asyncio.Task[Any]] = []

    async def unit() -> None:
        async with session.transaction():
            await session.execute(ADD, 1)
            neighbour.append(asyncio.create_task(session.execute("SELECT pg_sleep(0.2)::text")))
            await until_at_work(observer, session.checkout.backend_pid, "pg_sleep")

    task = asyncio.create_task(unit())
    await until_queued(session, neighbour)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await neighbour[0]
    await until_idle(observer, session)
    assert await stored(observer) == [0]


async def test_a_write_that_waits_behind_a_cancelled_commit_is_stored(session, observer):
    neighbour: list[asyncio.Task[Any]] = []

    async def unit() -> None:
        async with session.transaction():
            await session.execute(ADD, 1)
            neighbour.append(asyncio.create_task(session.execute("SELECT pg_sleep(0.2)::text")))
            await until_at_work(observer, session.checkout.backend_pid, "pg_sleep")

    task = asyncio.create_task(unit())
    await until_queued(session, neighbour)
    behind = asyncio.create_task(session.execute(ADD, 2))
    await until_queued(session, neighbour, 2)
    task.cancel()
    await asyncio.gather(task, behind, *neighbour, return_exceptions=True)
    await until_idle(observer, session)
    assert await stored(observer) == [0, 2]


async def test_an_inner_block_whose_end_is_cancelled_is_undone_in_the_outer_one(session, observer):
    neighbour: list[asyncio.Task[Any]] = []

    async def inner() -> None:
        async with session.transaction():
            await session.execute(ADD, 2)
            neighbour.append(asyncio.create_task(session.execute("SELECT pg_sleep(0.2)::text")))
            await until_at_work(observer, session.checkout.backend_pid, "pg_sleep")

    async with session.transaction():
        await session.execute(ADD, 1)
        task = asyncio.create_task(inner())
        await until_queued(session, neighbour)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await neighbour[0]
    assert await stored(observer) == [0, 1]


@pytest.mark.parametrize("times", [1, 2, 3, 4])
async def test_a_block_that_is_cancelled_several_times_is_rolled_back(session, observer, times):
    async def unit() -> None:
        async with session.transaction():
            await session.execute(ADD, 1)
            await session.execute("SELECT pg_sleep(5)::text")

    task = asyncio.create_task(unit())
    await until_at_work(observer, session.checkout.backend_pid, "pg_sleep")
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    await session.execute(ADD, 2)
    assert await stored(observer) == [0, 2]
    assert await state_of(observer, session) == "idle"


ENDS = ["COMMIT", "END", "COMMIT WORK", "end transaction", "COMMIT AND NO CHAIN", "/* c */ commit;"]
UNDOES = ["ROLLBACK", "ABORT", "ROLLBACK WORK", "abort transaction"]


@pytest.mark.parametrize("end", [*ENDS, *UNDOES])
async def test_a_transaction_after_one_that_was_ended_by_text_is_one_of_its_own(
    session, observer, end
):
    await session.begin()
    await session.execute(ADD, 1)
    await session.execute(end)
    await fail_inside(session, 2)
    assert await stored(observer) == ([0, 1] if end in ENDS else [0])


async def test_a_transaction_after_a_script_that_ended_one_is_one_of_its_own(session, observer):
    await session.begin()
    await session.execute_script("INSERT INTO notes VALUES (1); COMMIT;")
    await fail_inside(session, 2)
    assert await stored(observer) == [0, 1]


async def test_a_new_write_after_a_commit_as_text_needs_no_transaction(session, observer):
    await session.begin()
    await session.execute("COMMIT")
    await session.execute("UPDATE notes SET id = $1 WHERE id = $2", (5, 0))
    assert await stored(observer) == [5]


@pytest.mark.parametrize("end", ["COMMIT AND CHAIN", "ROLLBACK WORK AND CHAIN"])
async def test_a_chained_transaction_is_open(session, observer, end):
    await session.begin()
    await session.execute(ADD, 1)
    await session.execute(end)
    await session.execute(ADD, 2)
    await session.execute_many(ADD, [(3,), (4,)])
    await session.rollback()
    assert await stored(observer) == ([0, 1] if end.startswith("COMMIT") else [0])


@pytest.mark.parametrize("text", ["BEGIN", "START TRANSACTION", "begin work"])
async def test_begin_joins_a_transaction_that_was_begun_by_text(session, observer, text):
    await session.execute(text)
    await session.execute(ADD, 1)
    await session.begin()
    with pytest.raises(TransactionError):
        await session.begin(isolation_level="serializable")
    await session.rollback()
    assert await stored(observer) == [0]


async def test_going_back_to_a_savepoint_by_text_leaves_the_transaction_open(session, observer):
    await session.begin()
    await session.execute(ADD, 1)
    await session.execute("SAVEPOINT here")
    await session.execute("ROLLBACK WORK TO SAVEPOINT here")
    await session.begin()
    await session.rollback()
    assert await stored(observer) == [0]


async def test_a_commit_as_text_that_fails_ends_the_transaction(session, observer):
    await session.execute_script(
        "ALTER TABLE notes ADD CONSTRAINT once UNIQUE (id) DEFERRABLE INITIALLY DEFERRED"
    )
    await session.begin()
    await session.execute_many(ADD, [(1,), (1,)])
    with pytest.raises(IntegrityError):
        await session.execute("COMMIT")
    await fail_inside(session, 2)
    assert await stored(observer) == [0]


async def test_a_block_inside_one_that_was_ended_by_text_is_a_transaction(session, observer):
    async with session.transaction():
        await session.execute("COMMIT")
        await fail_inside(session, 1)
        await session.execute_many(ADD, [(2,), (3,)])
    assert await stored(observer) == [0, 2, 3]


async def test_a_rollback_that_the_server_refuses_costs_the_connection(session):
    """Nobody knows then whether the transaction is open."""
    await session.begin()
    session._rollback_statement = lambda: session.connection.execute_batch("no statement")
    with pytest.raises(SQLSpecError):
        await session.rollback()
    with pytest.raises(SQLSpecError, match="connection is lost"):
        await session.execute(ADD, 1)


@pytest.mark.parametrize("known", [True, False], ids=["run before", "new"])
async def test_a_cancelled_write_that_was_done_says_so(session, observer, known):
    """The request to cancel comes when the write is done, at some of so many moments."""
    text, seen = (ADD if known else "INSERT INTO notes (id) VALUES ($1)"), 0
    for number in range(1, 400):
        task = asyncio.create_task(session.execute(text, number))
        await asyncio.sleep(number % 40 * 1e-4)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError as error:
            notes = "".join(getattr(error, "__notes__", ()))
        else:
            continue
        if await observer.fetchval("SELECT count(*) FROM notes WHERE id = $1", number):
            assert "stored" in notes
            seen += 1
        if seen > 5:
            return
    pytest.fail("no write was cancelled too late")


async def test_a_write_that_is_not_waited_for_says_that_nobody_knows(session, observer):
    slow = "INSERT INTO notes SELECT 1 FROM pg_sleep($1)"
    await session.execute(slow, 0)
    task = asyncio.create_task(session.execute(slow, 5))
    await until_at_work(observer, session.checkout.backend_pid, "pg_sleep")
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert "not known" in "".join(caught.value.__notes__)


async def test_a_cancelled_script_says_how_much_of_it_was_done(session, observer):
    task = asyncio.create_task(
        session.execute_script("INSERT INTO notes VALUES (1); SELECT pg_sleep(5);")
    )
    await until_at_work(observer, session.checkout.backend_pid, "pg_sleep")
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert "1 of the script's 2 statements were done" in "".join(caught.value.__notes__)
    assert await stored(observer) == [0, 1]


async def test_blocks_that_tasks_enter_at_once_leave_later_blocks_whole(session, observer):
    async def add(number: int) -> None:
        async with session.transaction():
            await session.execute(ADD, number)

    async def fail() -> None:
        async with session.transaction():
            await add(4)
            raise LookupError

    await asyncio.gather(add(1), add(2), add(3))
    with pytest.raises(LookupError):
        await fail()
    assert await stored(observer) == [0, 1, 2, 3]


async def test_a_block_whose_transaction_another_task_rolled_back_says_so(session, observer):
    entered = asyncio.Event()
    rolled_back = asyncio.Event()

    async def outer() -> None:
        try:
            async with session.transaction():
                await session.execute(ADD, 1)
                await entered.wait()
                raise LookupError
        finally:
            rolled_back.set()

    async def inner() -> None:
        await asyncio.sleep(0)
        async with session.transaction():
            await session.execute(ADD, 2)
            entered.set()
            await rolled_back.wait()

    failures = await asyncio.gather(outer(), inner(), return_exceptions=True)
    assert isinstance(failures[0], LookupError)
    assert isinstance(failures[1], TransactionError)
    assert "ended before the block did" in str(failures[1])
    assert await stored(observer) == [0]


async def test_a_block_that_fails_after_another_task_committed_it_says_so(session, observer):
    entered = asyncio.Event()
    committed = asyncio.Event()

    async def outer() -> None:
        async with session.transaction():
            await session.execute(ADD, 1)
            await entered.wait()
        committed.set()

    async def inner() -> None:
        await asyncio.sleep(0)
        async with session.transaction():
            await session.execute(ADD, 2)
            entered.set()
            await committed.wait()
            raise LookupError

    _, failure = await asyncio.gather(outer(), inner(), return_exceptions=True)
    assert isinstance(failure, LookupError)
    assert "Not rolled back" in failure.__notes__[0]
    assert await stored(observer) == [0, 1, 2]


async def test_blocks_of_two_tasks_inside_a_third_go_back_to_savepoints_of_their_own(
    session, observer
):
    """The second one is entered between the end of one and the failure of another."""
    first_is_over, second_is_in = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with session.transaction():
            await session.execute(ADD, 1)
        first_is_over.set()

    async def failing() -> None:
        async with session.transaction():
            await session.execute(ADD, 2)
            await second_is_in.wait()
            raise LookupError

    async def second() -> None:
        await first_is_over.wait()
        async with session.transaction():
            await session.execute(ADD, 3)
            second_is_in.set()

    with pytest.raises(TransactionError):
        async with session.transaction():
            await asyncio.gather(first(), failing(), second(), return_exceptions=True)
    assert await stored(observer) == [0]


FAILED_ENDS = ["COMMIT", "END WORK", "/* c */ commit; -- d", "COMMIT AND CHAIN"]


@pytest.mark.parametrize("end", [*FAILED_ENDS, "PREPARE TRANSACTION 'two_phases'"])
@pytest.mark.parametrize("way", ["execute", "execute_script"])
async def test_a_commit_as_text_after_an_error_raises(session, observer, way, end):
    await session.execute("BEGIN")
    await session.execute(ADD, 1)
    with pytest.raises(SQLSpecError):
        await session.execute("SELECT 1 / 0")
    with pytest.raises(TransactionError, match="Nothing was committed"):
        await getattr(session, way)(end)
    await session.execute(ADD, 2)
    assert await stored(observer) == [0, 2]
