"""The SQLSTATE found in the server's words is the server's, and nothing else chooses the class."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import asyncpg
import psqlpy_adapter
import pytest
from fault_tools import observing
from psqlpy.exceptions import (
    BaseConnectionPoolError,
    ConnectionPoolConfigurationError,
    DatabaseError,
)
from psqlpy_adapter.errors import ends_connection, mapped
from psqlpy_adapter.server_messages import MESSAGES, sqlstate_of
from sqlspec.exceptions import (
    ConnectionTimeoutError,
    DatabaseConnectionError,
    DataError,
    ImproperConfigurationError,
    PermissionDeniedError,
    QueryTimeoutError,
    SQLSpecError,
)

FAULTS = [
    line
    for line in Path(__file__).with_name("server_faults.sql").read_text().splitlines()
    if not line.startswith("--")
]
SETUP = """
CREATE TABLE t (
    id int PRIMARY KEY, a int NOT NULL, b int CHECK (b > 0), r int4range,
    EXCLUDE USING gist (r WITH &&)
);
CREATE TABLE f (id int REFERENCES t);
INSERT INTO t VALUES (1, 1, 1, NULL), (3, 1, 1, '[1,5)');
INSERT INTO f VALUES (1);
CREATE TABLE short (x varchar(2));
CREATE TABLE v3 (v vector(3));
CREATE TABLE b3 (v bit(3));
CREATE TABLE part (i int) PARTITION BY RANGE (i);
CREATE TABLE gen (id int GENERATED ALWAYS AS IDENTITY);
CREATE TABLE locked (i int);
CREATE VIEW vw AS SELECT 1 AS x;
CREATE DOMAIN posint AS int CHECK (VALUE > 0);
CREATE TYPE mood AS ENUM ('ok');
CREATE FUNCTION fn(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
DO $$ BEGIN CREATE ROLE nobody_special; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
"""


async def _refusal(statement: Awaitable[Any]) -> str | None:
    try:
        await statement
    except (asyncpg.PostgresError, SQLSpecError) as error:
        return error.sqlstate
    return None


async def test_the_sqlstate_is_the_servers_own(dsn):
    differences = []
    config = psqlpy_adapter.PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    async with observing(dsn) as observer, observing(dsn) as holder:
        await observer.execute(SETUP)
        await holder.execute("BEGIN; LOCK TABLE locked")
        for fault in FAULTS:
            expected = await _refusal(observer.execute(fault))
            await observer.execute("ROLLBACK; RESET ALL; DEALLOCATE ALL")
            async with config.provide_session() as session:
                found = await _refusal(session._send(fault))
            if expected is None or found != expected:
                differences.append((fault, expected, found))
    await config.close_pool()
    assert differences == []


def test_no_text_stands_under_two_sqlstates():
    texts = [text for group in MESSAGES.values() for text in group]
    assert len(texts) == len(set(texts))


@pytest.mark.parametrize("sqlstate", MESSAGES)
def test_every_text_is_found_whatever_the_server_fills_in(sqlstate):
    for text in MESSAGES[sqlstate]:
        for filling in ("x", 'deadlock detected" \n permission denied', ""):
            message = text.replace("%s", filling)
            assert sqlstate_of(message) == sqlstate
            assert sqlstate_of(f"{message}\nDETAIL: x\nHINT: y") == sqlstate


@pytest.mark.parametrize(
    "message",
    [
        "deadlock detected, said the trigger",
        "oh: duplicate key value violates unique constraint",
        "doppelter Schlüsselwert verletzt Unique-Constraint »t_pkey«",
        "",
    ],
)
def test_other_words_have_no_sqlstate(message):
    assert sqlstate_of(message) is None


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (DatabaseError("connection closed"), DatabaseConnectionError),
        (DatabaseError("db error: FATAL: of a future version"), DatabaseConnectionError),
        (DatabaseError("db error: FEHLER: Syntaxfehler"), SQLSpecError),
        (DatabaseError("unexpected message from server"), DatabaseConnectionError),
        (
            BaseConnectionPoolError(
                "Database engine pool exception: Error occurred while creating a new object: "
                'db error: FATAL: password authentication failed for user "x"'
            ),
            PermissionDeniedError,
        ),
        (
            BaseConnectionPoolError(
                "Database engine pool exception: Error occurred while creating a new object: "
                "error connecting to server: Connection timed out (os error 110)"
            ),
            ConnectionTimeoutError,
        ),
        (BaseConnectionPoolError("of any kind"), DatabaseConnectionError),
        (
            ConnectionPoolConfigurationError("of any kind"),
            ImproperConfigurationError,
        ),
        (
            DatabaseError("db error: ERROR: canceling statement due to lock timeout"),
            QueryTimeoutError,
        ),
        (TypeError("'str' object cannot be interpreted as an integer"), DataError),
        (OverflowError("number too large to fit in target type"), DataError),
        (RuntimeError("cannot reuse already awaited coroutine"), SQLSpecError),
    ],
)
def test_what_is_outside_the_server_has_a_class_too(error, kind):
    result = mapped(error)
    assert type(result) is kind
    assert result.__cause__ is error
    assert str(error) in str(result)


@pytest.mark.parametrize(
    ("text", "is_the_end"),
    [
        ("db error: ERROR: division by zero", False),
        ('db error: ERROR: relation "connection closed" does not exist', False),
        ("db error: FATAL: terminating connection due to administrator command", True),
        ("Cannot execute query, error - connection closed", True),
        ("Cannot execute query, error - unexpected message from server", True),
        ("Underlying connection is returned to the pool", True),
    ],
)
def test_it_is_known_which_errors_end_a_connection(text, is_the_end):
    assert ends_connection(DatabaseError(text)) is is_the_end


def test_a_sqlspec_error_is_left_as_it_is():
    error = SQLSpecError("x")
    assert mapped(error) is error
