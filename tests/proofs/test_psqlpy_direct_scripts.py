"""Proofs of references/psqlpy-direct.md: scripts and COPY."""

from __future__ import annotations

import struct
from decimal import Decimal
from uuid import UUID

import psqlpy
import pytest
from proveskill import proves
from psqlpy.extra_types import PgVector
from sqlspec.exceptions import SQLSpecError
from version_tools import has, versions_needed
from wire_tools import Recorder, messages_of

FAILING = "INSERT INTO jobs VALUES (2); SELECT 1 / 0; INSERT INTO jobs VALUES (3)"


@pytest.fixture
async def jobs(session):
    """A session and a table ``jobs (id int)`` with one row."""
    await session.connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS jobs (id int); DELETE FROM jobs; INSERT INTO jobs VALUES (1)"
    )
    return session


@proves(
    "`{method}` sends a whole script by the {protocol} protocol.",
    "The script is one transaction: all or nothing.",
    "`session.{other}` runs the same script statement by statement, and keeps what ran before the "
    "error:",
)
async def test_a_script_in_one_call(jobs, dsn, method: str, protocol: str, other: str) -> None:
    async def run(sql: str) -> None:
        await getattr(connection, method)(sql)

    async with Recorder.before(dsn) as recorder:
        connection = await psqlpy.connect(recorder.dsn(dsn))
        messages = await messages_of(recorder, run("SELECT 1; SELECT 2"))
        assert {"simple": ["Q"]}[protocol] == [kind for kind, _ in messages]
        with pytest.raises(psqlpy.Error, match="division by zero"):
            await run(FAILING)
        connection.close()
    assert await jobs.select("SELECT id FROM jobs") == [{"id": 1}]
    with pytest.raises(SQLSpecError, match="division by zero"):
        await getattr(jobs, other)(FAILING)
    assert await jobs.select("SELECT id FROM jobs ORDER BY id") == [{"id": 1}, {"id": 2}]


@proves("It takes no parameters and returns `{nothing}` (from {package} {version} on).")
async def test_what_a_script_takes_and_returns(
    session, nothing: str, package: str, version: str
) -> None:
    assert version in versions_needed(package)
    run = session.connection.execute_batch
    with pytest.raises(TypeError):
        await run("SELECT $1", [1])
    assert repr(await run("SELECT 1; SELECT 2")) == (nothing if has(package, version) else "()")


@proves(
    "`{method}` encodes Python values for the column types, vectors included.",
    "The schema has a parameter of its own; it is not part of the table name:",
)
async def test_records_are_encoded_for_their_columns(jobs, method: str) -> None:
    await jobs.execute_script(
        "DROP SCHEMA IF EXISTS other CASCADE; CREATE SCHEMA other;"
        "CREATE TABLE other.kept (u uuid, n numeric, t text, i int, v vector)"
    )
    copy = getattr(jobs.connection, method)
    rows = [(UUID(int=7), Decimal("1.50"), "a", 1, PgVector([1.0, 2.5])), (None,) * 5]
    columns = ["u", "n", "t", "i", "v"]
    assert await copy("kept", rows, columns=columns, schema_name="other") == 2
    texts = "u::text AS u, n, t, i, v::text AS v"
    found = await jobs.select(f"SELECT {texts} FROM other.kept ORDER BY i")
    assert list(found[0].values()) == [str(UUID(int=7)), Decimal("1.50"), "a", 1, "[1,2.5]"]
    assert list(found[1].values()) == [None] * 5
    with pytest.raises(psqlpy.Error, match=r'relation "other\.kept" does not exist'):
        await copy("other.kept", rows, columns=columns)


def binary_copy(numbers: list[int]) -> bytes:
    rows = b"".join(struct.pack("!hii", 1, 4, number) for number in numbers)
    return b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0) + rows + struct.pack("!h", -1)


@proves(
    "`{method}` sends a buffer in PostgreSQL's binary COPY format that you encoded.",
)
async def test_a_buffer_is_sent_as_it_is(jobs, dsn, method: str) -> None:
    copied = await getattr(jobs.connection, method)(binary_copy([5, 6]), "jobs", columns=["id"])
    assert copied == 2
    assert await jobs.select_value("SELECT sum(id) FROM jobs") == 12
    with pytest.raises(psqlpy.Error, match="COPY file signature not recognized"):
        await getattr(jobs.connection, method)(b"1\n2\n", "jobs", columns=["id"])
