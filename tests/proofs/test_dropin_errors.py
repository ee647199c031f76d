"""Proofs of references/drop-in.md: the classes of errors."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import psqlpy
import sqlspec.exceptions
from dropin_tools import address, answer, opened
from proveskill import proves
from sqlspec.exceptions import DataError, SQLParsingError, SQLSpecError


async def failure(call: Any) -> BaseException:
    try:
        await call
    except BaseException as error:  # noqa: BLE001 - a Rust panic is no Exception
        return error
    raise LookupError("nothing failed")


@proves(
    "Every failure is a `{base}`: of the server, of the connection, of a value; no panic escapes.",
    "Errors are `{base}` everywhere: `except psqlpy.Error` and `except TypeError` catch nothing "
    "any more.",
)
async def test_every_failure_is_of_one_class(base: str, dropin, dsn) -> None:
    dead = dsn.replace(address(dsn), "127.0.0.1:1")
    async with opened(dead) as nobody:
        failures = [
            await failure(answer(nobody)),
            await failure(dropin.select("SELECT 1/0")),
            await failure(dropin.select("SELEC")),
            await failure(dropin.select("SELECT $1::int", object())),
            await failure(dropin.select("SELECT $1::int", 2**40)),
            await failure(dropin.select("SELECT $1::int, $2::int", 1)),
            # A list for a vector without a cast and a tuple for IN are panics of psqlpy's.
            await failure(dropin.execute("INSERT INTO embeddings VALUES ($1, $2, $3)", 9, "", [])),
            await failure(dropin.select("SELECT id FROM users WHERE id IN ($1)", ((1, 2),))),
            await failure(dropin.execute("SELECT pg_terminate_backend(pg_backend_pid())")),
            await failure(dropin.select("SELECT 1")),
        ]
    for error in failures:
        assert isinstance(error, getattr(sqlspec.exceptions, base))
        assert not isinstance(error, psqlpy.Error | TypeError)


@proves(
    "The class comes from the SQLSTATE, never from a name in the message.",
    "What psqlpy passes on is the text: the SQLSTATE is found by the whole of it, so that "
    "`error.{attribute}` is {nothing} where a function raises a text of its own.",
    'For what is no error of the server `getattr(error, "sqlstate", None)` is {nothing}.',
    "`error.{attribute}` | of a server's error: {length} characters, or {nothing}",
    table="Call | New",
)
async def test_the_class_comes_from_the_sqlstate(
    attribute: str, nothing: str | None, length: int, dropin, dsn
) -> None:
    for text, kind, sqlstate in [
        ("SELECT * FROM unique_items", SQLParsingError, "42P01"),
        ("SELECT * FROM my_connection_log", SQLParsingError, "42P01"),
        ("SELECT deadlock FROM users", SQLParsingError, "42703"),
        ("SELECT 'duplicate key'::int", DataError, "22P02"),
    ]:
        error = await failure(dropin.select(text))
        assert type(error) is kind
        assert getattr(error, attribute) == sqlstate
        assert len(getattr(error, attribute)) == length
        assert not hasattr(error.__cause__, attribute)
    raises = "DO $$ BEGIN RAISE 'a deadlock of its own' USING ERRCODE = '40P01'; END $$"
    error = await failure(dropin.execute(raises))
    assert (type(error), getattr(error, attribute)) == (SQLSpecError, nothing)
    error = await failure(dropin.select("SELECT $1::int", object()))
    assert getattr(error, attribute, None) == nothing
    async with opened(dsn.replace(address(dsn), "127.0.0.1:1")) as nobody:
        assert getattr(await failure(answer(nobody)), attribute, None) == nothing


FOUND: dict[str, list[BaseException]] = {}


async def provoked(dropin: Any, dsn: str) -> dict[str, list[BaseException]]:
    """Errors by SQLSTATE, or by where they come from; provoked once."""
    if FOUND:
        return FOUND
    await dropin.execute_script("CREATE TABLE IF NOT EXISTS checked (n int CHECK (n > 0))")
    texts = {
        "23": [
            "INSERT INTO users (name, email) VALUES ('x', 'ada@example.com')",
            "INSERT INTO users (name) VALUES (NULL)", "DELETE FROM users WHERE id = 1",
            "INSERT INTO checked VALUES (0)",
        ],
        "42": ["SELEC", "SELECT * FROM nothing", "SELECT nothing()", "SELECT nothing FROM users"],
        "22": ["SELECT 1/0", "SELECT 'x'::int", "SET work_mem = 'lots'"],
        "25": ["SAVEPOINT lonely", "BEGIN READ ONLY; DELETE FROM events"],
        "57014": ["SET statement_timeout = 50; SELECT pg_sleep(5)",
                  "RESET ALL; SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(5)"],
    }  # fmt: skip
    found: dict[str, list[BaseException]] = {}
    for state, statements in texts.items():
        for text in statements:
            *before, last = text.split("; ")
            for statement in before:
                await dropin.execute(statement)
            error = await failure(dropin.execute(last))
            assert error.sqlstate.startswith(state)
            found.setdefault(state, []).append(error)
            await dropin.rollback()
    found["value"] = [await failure(dropin.select("SELECT $1::int", object()))]
    async with opened(dsn.replace(address(dsn), "127.0.0.1:1")) as config:
        found["connection"] = [await failure(answer(config))]
    async with opened(re.sub(":[^:@]*@", ":wrong@", dsn)) as config:
        found["login"] = [await failure(answer(config))]
    FOUND.update(found)
    return found


def names(errors: list[BaseException]) -> set[str]:
    return {type(error).__name__ for error in errors}


@proves("`{kind}` and its kin | {state}xxx", table="Class | SQLSTATE")
async def test_violations(kind: str, state: str, dropin, dsn) -> None:
    errors = (await provoked(dropin, dsn))[state]
    assert type(errors[0]).__name__ == kind
    assert len(names(errors)) == 4
    assert all(isinstance(error, sqlspec.exceptions.IntegrityError) for error in errors)


@proves("`{kind}` | {state}xxx", table="Class | SQLSTATE")
async def test_errors_of_a_statement_or_a_transaction(kind: str, state: str, dropin, dsn) -> None:
    assert names((await provoked(dropin, dsn))[state]) == {kind}


@proves("`{kind}` | {state}xxx, and values that do not fit", table="Class | SQLSTATE")
async def test_errors_of_values(kind: str, state: str, dropin, dsn) -> None:
    found = await provoked(dropin, dsn)
    assert names(found[state] + found["value"]) == {kind}


@proves(
    "`{kind}`, `{other}` | {state}, {second}: run the transaction again", table="Class | SQLSTATE"
)
async def test_conflicts(kind: str, other: str, state: str, second: str, dsn) -> None:
    async with (
        opened(dsn) as config,
        config.provide_session() as one,
        config.provide_session() as two,
    ):
        for session in (one, two):
            await session.begin(isolation_level="serializable")
            await session.select("SELECT count(*) FROM users")
        await one.execute("UPDATE users SET age = age + 0 WHERE id = 1")
        await one.commit()
        conflict = await failure(two.execute("UPDATE users SET age = age + 0 WHERE id = 1"))
        assert (type(conflict).__name__, conflict.sqlstate) == (kind, state)
        await two.rollback()
        # Again, it succeeds.
        async with two.transaction(isolation_level="serializable"):
            again = await two.execute("UPDATE users SET age = age + 0 WHERE id = 1")
            assert again.rows_affected == 1
        update = "UPDATE users SET age = age + 0 WHERE id = $1"
        for session, row in ((one, 1), (two, 2)):
            await session.execute("SET deadlock_timeout = '10ms'")
            await session.begin()
            await session.execute(update, row)
        outcomes = await asyncio.gather(
            one.execute(update, 2), two.execute(update, 1), return_exceptions=True
        )
        [lost] = [error for error in outcomes if isinstance(error, Exception)]
        assert (type(lost).__name__, lost.sqlstate) == (other, second)


@proves("`{kind}`, `{other}` | 57014", table="Class | SQLSTATE")
async def test_timeouts_and_cancellations(kind: str, other: str, dropin, dsn) -> None:
    found = (await provoked(dropin, dsn))["57014"]
    assert [type(error).__name__ for error in found] == [kind, other]


@proves("`{kind}`, `{other}` | the connection; login or privilege", table="Class | SQLSTATE")
async def test_connections_and_privileges(kind: str, other: str, dropin, dsn) -> None:
    found = await provoked(dropin, dsn)
    assert names(found["connection"]) == {kind}
    assert names(found["login"]) == {other}
    await dropin.execute("SET ROLE pg_monitor")
    assert names([await failure(dropin.execute("DELETE FROM events"))]) == {other}
