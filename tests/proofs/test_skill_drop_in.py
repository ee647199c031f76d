"""Proof of SKILL.md: what is WRONG on SQLSpec's adapter is right on the drop-in, save one."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import psqlpy_adapter
import pyarrow as pa
import pytest
from certificates import Certificates
from proveskill import proves
from psqlpy import SslMode
from sqlspec.exceptions import DatabaseConnectionError, SQLSpecError, UniqueViolationError

SKILL = Path(__file__).parents[2] / "skills" / "sqlspec-psqlpy" / "SKILL.md"
KEY = "7d444840-9dc0-11d1-b245-5ffdce74fad2"


async def rows_between_placeholders(session: Any) -> None:
    rows = await session.select("SELECT id FROM users WHERE id IN ($1,$2)", 1, 2)
    assert rows == [{"id": 1}, {"id": 2}]


async def execute_many_keeps_the_transaction(session: Any) -> None:
    await session.begin()
    await session.execute_many("INSERT INTO skill_users (id) VALUES ($1)", [(8,), (9,)])
    await session.rollback()
    assert await session.select_value("SELECT count(*) FROM skill_users") == 3


async def a_stream_keeps_the_transaction(session: Any) -> None:
    async with session.transaction():
        await session.execute("UPDATE skill_users SET age = 37 WHERE id = 1")
        assert len([row async for row in session.select_stream("SELECT id FROM skill_users")]) == 3
    assert await session.select_value("SELECT age FROM skill_users WHERE id = 1") == 37


async def a_write_by_distance_finds_its_row(session: Any) -> None:
    near = "SELECT id FROM skill_vectors ORDER BY vector <=> $1 LIMIT 1"
    await session.execute(f"DELETE FROM skill_vectors WHERE id = ({near})", [0.0, 0.0, 1.0])
    rows = await session.select("SELECT id FROM skill_vectors ORDER BY id")
    assert [row["id"] for row in rows] == [1, 2, 4, 5]


async def a_commit_after_an_error_reports_it(session: Any) -> None:
    await session.begin()
    with pytest.raises(SQLSpecError):
        await session.execute("SELECT 1/0")
    with pytest.raises(SQLSpecError):
        await session.commit()


async def a_failed_overwrite_keeps_the_rows(session: Any) -> None:
    twice = pa.table({"id": [7, 7]})
    with pytest.raises(UniqueViolationError):
        await session.load_from_arrow("skill_users", twice, overwrite=True)
    assert await session.select_value("SELECT count(*) FROM skill_users") == 3


async def a_text_is_a_uuid_each_time(session: Any) -> None:
    for _ in range(3):
        assert await session.select_value("SELECT $1::uuid", KEY) == uuid.UUID(KEY)


async def a_float_is_stored_each_time(session: Any) -> None:
    for rating in (4.7, 4.8, 4.9):
        await session.execute("UPDATE skill_users SET rating = $1", rating)
        assert await session.select_value("SELECT rating FROM skill_users LIMIT 1") == rating


async def a_list_is_a_vector_each_time(session: Any) -> None:
    search = "SELECT id FROM embeddings ORDER BY vector <-> $1 LIMIT 1"
    for vector in ([0, 0, 1.0], np.array([0, 0, 1.0]), [0, 0, 1.0]):
        assert await session.select_value(search, vector) == 3


async def a_cancelled_query_stops(session: Any, dsn: str) -> None:
    pid = await session.select_value("SELECT pg_backend_pid()")
    await session.select("SELECT pg_sleep(0)")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await session.select("SELECT pg_sleep(30)")
    active = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND state = 'active'"
    config = psqlpy_adapter.PsqlpyConfig(connection_config={"dsn": dsn})
    async with asyncio.timeout(5), config.provide_session() as other:
        while left := await other.select_value(active, pid):
            pass
    assert left == 0
    await config.close_pool()


async def a_full_pool_has_a_limit(dsn: str) -> None:
    keys = {"dsn": dsn, "max_db_pool_size": 2, "pool_timeout_sec": 0.05}
    small = psqlpy_adapter.PsqlpyConfig(connection_config=keys)
    async with small.provide_session(), small.provide_session():
        with pytest.raises(psqlpy_adapter.PoolTimeoutError):
            async with small.provide_session():
                pass
    await small.close_pool()


async def verifying_modes_refuse_plaintext(dsn: str, folder: Path) -> None:
    authority = str(Certificates.make(folder).ca_file)
    for mode in (SslMode.VerifyFull, SslMode.VerifyCa):
        config = psqlpy_adapter.PsqlpyConfig(
            connection_config={"dsn": dsn, "ssl_mode": mode, "ca_file": authority}
        )
        with pytest.raises(DatabaseConnectionError, match="does not support TLS"):
            async with config.provide_session():
                pass
        await config.close_pool()


async def two_tasks_share_a_transaction(session: Any) -> None:
    async def other_task() -> None:
        await session.execute("DELETE FROM skill_users")

    await session.begin()
    await asyncio.create_task(other_task())
    await session.rollback()
    assert await session.select_value("SELECT count(*) FROM skill_users") == 3


CURED = [
    rows_between_placeholders,
    execute_many_keeps_the_transaction,
    a_stream_keeps_the_transaction,
    a_write_by_distance_finds_its_row,
    a_commit_after_an_error_reports_it,
    a_failed_overwrite_keeps_the_rows,
    a_text_is_a_uuid_each_time,
    a_float_is_stored_each_time,
    a_list_is_a_vector_each_time,
]
"""And three more that want a configuration of their own."""


@proves(
    "Take the drop-in, `{package}`, unless no code may be added to the project: natural code is "
    "right on it; of what is `WRONG` below only sharing a session between tasks remains."
)
async def test_the_drop_in_cures_what_is_wrong(
    dsn: str, dropin: Any, tmp_path: Path, package: str
) -> None:
    """Each mark WRONG of SKILL.md has its function here, in the order of the text."""
    assert psqlpy_adapter.__name__ == package
    assert SKILL.read_text().count("# WRONG: ") == len(CURED) + 3 + 1
    await dropin.execute_script(
        "CREATE TABLE skill_users (id int PRIMARY KEY, age int, rating float8);"
        "INSERT INTO skill_users VALUES (1, 36, 1), (2, 45, 2), (3, 17, 3);"
        "CREATE TABLE skill_vectors AS SELECT id, vector FROM embeddings"
    )
    for check in CURED:
        await check(dropin)
    await a_cancelled_query_stops(dropin, dsn)
    await a_full_pool_has_a_limit(dsn)
    await verifying_modes_refuse_plaintext(dsn, tmp_path)
    await two_tasks_share_a_transaction(dropin)
    await dropin.execute_script("DROP TABLE skill_users, skill_vectors")
