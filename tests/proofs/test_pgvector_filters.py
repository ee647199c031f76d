"""Proofs of references/pgvector.md: how many rows an HNSW search finds."""

from __future__ import annotations

import pytest
from proveskill import proves
from psqlpy.extra_types import PgVector
from sqlspec.adapters.psqlpy import PsqlpyConfig, PsqlpyDriver
from sqlspec.exceptions import SQLSpecError

FOUND = """
    CREATE TABLE found AS
    SELECT i AS id, repeat('text ', 380) AS body, ARRAY[cos(i), sin(i), i]::vector(3) AS vector
    FROM generate_series(1, 1000) AS i;
    CREATE INDEX found_l2 ON found USING hnsw (vector vector_l2_ops);
    ANALYZE found;
"""
ORIGIN = PgVector([0, 0, 0])
"""The nearest row is 1, then 2, and so on."""


@pytest.fixture
async def found(session: PsqlpyDriver) -> None:
    """The table of this module, made once."""
    if await session.select_value("SELECT to_regclass('found') IS NULL"):
        await session.execute_script(FOUND)


async def search(session: PsqlpyDriver, limit: int, where: str = "true") -> list[int]:
    sql = f"SELECT id FROM found WHERE {where} ORDER BY vector <-> $1 LIMIT {limit}"
    return [row["id"] for row in await session.select(sql, ORIGIN)]


@proves(
    "An HNSW search yields at most `{setting}` candidates, {default} by default, and WHERE filters"
    " those.",
    "So a filter can leave few rows or none, and LIMIT 80 gives {given}.",
)
async def test_where_filters_the_candidates(
    session: PsqlpyDriver, found: None, setting: str, default: int, given: int
) -> None:
    rows = await search(session, 80)
    assert len(rows) == default == given
    assert await search(session, 100) == rows
    assert await search(session, default, "id <> 3") == [i for i in rows if i != 3]
    assert await search(session, 3, "id > 900") == []
    await session.begin()
    await session.execute(f"SET LOCAL {setting} = 17")
    assert len(await search(session, 80)) == 17
    await session.rollback()


@proves(
    "Set `{scan}` to `strict_order` for filters, or `{candidates}` to at least the LIMIT"
    " ({most} at most), with `SET LOCAL` inside a transaction:"
)
async def test_settings_that_find_more(
    session: PsqlpyDriver, found: None, scan: str, candidates: str, most: int
) -> None:
    async with session.transaction():
        await session.execute(f"SET LOCAL {scan} = strict_order")
        assert await search(session, 3, "id > 900") == [901, 902, 903]
    async with session.transaction():
        await session.execute(f"SET LOCAL {candidates} = 80")
        assert len(await search(session, 80)) == 80
        await session.execute(f"SET LOCAL {candidates} = {most}")
        assert await session.select_value("SHOW hnsw.ef_search") == str(most)
    assert len(await search(session, 80)) == 40
    with pytest.raises(SQLSpecError, match="outside the valid range"):
        await session.execute(f"SET {candidates} = {most + 1}")


@proves(
    "Outside a transaction `{local}` does nothing and raises nothing; a plain `SET` stays on the"
    " connection and reaches its next user: see Transactions."
)
async def test_where_a_setting_holds(
    config: PsqlpyConfig, session: PsqlpyDriver, found: None, local: str
) -> None:
    await session.execute(f"{local} hnsw.ef_search = 70")
    assert len(await search(session, 80)) == 40
    async with config.provide_session() as first:
        backend = await first.select_value("SELECT pg_backend_pid()")
        await first.execute("SET hnsw.ef_search = 70")
    async with config.provide_session() as second:
        assert await second.select_value("SELECT pg_backend_pid()") == backend
        assert len(await search(second, 80)) == 70


@proves(
    "`{word}` takes no parameters.",
    "Use `{function}` with a string, `{is_local}` making it local to the transaction:",
)
async def test_a_setting_by_a_parameter(
    session: PsqlpyDriver, found: None, word: str, function: str, is_local: bool
) -> None:
    with pytest.raises(SQLSpecError, match="syntax error"):
        await session.execute(f"{word} LOCAL hnsw.ef_search = $1", 60)
    await session.execute(f"{word} LOCAL hnsw.ef_search = 60")
    sql = f"SELECT {function}('hnsw.ef_search', $1, {is_local})"
    with pytest.raises((SQLSpecError, TypeError)):
        await session.select_value(sql, 60.5)
    async with session.transaction():
        assert await session.select_value(sql, "60") == "60"
        assert len(await search(session, 80)) == 60
    assert len(await search(session, 80)) == 40


@proves("For every query of a program, set it for all its connections:")
async def test_a_setting_for_all_connections(dsn: str, found: None) -> None:
    options = "-c hnsw.iterative_scan=strict_order -c hnsw.ef_search=70"
    settings = {"dsn": dsn, "max_db_pool_size": 3, "options": options}
    config = PsqlpyConfig(connection_config=settings)
    async with config.provide_session() as one, config.provide_session() as other:
        for session in (one, other):
            assert await session.select_value("SHOW hnsw.ef_search") == "70"
            assert await search(session, 3, "id > 900") == [901, 902, 903]
    await config.close_pool()
