import asyncio

import psqlpy
import psycopg
import pytest
from harness import Breaks, promise
from psqlpy import ConnRecyclingMethod
from sqlspec.exceptions import SQLSpecError

STAYS = Breaks(AssertionError)


async def pool(adapter, dsn, method):
    """A pool that lends the same backend twice, with the method as an enum for both adapters."""
    config = adapter.config(
        connection_config={"dsn": dsn, "max_db_pool_size": 2, "conn_recycling_method": method}
    )
    async with config.provide_session() as session:
        backend = await session.select_value("SELECT pg_backend_pid()")
    return config, backend


async def after(adapter, dsn, method, script, query):
    """What the next borrower of the same backend gets for `query` once `script` was run."""
    config, backend = await pool(adapter, dsn, method)
    async with config.provide_session() as session:
        await session.connection.execute_batch(script)
    async with config.provide_session() as session:
        assert await session.select_value("SELECT pg_backend_pid()") == backend
        found = await session.select_value(query)
    await config.close_pool()
    return found


METHODS = [ConnRecyclingMethod.Fast, ConnRecyclingMethod.Verified, ConnRecyclingMethod.Clean]


@pytest.mark.parametrize("method", METHODS, ids=str)
@promise("P19", stock=Breaks(psycopg.errors.LockNotAvailable))
async def test_a_raw_transaction_ends_with_its_session(adapter, dsn, method):
    config, _ = await pool(adapter, dsn, method)
    async with config.provide_session() as session:
        await session.connection.execute_batch("BEGIN; LOCK TABLE users")
    with psycopg.connect(dsn) as connection:
        # The locks are gone before anybody borrows the connection again.
        connection.execute("SET lock_timeout = '500ms'")
        connection.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
    await config.close_pool()


@pytest.mark.parametrize("method", METHODS, ids=str)
@promise("P19", stock=STAYS)
async def test_the_next_borrower_s_writes_are_committed(adapter, dsn, method):
    config, _ = await pool(adapter, dsn, method)
    async with config.provide_session() as session:
        await session.connection.execute_batch("BEGIN")
    async with config.provide_session() as session:
        await session.execute("CREATE TABLE kept (id int)")
    await config.close_pool()
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT to_regclass('kept')").fetchone()[0] == "kept"


@pytest.mark.parametrize("method", METHODS[:2], ids=str)
@promise("P19", stock=Breaks(SQLSpecError, "current transaction is aborted"))
async def test_a_failed_raw_transaction_ends_with_its_session(adapter, dsn, method):
    config, _ = await pool(adapter, dsn, method)
    async with config.provide_session() as session:
        await session.connection.execute_batch("BEGIN")
        with pytest.raises(SQLSpecError):
            await session.execute("SELECT 1 / 0")
    async with config.provide_session() as session:
        assert await session.select_value("SELECT 1") == 1
    await config.close_pool()


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


@promise("P19", stock=Breaks(psqlpy.Error, "division by zero"))
async def test_a_connection_whose_hook_fails_at_its_return_is_not_lent_again(adapter, dsn):
    """The hook runs again after "clean" has undone what it had set."""
    seen = []
    kept = []  # as in the test of the hook below

    async def hook(connection):
        kept.append(connection)
        found = await connection.fetch("SELECT pg_backend_pid() AS pid", [])
        seen.append(found.result()[0]["pid"])
        if len(seen) == 2:
            await connection.execute("SELECT 1 / 0")
        await connection.execute("SET app.tenant = 'ours'")

    config = adapter.config(
        connection_config={
            "dsn": dsn,
            "max_db_pool_size": 2,
            "conn_recycling_method": ConnRecyclingMethod.Clean,
        },
        driver_features={"on_connection_create": hook},
    )
    for _ in range(2):
        async with config.provide_session() as session:
            value = await session.select_value("SELECT current_setting('app.tenant', true)")
            assert value == "ours"
            assert await session.select_value("SELECT pg_backend_pid()") == seen[-1]
    await config.close_pool()
    assert seen[0] == seen[1] != seen[2]


@pytest.mark.parametrize("method", METHODS, ids=str)
@promise("P19", stock=None)
async def test_a_connection_with_a_transaction_of_psqlpy_s_own_is_not_lent_again(
    adapter, dsn, method
):
    """psqlpy goes on believing in a Transaction object that nobody ended."""
    config, backend = await pool(adapter, dsn, method)
    async with config.provide_session() as session:
        left_open = session.connection.transaction()
        await left_open.begin()
    async with config.provide_session() as session:
        assert await session.select_value("SELECT pg_backend_pid()") != backend
    await config.close_pool()


@promise("P19", stock=Breaks(TimeoutError))
async def test_what_create_connection_gives_is_outside_of_the_pool(adapter, dsn):
    config, _ = await pool(adapter, dsn, ConnRecyclingMethod.Fast)
    async with asyncio.timeout(3):
        made = [await config.create_connection() for _ in range(3)]
        async with config.provide_session() as one, config.provide_session() as other:
            assert await one.select_value("SELECT 1") + await other.select_value("SELECT 1") == 2
    assert config.connection_instance.status().size == 2
    for connection in made:
        connection.close()
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


@promise("P19", stock=STAYS)
async def test_the_hook_runs_once_for_each_connection(adapter, dsn):
    seen = []
    kept = []  # stock tells connections apart by id(), which must not be used again here

    async def hook(connection):
        kept.append(connection)
        found = await connection.fetch("SELECT pg_backend_pid() AS pid", [])
        seen.append(found.result()[0]["pid"])

    config = adapter.config(
        connection_config={"dsn": dsn, "max_db_pool_size": 2},
        driver_features={"on_connection_create": hook},
    )
    for _ in range(5):
        async with config.provide_session():
            pass
    await config.close_pool()
    assert len(seen) == len(set(seen)) == 1


@promise("P19", stock=STAYS)
async def test_what_the_hook_sets_holds_for_every_borrower(adapter, dsn):
    count = 0

    async def hook(connection):
        nonlocal count
        count += 1
        await connection.execute("SET app.tenant = 'ours'")

    for method in METHODS:
        config = adapter.config(
            connection_config={
                "dsn": dsn,
                "max_db_pool_size": 2,
                "conn_recycling_method": method,
            },
            driver_features={"on_connection_create": hook},
        )
        for _ in range(8):
            async with config.provide_session() as one, config.provide_session() as other:
                for session in (one, other):
                    value = await session.select_value("SELECT current_setting('app.tenant', true)")
                    assert value == "ours"
        await config.close_pool()
    # Twice with the methods that leave settings alone; after each return with "clean".
    assert count < 2 + 2 + 2 + 2 * 8 + 1


@promise("P19", stock=None)
async def test_a_dead_connection_is_not_lent(adapter, dsn):
    config, backend = await pool(adapter, dsn, ConnRecyclingMethod.Fast)
    with psycopg.connect(dsn) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
    async with config.provide_session() as session:
        assert await session.select_value("SELECT pg_backend_pid()") != backend
    await config.close_pool()
