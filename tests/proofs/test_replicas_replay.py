"""Proofs of references/replicas-and-poolers.md: when a standby has a row."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from proveskill import proves

PRIMARY = os.environ["PRIMARY_DATABASE_URL"]
STANDBY = os.environ["STANDBY_DATABASE_URL"]
MARK = "SELECT pg_logical_emit_message(false, 'sync', ''::text)::text"
REPLAYED = "SELECT pg_last_wal_replay_lsn() >= %s::text::pg_lsn"
FIND = "SELECT count(*) FROM users WHERE id = %s"
FILL = """
SELECT end_of_record::text, {}()::text
FROM (SELECT pg_logical_emit_message(false, '', repeat('x', room - 58)) AS end_of_record
      FROM (SELECT (8192 - (pg_current_wal_insert_lsn() - '0/0') % 8192)::int AS room)) AS filling
"""
"""Write a record that ends with its page of 8,192 bytes. It is 58 bytes longer than its text."""


@contextmanager
def opened() -> Iterator[tuple[psycopg.Connection, psycopg.Connection]]:
    """A connection to the primary, and one to its standby."""
    with (
        psycopg.connect(PRIMARY, autocommit=True) as primary,
        psycopg.connect(STANDBY, autocommit=True) as standby,
    ):
        yield primary, standby


def one(connection: psycopg.Connection, query: str, *values: Any) -> Any:
    return connection.execute(query, values).fetchone()[0]


async def replayed(standby: psycopg.Connection, position: str) -> None:
    async with asyncio.timeout(5):
        while not one(standby, REPLAYED, position):  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@proves(
    "A row that you have just written may be missing on the standby.",
    "Read it from the primary, or wait until the standby has replayed it:",
    "On `{error}`, read from the primary.",
)
async def test_a_row_is_missing_until_it_is_replayed(error: str) -> None:
    with opened() as (primary, standby):
        primary.execute("CREATE TABLE in_use ()")
        await replayed(standby, one(primary, MARK))
        with standby.transaction():
            # While this reads the table, the standby cannot replay that it is dropped.
            standby.execute("SELECT FROM in_use")
            primary.execute("DROP TABLE in_use")
            new = one(primary, "INSERT INTO users (name) VALUES ('Late') RETURNING id")
            written = one(primary, MARK)
            with pytest.raises(TimeoutError) as raised:
                async with asyncio.timeout(0.05):
                    await replayed(standby, written)
            assert (one(standby, FIND, new), one(primary, FIND, new)) == (0, 1)
        assert raised.type.__name__ == error
        await replayed(standby, written)
        assert one(standby, FIND, new) == 1
        primary.execute("DELETE FROM users WHERE id = %s", [new])


@proves("The mark lies behind your commit in the log.")
async def test_the_mark_lies_behind_the_commit() -> None:
    with opened() as (primary, _):
        for _ in range(20):
            one(primary, "INSERT INTO accounts (owner) VALUES ('marked') RETURNING id::text")
            committed = one(primary, "SELECT pg_current_wal_insert_lsn()::text")
            assert one(primary, f"SELECT ({MARK})::pg_lsn > %s::text::pg_lsn", committed)
        primary.execute("DELETE FROM accounts WHERE owner = 'marked'")


@proves(
    "`{early}()` can lie before it if `{setting}` is off, and `{late}()` can lie past the last "
    "record and keep you waiting."
)
async def test_other_positions_in_the_log(early: str, setting: str, late: str) -> None:
    with opened() as (primary, standby):
        primary.execute(f"SET {setting} = off")
        for _ in range(200):
            primary.execute("INSERT INTO accounts (owner) VALUES ('early')")
            is_early = one(primary, f"SELECT {early}() < pg_current_wal_insert_lsn()")
            if is_early:
                break
        assert is_early
        primary.execute("DELETE FROM accounts WHERE owner = 'early'")
        for _ in range(500):
            end, position = primary.execute(FILL.format(late)).fetchone()
            await replayed(standby, end)
            waits = not one(standby, REPLAYED, position)
            if waits:
                break
        assert waits
