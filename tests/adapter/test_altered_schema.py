"""Tables, types and the search path change while connections have statements prepared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Any

import psqlpy
import pytest
from psqlpy_adapter import PsqlpyConfig, freshness, remembered
from sqlspec.exceptions import DataError, SQLSpecError

ADD = "INSERT INTO visits (day, n) VALUES ($1, $2)"
NOON = datetime(2026, 1, 2, 12, 30)
TABLE = "CREATE TABLE visits (day date, n int)"
RETYPED = "ALTER TABLE visits ALTER day TYPE timestamp, ALTER n TYPE bigint"


@pytest.fixture
async def config(dsn: str) -> AsyncIterator[Any]:
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    yield config
    await config.close_pool()


@pytest.fixture
async def session(config: Any) -> AsyncIterator[Any]:
    async with config.provide_session() as session:
        await session.execute(TABLE)
        await session.execute(ADD, date(2026, 1, 1), 1)
        await session.execute(ADD, date(2026, 1, 1), 1)
        yield session


@pytest.fixture
async def stranger(dsn: str) -> AsyncIterator[psqlpy.Connection]:
    """A connection of another program, as far as the adapter can know."""
    connection = await psqlpy.connect(dsn)
    yield connection
    connection.close()


@pytest.fixture
def impatient(monkeypatch):
    """The catalogue is asked before each statement."""
    monkeypatch.setattr(freshness.Freshness, "is_due", lambda self: True)


async def days(session: Any) -> list[Any]:
    return [row["day"] for row in await session.select("SELECT day FROM visits ORDER BY day")]


async def test_a_session_stores_by_the_new_types_after_its_own_alter_table(session):
    await session.execute(RETYPED)
    await session.execute(ADD, NOON, 2**40)
    assert NOON in await days(session)


async def test_a_session_stores_by_the_new_types_after_an_alter_table_of_another_one(
    session, config
):
    async with config.provide_session() as other:
        await other.execute(RETYPED)
    await session.execute(ADD, NOON, 2)
    assert NOON in await days(session)


async def test_a_session_stores_by_the_new_types_after_a_transaction_with_ddl_of_another_one(
    session, config
):
    async with config.provide_session() as other:
        async with other.transaction():
            await other.execute("ALTER TABLE visits ALTER day TYPE timestamp")
            await asyncio.wait_for(session.select_value("SELECT 1"), 5)
        await session.execute(ADD, NOON, 2)
    assert NOON in await days(session)


async def test_a_session_stores_by_the_new_types_a_while_after_ddl_of_another_program(
    session, stranger, impatient
):
    await session.execute(ADD, date(2026, 1, 1), 1)
    await stranger.execute_batch(RETYPED)
    await session.execute(ADD, NOON, 2)
    assert NOON in await days(session)


async def test_statements_behind_an_alter_table_in_one_gather_use_the_new_types(session):
    await asyncio.gather(
        session.execute(RETYPED), session.execute(ADD, NOON, 2), session.execute(ADD, NOON, 2)
    )
    assert (await days(session)).count(NOON) == 2


async def test_the_catalogue_is_not_asked_again_within_its_time(session, monkeypatch):
    monkeypatch.setattr(freshness, "CHECK_SECONDS", 3600.0)
    session.describer.freshness.doubt()
    await session.execute(ADD, date(2026, 1, 1), 1)
    due = session.describer.freshness._due
    for _ in range(5):
        await session.execute(ADD, date(2026, 1, 1), 1)
    assert session.describer.freshness._due == due


@pytest.fixture
def unseen(monkeypatch):
    """As if DDL had just been done elsewhere: the catalogue is not asked in this test."""
    monkeypatch.setattr(freshness.Freshness, "is_due", lambda self: False)


async def test_a_value_that_does_not_fit_is_refused_only_if_it_does_not_fit_now(
    session, stranger, unseen
):
    await stranger.execute_batch(RETYPED)
    await session.execute(ADD, date(2026, 1, 1), 2**40)
    assert await session.select_value("SELECT max(n) FROM visits") == 2**40


async def test_a_batch_with_a_value_that_does_not_fit_asks_for_the_types_anew(
    session, stranger, unseen
):
    await stranger.execute_batch(RETYPED)
    rows = [(date(2026, 1, 1), 2**40)] * 30
    assert (await session.execute_many(ADD, rows)).rows_affected == 30


async def test_a_batch_in_a_transaction_asks_for_the_types_anew(session, stranger, unseen):
    await stranger.execute_batch(RETYPED)
    async with session.transaction():
        await session.execute_many(ADD, [(date(2026, 1, 1), 2**40)] * 3)
    assert await session.select_value("SELECT count(*) FROM visits WHERE n > 1") == 3


async def test_a_stream_with_a_value_that_does_not_fit_asks_for_the_types_anew(
    session, stranger, unseen
):
    query = "SELECT n FROM visits WHERE n < $1"
    async with session.select_stream(query, 5) as stream:
        assert len([row async for row in stream]) == 2
    await stranger.execute_batch("ALTER TABLE visits ALTER n TYPE bigint")
    async with session.select_stream(query, 2**40) as stream:
        assert len([row async for row in stream]) == 2


async def test_a_value_that_is_wrong_leaves_nothing_behind_on_the_server(session):
    before = await session.select_value("SELECT count(*) FROM pg_prepared_statements")
    for _ in range(3):
        with pytest.raises(DataError, match=r"parameter \$2: a Python int .* int4"):
            await session.execute(ADD, date(2026, 1, 1), 2**40)
    assert await session.select_value("SELECT count(*) FROM pg_prepared_statements") <= before + 1


async def test_a_value_that_is_wrong_does_not_end_a_transaction(session, stranger, unseen):
    async with session.transaction():
        await stranger.execute_batch("DROP TABLE IF EXISTS nothing")
        with pytest.raises(DataError):
            await session.execute(ADD, date(2026, 1, 1), 2**40)
        await session.execute(ADD, date(2026, 1, 1), 7)
    assert await session.select_value("SELECT max(n) FROM visits") == 7


async def test_a_value_that_is_wrong_is_still_named_in_a_transaction_that_has_failed(session):
    await session.begin()
    with pytest.raises(SQLSpecError):
        await session.execute("SELECT 1 / $1::int", 0)
    with pytest.raises(DataError, match=r"parameter \$2"):
        await session.execute(ADD, date(2026, 1, 1), 2**40)
    await session.rollback()


async def test_gathered_reads_follow_an_alter_table_elsewhere(session, stranger):
    query = "SELECT * FROM visits WHERE n = $1"
    await asyncio.gather(*(session.select(query, 1) for _ in range(5)))
    await asyncio.gather(*(session.select(query, 1) for _ in range(5)))
    await stranger.execute_batch(
        "ALTER TABLE visits ADD z int; ALTER TABLE visits ALTER n TYPE text"
    )
    for value in (1, 1):
        session.describer.freshness.doubt()
        found = await asyncio.gather(*(session.select(query, str(value)) for _ in range(5)))
        assert [len(rows) for rows in found] == [2] * 5


async def test_an_error_does_not_wait_for_other_statements(session, config):
    async with config.provide_session() as other:
        await other.begin()
        await other.execute("SELECT pg_advisory_xact_lock(1)")
        await session.execute("SELECT 1 / $1::int", 1)
        failing = asyncio.ensure_future(session.execute("SELECT 1 / $1::int", 0))
        behind = asyncio.ensure_future(session.execute_script("SELECT pg_advisory_xact_lock(1)"))
        with pytest.raises(SQLSpecError, match="division by zero"):
            await asyncio.wait_for(failing, 5)
        await other.rollback()
        await behind


async def test_each_search_path_has_its_own_types(session):
    await session.execute_script(
        "CREATE SCHEMA one; CREATE TABLE one.v (x int); CREATE SCHEMA two; "
        "CREATE TABLE two.v (x text)"
    )
    for path, value in (("one", 1), ("two", "abc"), ("one", 2), ("two", "d")):
        await session.execute(f"SET search_path = {path}")
        await session.execute("INSERT INTO v VALUES ($1)", value)
        assert await session.select("SELECT x FROM v WHERE x = $1", value) == [{"x": value}]


async def test_search_paths_with_the_same_tables_share_their_plans(session):
    await session.execute_script(
        "CREATE SCHEMA one; CREATE TABLE one.v (x int); CREATE SCHEMA two; "
        "CREATE TABLE two.v (x int)"
    )
    await session.execute("SET search_path = one")
    await session.execute("INSERT INTO v VALUES ($1)", 1)
    plan = session.describer.plans.get("INSERT INTO v VALUES ($1)")
    await session.execute("SET search_path = two")
    await session.execute("INSERT INTO v VALUES ($1)", 2)
    assert session.describer.plans.get("INSERT INTO v VALUES ($1)") is plan
    assert await session.select_value("SELECT x FROM two.v") == 2


async def test_a_search_path_set_by_a_function_has_its_own_types(session):
    await session.execute_script("CREATE SCHEMA one; CREATE TABLE one.visits (day text, n text)")
    await session.execute("SELECT set_config('search_path', 'one', false)")
    await session.execute(ADD, "monday", "many")
    assert await session.select("SELECT * FROM one.visits") == [{"day": "monday", "n": "many"}]


async def test_a_search_path_of_a_transaction_ends_with_it(session):
    await session.execute_script("CREATE SCHEMA one; CREATE TABLE one.visits (day text, n text)")
    async with session.transaction():
        await session.execute("SET LOCAL search_path = one")
        await session.execute(ADD, "monday", "many")
    await session.execute(ADD, date(2026, 1, 1), 8)
    assert await session.select_value("SELECT max(n) FROM visits") == 8


async def test_a_temporary_table_made_again_has_its_new_types_in_each_transaction(session):
    for kind, value in (("int", 1), ("text", "q"), ("jsonb", {"a": 1})):
        async with session.transaction():
            await session.execute(f"CREATE TEMP TABLE t (x {kind}) ON COMMIT DROP")
            await session.execute("INSERT INTO t VALUES ($1)", (value,))
            assert await session.select("SELECT * FROM t") == [{"x": value}]


async def test_ddl_that_is_rolled_back_leaves_the_old_types(session):
    await session.begin()
    await session.execute(RETYPED)
    await session.execute(ADD, NOON, 2**40)
    await session.rollback()
    await session.execute(ADD, date(2026, 3, 3), 3)
    assert date(2026, 3, 3) in await days(session)


async def test_ddl_that_is_undone_to_a_savepoint_leaves_the_old_types(session):
    async with session.transaction():
        await session.create_savepoint("before")
        await session.execute(RETYPED)
        await session.execute(ADD, NOON, 2**40)
        await session.rollback_to_savepoint("before")
        await session.execute(ADD, date(2026, 3, 3), 3)
    assert date(2026, 3, 3) in await days(session)


async def test_a_select_of_all_columns_follows_an_alter_table_in_its_transaction(session):
    query = "SELECT * FROM visits WHERE n = $1 LIMIT 1"
    async with session.transaction():
        await session.select(query, 1)
        await session.execute("ALTER TABLE visits ADD z int DEFAULT 5")
        assert await session.select(query, 1) == [{"day": date(2026, 1, 1), "n": 1, "z": 5}]


async def test_a_function_of_a_row_follows_an_alter_table_in_its_transaction(session):
    await session.execute(
        "CREATE FUNCTION firsts() RETURNS SETOF visits LANGUAGE sql AS "
        "'SELECT * FROM visits LIMIT 1'"
    )
    async with session.transaction():
        await session.select("SELECT * FROM firsts()")
        await session.execute("ALTER TABLE visits ADD z int DEFAULT 5")
        found = await session.select("SELECT * FROM firsts()")
    assert found == [{"day": date(2026, 1, 1), "n": 1, "z": 5}]


COMPOSITE = "CREATE TYPE place AS (a int, b int); CREATE TABLE places (p place)"
PUT = "INSERT INTO places VALUES ($1)"


async def test_a_composite_type_altered_elsewhere_is_learnt_anew(session, stranger, unseen):
    await session.execute_script(COMPOSITE)
    await session.execute(PUT, ((1, 2),))
    await stranger.execute_batch("ALTER TYPE place ADD ATTRIBUTE c text")
    await session.execute(PUT, {"a": 1, "b": 2, "c": "x"})
    assert await session.select_value("SELECT (p).c FROM places WHERE (p).c = 'x'") == "x"


async def test_an_attribute_renamed_elsewhere_is_read_by_its_new_name(session, stranger, impatient):
    await session.execute_script(COMPOSITE)
    await session.execute(PUT, ((1, 2),))
    assert await session.select("SELECT p FROM places") == [{"p": {"a": 1, "b": 2}}]
    await stranger.execute_batch("ALTER TYPE place RENAME ATTRIBUTE b TO c")
    assert await session.select("SELECT p FROM places") == [{"p": {"a": 1, "c": 2}}]


@pytest.mark.parametrize(
    "command",
    [
        "DISCARD ALL",
        "deallocate all",
        "DEALLOCATE PREPARE ALL",
        "DEALLOCATE s1",
        "BEGIN; DISCARD ALL",
    ],
)
async def test_what_would_end_the_prepared_statements_of_psqlpy_is_refused(session, command):
    for run in (session.execute, session.execute_script):
        with pytest.raises(SQLSpecError, match="Nothing was sent"):
            await run(command)
    await session.rollback()
    await session.execute(ADD, date(2026, 1, 1), 1)


async def test_statements_of_the_users_own_can_be_deallocated(session):
    await session.execute("PREPARE mine AS SELECT 1")
    await session.execute("DEALLOCATE mine")


async def test_a_connection_without_its_prepared_statements_is_not_lent_again(dsn):
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 1})
    async with config.provide_session() as session:
        pid = await session.select_value("SELECT pg_backend_pid()")
        await session.connection.execute_batch("DEALLOCATE ALL")
        with pytest.raises(SQLSpecError, match="does not exist"):
            await session.select_value("SELECT pg_backend_pid()")
    async with config.provide_session() as session:
        assert await session.select_value("SELECT pg_backend_pid()") != pid
    await config.close_pool()


async def test_the_server_keeps_a_bounded_number_of_statements(session, monkeypatch):
    monkeypatch.setattr(remembered, "ONCE", 20)
    monkeypatch.setattr(remembered, "BATCH", 5)
    for number in range(100):
        await session.execute(f"UPDATE visits SET n = {number} WHERE n = $1", -1)
        assert await session.select_value(f"SELECT $1::int + {number}", 1) == number + 1
    found = await session.select_value("SELECT count(*) FROM pg_prepared_statements")
    assert found < 50


async def test_a_text_whose_statement_was_deallocated_can_be_used_again(session, monkeypatch):
    monkeypatch.setattr(remembered, "ONCE", 5)
    monkeypatch.setattr(remembered, "BATCH", 2)
    for _ in range(3):
        for number in range(12):
            assert await session.select_value(f"SELECT $1::int + {number}", 1) == number + 1
            await session.execute(f"UPDATE visits SET n = {number} WHERE n = $1", -1)
            await session.execute_many(
                f"INSERT INTO visits VALUES ($1, $2 + {number})", [(date(2026, 1, 1), 1)] * 12
            )


async def test_statements_that_are_forgotten_while_tasks_wait_to_send_them_are_kept(
    session, monkeypatch
):
    monkeypatch.setattr(remembered, "ONCE", 3)
    monkeypatch.setattr(remembered, "REMEMBERED", 3)
    monkeypatch.setattr(remembered, "BATCH", 1)
    for _ in range(3):
        texts = [f"SELECT $1::int + {number} AS n ORDER BY 1" for number in range(20)]
        known = texts[-3:] * 5
        found = await asyncio.gather(
            *(session.select_value(text, 0) for text in [*known, *texts, *known])
        )
        assert found[-1] == 19


async def test_a_statement_that_is_used_again_outlives_many_that_were_used_once(
    session, monkeypatch
):
    monkeypatch.setattr(remembered, "ONCE", 5)
    plan = session.describer.plans.get(ADD)
    for number in range(50):
        await session.execute(f"SELECT {number}")
    assert session.describer.plans.get(ADD) is plan


async def test_the_same_text_on_the_raw_connection_keeps_its_statement(session, monkeypatch):
    monkeypatch.setattr(remembered, "ONCE", 5)
    monkeypatch.setattr(remembered, "BATCH", 2)
    await session.execute("SELECT 42 AS n")
    for number in range(20):
        await session.execute(f"SELECT {number}")
    found = await session.connection.fetch("SELECT 42 AS n")
    assert found.result() == [{"n": 42}]


async def test_migrations_find_the_types_of_their_schema(session):
    await session.execute_script("CREATE SCHEMA one; CREATE TABLE one.visits (day text, n text)")
    async with session.transaction():
        await session.set_migration_session_schema("one")
        await session.execute(ADD, "monday", "many")
    assert await session.select_value("SELECT n FROM one.visits") == "many"


async def test_a_repeatable_read_transaction_does_not_hide_what_others_altered(session, config):
    async with session.transaction(isolation_level="repeatable read"):
        await session.select_value("SELECT 1")
        async with config.provide_session() as other:
            await other.execute("CREATE TABLE elsewhere (x int)")
            await other.execute(RETYPED)
        await session.select_value("SELECT 1")
    await session.execute(ADD, NOON, 2)
    assert NOON in await days(session)


@pytest.mark.parametrize(
    "name", ["Übung", "ÄÖ", "x" * 70, r'U&"d\0061ta"', r'U&"\+0000E4x"', '"a""b"']
)
async def test_a_table_of_any_name_is_known_after_an_alter_table(session, name):
    add = f"INSERT INTO {name} (day) VALUES ($1)"
    await session.execute(f"CREATE TABLE {name} (day date)")
    await session.execute(add, date(2026, 1, 1))
    await session.execute(f"ALTER TABLE {name} ALTER day TYPE timestamp")
    await session.execute(add, NOON)
    assert await session.select_value(f"SELECT max(day) FROM {name}") == NOON


@pytest.mark.parametrize("is_open", [False, True])
async def test_a_name_that_has_two_types_after_an_alter_table_is_two_parameters(session, is_open):
    add = "INSERT INTO notes (a, b) VALUES (:x, :x)"
    await session.execute("CREATE TABLE notes (a text, b text)")
    await session.execute(add, {"x": "5"})
    if is_open:
        await session.begin()
    await session.execute("ALTER TABLE notes ALTER b TYPE int USING b::int")
    await session.execute(add, {"x": "6"})
    await session.execute_many(add, [{"x": "7"}] * 20)
    assert await session.select_value("SELECT sum(b) FROM notes") == 151
    if is_open:
        await session.commit()


async def test_a_statement_behind_a_new_one_and_an_alter_table_uses_the_new_types(session):
    for number in range(3):
        await session.execute("ALTER TABLE visits ALTER day TYPE date")
        await session.execute(ADD, date(2026, 1, 1), 1)
        await asyncio.gather(
            session.execute("ALTER TABLE visits ALTER day TYPE timestamp"),
            session.execute(f"SELECT $1::int + {number} FROM visits", 1),  # asks the catalogue
            session.execute(ADD, NOON, number),
        )
        assert NOON in await days(session)
        await session.execute("DELETE FROM visits")
