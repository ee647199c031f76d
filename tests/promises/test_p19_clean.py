"""P19: the method "clean" leaves nothing of one borrower to the next."""

import pytest
from harness import promise
from psqlpy import ConnRecyclingMethod
from recycling import STAYS, after, pool
from sqlspec.exceptions import SQLSpecError

CLEANED = [
    ("SET work_mem = '3MB'", "SELECT current_setting('work_mem') = '3MB'"),
    ("SET app.tenant = 'x'", "SELECT current_setting('app.tenant', true) = 'x'"),
    ("SET ROLE pg_monitor", "SELECT current_user = 'pg_monitor'"),
    (
        "SET SESSION AUTHORIZATION pg_monitor",
        "SELECT session_user = 'pg_monitor' OR current_user = 'pg_monitor'",
    ),
    ("CREATE TEMP TABLE scratch (id int)", "SELECT to_regclass('pg_temp.scratch') IS NOT NULL"),
    (
        "SELECT pg_advisory_lock(4711)",
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' "
        "AND pid = pg_backend_pid())",
    ),
    ("LISTEN news", "SELECT EXISTS (SELECT pg_listening_channels())"),
    (
        "DECLARE numbers CURSOR WITH HOLD FOR SELECT 1",
        "SELECT EXISTS (SELECT FROM pg_cursors WHERE name = 'numbers')",
    ),
]


@pytest.mark.parametrize(("script", "query"), CLEANED, ids=[script for script, _ in CLEANED])
@promise("P19", stock=None)
async def test_clean_leaves_nothing_to_the_next_borrower(adapter, dsn, script, query):
    assert await after(adapter, dsn, ConnRecyclingMethod.Clean, script, query) is False


async def after_lending(adapter, dsn, way, script, query):
    """As `after`, where the raw connection was lent by `way` and not by a session."""
    config, backend = await pool(adapter, dsn, ConnRecyclingMethod.Clean)
    pools = await config.provide_pool()
    async with config.provide_connection() if way == "connection" else pools.acquire() as lent:
        found = await lent.fetch("SELECT pg_backend_pid() AS pid")
        assert found.result() == [{"pid": backend}]
        await lent.execute_batch(script)
    async with config.provide_session() as session:
        assert await session.select_value("SELECT pg_backend_pid()") == backend
        found = await session.select_value(query)
    await config.close_pool()
    return found


LEFT = [
    *(CLEANED[number] for number in (0, 4, 5)),
    ("CREATE TEMP SEQUENCE s; SELECT nextval('s')", "SELECT to_regclass('pg_temp.s') IS NOT NULL"),
]


@pytest.mark.parametrize(("script", "query"), LEFT, ids=[script for script, _ in LEFT])
@pytest.mark.parametrize("way", ["connection", "acquire"])
@promise("P19", stock=None)
async def test_clean_cleans_what_a_lent_connection_left(adapter, dsn, way, script, query):
    assert await after_lending(adapter, dsn, way, script, query) is False


@pytest.mark.parametrize("way", ["connection", "acquire"])
@promise("P19", stock=STAYS)
async def test_clean_ends_the_transaction_that_a_lent_connection_left(adapter, dsn, way):
    begun = "BEGIN; CREATE TABLE half (id int)"
    query = "SELECT to_regclass('half') IS NOT NULL"
    assert await after_lending(adapter, dsn, way, begun, query) is False


@promise("P19", stock=None)
async def test_clean_forgets_the_values_of_sequences(adapter, dsn):
    config, backend = await pool(adapter, dsn, ConnRecyclingMethod.Clean)
    async with config.provide_session() as session:
        await session.execute("INSERT INTO users (name) VALUES ('new')")
    async with config.provide_session() as session:
        assert await session.select_value("SELECT pg_backend_pid()") == backend
        with pytest.raises(SQLSpecError, match="is not yet defined in this session"):
            await session.select_value("SELECT lastval()")
    await config.close_pool()


@promise("P19", stock=None)
async def test_clean_keeps_prepared_statements(adapter, dsn):
    config, _ = await pool(adapter, dsn, ConnRecyclingMethod.Clean)
    for _ in range(3):
        async with config.provide_session() as session:
            assert await session.select_value("SELECT count(*) FROM users WHERE id = $1", 1) == 1
    await config.close_pool()


@promise("P19", stock=None)
async def test_settings_of_the_configuration_stay(adapter, dsn):
    config = adapter.config(
        connection_config={
            "dsn": dsn,
            "max_db_pool_size": 2,
            "conn_recycling_method": ConnRecyclingMethod.Clean,
            "options": "-c work_mem=3MB",
        }
    )
    for _ in range(2):
        async with config.provide_session() as session:
            assert await session.select_value("SHOW work_mem") == "3MB"
            await session.connection.execute_batch("SET work_mem = '4MB'")
    await config.close_pool()
