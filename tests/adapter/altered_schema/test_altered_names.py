"""Names mean other tables: search paths, transactions that are undone, temporary tables."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest
from altered_tools import ADD, NOON, RETYPED, days


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
