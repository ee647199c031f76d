"""Proofs of references/drop-in.md: many statements at once, and many rows."""

from __future__ import annotations

import asyncio
import time

import pytest
from dropin_tools import opened
from proveskill import proves
from sqlspec.exceptions import SQLSpecError, UniqueViolationError
from watching_tools import ask


@proves(
    "Gather on one session what is independent.",
    "The statements go out in the order in which they were awaited, equal reads as few statements "
    "of the server.",
    "Where one of those fails, each runs by itself: the failure is its own caller's alone.",
)
async def test_gathered_statements(dropin, dsn) -> None:
    find = "SELECT $1::int AS n, 10 / ($1::int - 500) AS ratio, statement_timestamp()::text AS at"
    for start, fails in ((1000, False), (0, True)):
        numbers = range(start, start + 1000)
        answers = await asyncio.gather(
            *(dropin.select_one(find, n) for n in numbers), return_exceptions=True
        )
        if fails:
            assert isinstance(answers[500], SQLSpecError)
            answers[500] = {"n": 500, "at": "never"}
        assert [answer["n"] for answer in answers] == list(numbers)
        statements = {answer["at"] for answer in answers}
        assert (len(statements) > 500) is fails
        assert fails or len(statements) < 50

    await dropin.execute("CREATE TABLE gathered (id int PRIMARY KEY)")
    count, add = "SELECT count(*) FROM gathered", "INSERT INTO gathered VALUES ($1)"
    answers = await asyncio.gather(
        *(
            dropin.execute(add, n) if is_write else dropin.select_value(count)
            for n in range(50)
            for is_write in (False, True)
        ),
        dropin.execute_many(add, [(100,), (101,)]),
        dropin.execute(add, 1),
        return_exceptions=True,
    )
    assert answers[:100:2] == list(range(50))
    assert isinstance(answers[-1], UniqueViolationError)
    assert ask(dsn, count) == 52


@proves("The server still runs the statements of one session one after the other.")
async def test_one_session_runs_one_statement_after_the_other(dsn) -> None:
    nap = "SELECT pg_sleep(0.1)"
    async with (
        opened(dsn) as config,
        config.provide_session() as one,
        config.provide_session() as other,
    ):
        for sessions, least, most in (((one, one), 0.2, 60), ((one, other), 0.1, 0.2)):
            times = []
            while not times or (min(times) >= most and len(times) < 50):
                began = time.monotonic()
                await asyncio.gather(*(session.execute(nap) for session in sessions))
                times.append(time.monotonic() - began)
            assert least <= min(times) < most


ADD = "INSERT INTO many (id) VALUES ($1)"
COUNT = "SELECT count(*) FROM many"


@proves("`{method}` is part of your transaction, and all or nothing outside one.")
async def test_a_batch_is_part_of_the_transaction(method: str, dropin, dsn) -> None:
    await dropin.execute_script("DROP TABLE IF EXISTS many; CREATE TABLE many (id int PRIMARY KEY)")
    many = getattr(dropin, method)
    for sets in (3, 300):
        await dropin.begin()
        await many(ADD, [(n,) for n in range(sets)])
        assert await dropin.select_value(COUNT) == sets
        assert ask(dsn, COUNT) == 0
        await dropin.rollback()
        with pytest.raises(UniqueViolationError):
            await many(ADD, [*((n,) for n in range(sets)), (0,)])
        assert ask(dsn, COUNT) == 0
    await many(ADD, [(1,), (2,)])
    assert ask(dsn, COUNT) == 2


@proves("It counts what the server counted and returns the rows of `{word}`.")
async def test_a_batch_counts_and_returns(word: str, dropin) -> None:
    await dropin.execute_script("DROP TABLE IF EXISTS many; CREATE TABLE many (id int PRIMARY KEY)")
    skip = f"{ADD} ON CONFLICT DO NOTHING"
    for size in (4, 40):
        sets = [(n,) for n in range(size)]
        assert (await dropin.execute_many(skip, [(1,), (2,)])).rows_affected == 2
        result = await dropin.execute_many(f"{skip} {word} id", sets)
        assert result.rows_affected == size - 2
        assert result.all() == [{"id": n} for n in range(size) if n not in (1, 2)]
        update = "UPDATE many SET id = id WHERE id = $1"
        assert (await dropin.execute_many(update, [(1,), (-1,)])).rows_affected == 1
        result = await dropin.execute_many("DELETE FROM many WHERE id >= $1", [(2,), (0,), (0,)])
        assert result.rows_affected == size


@proves(
    "An INSERT of more than {few} sets is sent as one statement over arrays; into a table with "
    "triggers or rules it is sent set by set, so that a trigger for each statement fires for each "
    "set."
)
async def test_many_sets_are_one_statement(few: int, dropin) -> None:
    """Rows that one statement wrote have the same cmin."""
    await dropin.execute_script("DROP TABLE IF EXISTS many; CREATE TABLE many (id int)")
    statements = "SELECT count(DISTINCT cmin::text) FROM many"
    for size, expected in ((few, few), (few + 1, 1)):
        await dropin.execute("TRUNCATE many")
        await dropin.execute_many(ADD, [(n,) for n in range(size)])
        assert await dropin.select_value(COUNT) == size
        assert await dropin.select_value(statements) == expected
    await dropin.execute_script("""
        CREATE TABLE fired (each text);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO fired VALUES (TG_LEVEL); RETURN NULL; END $$;
        CREATE TRIGGER one AFTER INSERT ON many FOR EACH STATEMENT EXECUTE FUNCTION note();
        CREATE TRIGGER two AFTER INSERT ON many FOR EACH ROW EXECUTE FUNCTION note();
    """)
    await dropin.execute_many(ADD, [(n,) for n in range(30)])
    fired = "SELECT count(*) FROM fired WHERE each = $1"
    for level in ("STATEMENT", "ROW"):
        assert await dropin.select_value(fired, level) == 30
    await dropin.execute_script("""
        TRUNCATE fired; CREATE TABLE ruled (id int);
        CREATE RULE three AS ON INSERT TO ruled DO ALSO INSERT INTO fired VALUES ('RULE');
    """)
    await dropin.execute_many("INSERT INTO ruled (id) VALUES ($1)", [(n,) for n in range(30)])
    assert await dropin.select_value(fired, "RULE") == 30
    assert await dropin.select_value("SELECT count(DISTINCT cmin::text) FROM ruled") == 30
