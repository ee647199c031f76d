"""Proofs of references/drop-in.md: what stays as it was, and what still holds."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from dropin_tools import answer, opened
from proveskill import proves
from sqlspec.exceptions import SQLSpecError
from watching_tools import ask


@proves("scripts: each statement is committed by itself;")
async def test_a_script_commits_each_statement(dropin, dsn) -> None:
    with pytest.raises(SQLSpecError):
        await dropin.execute_script("CREATE TABLE first_of_a_script (id int); SELECT 1/0")
    assert ask(dsn, "SELECT to_regclass('first_of_a_script')::text") == "first_of_a_script"


@proves("`transaction()` after `begin()`: it commits that one;")
async def test_a_block_after_begin_commits_what_was_begun(dropin, dsn) -> None:
    await dropin.execute("CREATE TABLE begun (id int)")
    await dropin.begin()
    await dropin.execute("INSERT INTO begun VALUES (1)")
    async with dropin.transaction():
        await dropin.execute("INSERT INTO begun VALUES (2)")
    assert ask(dsn, "SELECT count(*) FROM begun") == 2


@proves('a `SET`: it outlives its session unless `{key}` is `"{word}"`.')
async def test_a_setting_outlives_its_session(key: str, word: str, dsn) -> None:
    for method in (None, "fast", "verified", "clean"):
        async with opened(dsn, max_db_pool_size=1, **{key: method}) as config:
            pid = await answer(config, "SELECT pg_backend_pid()")
            async with config.provide_session() as session:
                await session.execute("SET lock_timeout = '7s'")
            assert await answer(config, "SELECT pg_backend_pid()") == pid
            found = await answer(config, "SHOW lock_timeout")
            assert found == ("0" if method == word else "7s")


@proves("what is PostgreSQL's own law;", "`SET LOCAL` and `FOR UPDATE` need a transaction.")
async def test_set_local_and_locks_need_a_transaction(dropin, dsn) -> None:
    lock = "SELECT id FROM users WHERE id = 1 FOR UPDATE"
    await dropin.execute("SET LOCAL lock_timeout = '7s'")
    assert await dropin.select_value("SHOW lock_timeout") == "0"
    with psycopg.connect(dsn) as other:
        await dropin.select(lock)
        other.execute(f"{lock} NOWAIT")
        other.rollback()
        await dropin.begin()
        await dropin.execute("SET LOCAL lock_timeout = '7s'")
        assert await dropin.select_value("SHOW lock_timeout") == "7s"
        await dropin.select(lock)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute(f"{lock} NOWAIT")
    await dropin.rollback()


@proves(
    "A session is one connection with one transaction: "
    "tasks that must not share it need a session each.",
    "Tasks that write in transactions of their own still need a session each.",
)
async def test_a_session_has_one_transaction_for_all_tasks(dsn) -> None:
    async with opened(dsn) as config, config.provide_session() as session:
        await session.execute("CREATE TABLE shared (id int)")

        async def write(used, number) -> int:
            await used.execute("INSERT INTO shared VALUES ($1)", number)
            return await used.select_value("SELECT pg_backend_pid()")

        await session.begin()
        pids = await asyncio.gather(*(write(session, number) for number in range(5)))
        assert len(set(pids)) == 1
        async with config.provide_session() as own:
            await own.begin()
            assert await asyncio.create_task(write(own, 9)) not in pids
            await session.rollback()
            await own.commit()
    assert ask(dsn, "SELECT array_agg(id) FROM shared") == [9]


@proves("Columns of one name collapse in a dict.")
async def test_columns_of_one_name_collapse(dropin) -> None:
    assert await dropin.select_one("SELECT 1 AS id, 2 AS id") == {"id": 2}


@proves("An HNSW index serves one operator, with `ORDER BY` and `LIMIT`.")
async def test_an_index_serves_one_operator(dropin) -> None:
    await dropin.execute_script(
        "CREATE TABLE indexed (id int, v vector(3));"
        "INSERT INTO indexed SELECT n, ARRAY[n, 1, 0]::vector FROM generate_series(1, 3000) n;"
        "CREATE INDEX ON indexed USING hnsw (v vector_cosine_ops) WITH (m = 2);"
        "ANALYZE indexed"
    )

    async def is_served(rest: str) -> bool:
        plan = await dropin.select(f"EXPLAIN SELECT id FROM indexed {rest}", [1, 0, 0])
        return "Index Scan" in str(plan)

    assert await is_served("ORDER BY v <=> $1 LIMIT 1")
    for operator in ("<->", "<#>", "<+>"):
        assert not await is_served(f"ORDER BY v {operator} $1 LIMIT 1")
    assert not await is_served("ORDER BY v <=> $1")
    assert not await is_served("WHERE (v <=> $1) < 0.1 LIMIT 1")
