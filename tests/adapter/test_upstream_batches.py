"""execute_many, execute_script and statement stacks go on working on both adapters."""

from __future__ import annotations

import pytest
from sqlspec import SQL, StackExecutionError, StatementStack
from sqlspec.core import ArrowResult, SQLResult
from sqlspec.exceptions import SQLSpecError, UniqueViolationError

INSERT = "INSERT INTO users (name, age) VALUES (?, ?)"
ADDED = "SELECT name, age FROM users WHERE id > 3 ORDER BY id"


async def test_execute_many_inserts_every_row_in_order(session):
    result = await session.execute_many(INSERT, [("a", 1), ("b", None), ("c", 3)])
    assert result.rows_affected == 3
    rows = await session.select(ADDED)
    assert [(row["name"], row["age"]) for row in rows] == [("a", 1), ("b", None), ("c", 3)]


async def test_execute_many_updates_and_deletes(session):
    updated = await session.execute_many(
        "UPDATE users SET age = ? WHERE name = ?", [(1, "Ada"), (2, "Grace")]
    )
    deleted = await session.execute_many("DELETE FROM events WHERE id = ?", [(1,), (2,)])
    assert (updated.rows_affected, deleted.rows_affected) == (2, 2)
    rows = await session.select("SELECT age FROM users ORDER BY id")
    assert [row["age"] for row in rows] == [1, 2, 17]


@pytest.mark.parametrize("style", ["$1, $2", ":1, :2", "%s, %s"])
async def test_execute_many_takes_this_placeholder_style(session, style):
    await session.execute_many(
        f"INSERT INTO users (name, age) VALUES ({style})", [("a", 1), ("b", 2)]
    )
    assert len(await session.select(ADDED)) == 2


@pytest.mark.parametrize("style", [":name, :age", "%(name)s, %(age)s", "@name, @age"])
async def test_execute_many_takes_dicts(session, style):
    rows = [{"name": "a", "age": 1}, {"name": "b", "age": 2}]
    result = await session.execute_many(f"INSERT INTO users (name, age) VALUES ({style})", rows)
    assert result.rows_affected == 2
    assert await session.select(ADDED) == rows


async def test_execute_many_of_nothing_does_nothing(session):
    result = await session.execute_many(INSERT, [])
    assert result.rows_affected == 0
    assert await session.select(ADDED) == []


async def test_execute_many_takes_thousands_of_rows(session):
    result = await session.execute_many(INSERT, [(f"name {i}", i) for i in range(2500)])
    assert result.rows_affected == 2500
    assert await session.select_value("SELECT sum(age) FROM users WHERE id > 3") == sum(range(2500))


async def test_execute_many_with_returning_writes_every_row(session):
    await session.execute_many(f"{INSERT} RETURNING id", [("a", 1), ("b", 2)])
    assert len(await session.select(ADDED)) == 2


async def test_execute_many_with_on_conflict_leaves_the_rows_that_are_there(session):
    await session.execute_many(
        "INSERT INTO users (id, name) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
        [(1, "other"), (50, "new")],
    )
    rows = await session.select("SELECT name FROM users WHERE id IN (1, 50) ORDER BY id")
    assert [row["name"] for row in rows] == ["Ada", "new"]


async def test_execute_many_takes_arrays_and_documents(session):
    await session.execute_many(
        "INSERT INTO products (name, tags, metadata) VALUES ($1, $2, $3)",
        [("a", ["x", "y"], {"n": 1}), ("b", [], {"n": 2})],
    )
    rows = await session.select("SELECT tags, metadata FROM products WHERE id > 2 ORDER BY id")
    assert rows == [{"tags": ["x", "y"], "metadata": {"n": 1}}, {"tags": [], "metadata": {"n": 2}}]


async def test_a_failing_row_undoes_the_whole_batch(session):
    with pytest.raises(UniqueViolationError):
        await session.execute_many(
            "INSERT INTO users (id, name) VALUES ($1, $2)", [(50, "a"), (50, "b"), (51, "c")]
        )
    assert await session.select(ADDED) == []


async def test_an_sql_object_can_be_a_batch(session):
    result = await session.execute(SQL(INSERT, [("a", 1), ("b", 2)], is_many=True))
    assert result.rows_affected == 2
    assert len(await session.select(ADDED)) == 2


async def test_a_script_runs_every_statement(session):
    result = await session.execute_script(
        """
        INSERT INTO users (name, age) VALUES ('a', 1);
        INSERT INTO users (name, age) VALUES ('b; not the end', 2);  -- nor this;
        UPDATE users SET age = 9 WHERE name = 'a';
        """
    )
    assert isinstance(result, SQLResult)
    assert result.operation_type == "SCRIPT"
    rows = await session.select(ADDED)
    assert [(row["name"], row["age"]) for row in rows] == [("a", 9), ("b; not the end", 2)]


async def test_a_script_tells_how_many_statements_it_had(session):
    result = await session.execute_script("SELECT 1; SELECT 2; SELECT 3;")
    assert (result.total_statements, result.successful_statements) == (3, 3)


async def test_a_script_takes_a_function_body_between_dollar_signs(session):
    await session.execute_script(
        """
        CREATE FUNCTION twice(n int) RETURNS int LANGUAGE plpgsql AS $$
        BEGIN
            -- two statements in here; one script statement
            n := n + n;
            RETURN n;
        END;
        $$;
        CREATE TABLE after_it (id int);
        """
    )
    assert await session.select_value("SELECT twice(21)") == 42
    assert await session.select_value("SELECT to_regclass('after_it') IS NOT NULL") is True


async def test_a_script_takes_parameters(session):
    await session.execute_script(
        "INSERT INTO users (name, age) VALUES (?, ?); UPDATE users SET age = ? WHERE name = ?",
        ("a", 1, 7, "a"),
    )
    assert await session.select(ADDED) == [{"name": "a", "age": 7}]


async def test_a_script_of_one_statement_is_a_script(session):
    result = await session.execute_script("UPDATE users SET age = 1")
    assert result.operation_type == "SCRIPT"
    assert await session.select_value("SELECT sum(age) FROM users") == 3


async def test_a_failing_script_is_an_sqlspec_error(session):
    with pytest.raises(SQLSpecError):
        await session.execute_script("SELECT 1; SELECT * FROM no_such_table; SELECT 2")
    assert await session.select_value("SELECT 1") == 1


async def test_the_statements_of_a_script_before_the_one_that_fails_are_kept(session):
    with pytest.raises(SQLSpecError):
        await session.execute_script("DELETE FROM events; SELECT 1 / 0; DELETE FROM users")
    assert await session.select_value("SELECT count(*) FROM events") == 0
    assert await session.select_value("SELECT count(*) FROM users") == 3


async def test_a_script_may_hold_statements_that_refuse_a_transaction(session):
    await session.execute_script(
        "CREATE INDEX CONCURRENTLY users_by_age ON users (age); VACUUM users; ANALYZE users"
    )
    assert await session.select_value("SELECT to_regclass('users_by_age') IS NOT NULL") is True


async def test_a_script_may_open_and_end_a_transaction_of_its_own(session):
    await session.execute_script("BEGIN; DELETE FROM events; ROLLBACK")
    assert await session.select_value("SELECT count(*) FROM events") == 2


async def test_a_script_in_a_transaction_is_undone_with_it(session):
    with pytest.raises(SQLSpecError):
        async with session.transaction():
            await session.execute_script(
                "INSERT INTO users (name) VALUES ('a'); UPDATE users SET id = 1 WHERE id = 2"
            )
    assert await session.select(ADDED) == []


async def test_a_stack_runs_in_order_and_gives_a_result_for_each_part(session):
    stack = (
        StatementStack()
        .push_execute(INSERT, ("a", 1))
        .push_execute_many(INSERT, [("b", 2), ("c", 3)])
        .push_execute_script("UPDATE users SET age = 9 WHERE name = 'c'; SELECT 1")
        .push_execute("SELECT count(*) AS n FROM users")
        .push_execute_arrow("SELECT name FROM users WHERE age = ?", (9,))
    )
    results = await session.execute_stack(stack)
    assert [result.error for result in results] == [None] * 5
    assert [results[0].rows_affected, results[1].rows_affected] == [1, 2]
    assert results[3].result.get_data() == [{"n": 6}]
    assert isinstance(results[4].result, ArrowResult)
    assert results[4].result.data.to_pylist() == [{"name": "c"}]


async def test_a_failing_part_undoes_the_stack_and_is_named(session):
    stack = (
        StatementStack()
        .push_execute(INSERT, ("a", 1))
        .push_execute("INSERT INTO users (id, name) VALUES (?, ?)", (1, "again"))
        .push_execute(INSERT, ("b", 2))
    )
    with pytest.raises(StackExecutionError) as caught:
        await session.execute_stack(stack)
    assert caught.value.operation_index == 1
    assert await session.select(ADDED) == []


async def test_a_stack_can_go_on_after_a_failing_part(session):
    stack = (
        StatementStack()
        .push_execute(INSERT, ("a", 1))
        .push_execute("INSERT INTO users (id, name) VALUES (?, ?)", (1, "again"))
        .push_execute(INSERT, ("b", 2))
    )
    results = await session.execute_stack(stack, continue_on_error=True)
    assert [result.error is None for result in results] == [True, False, True]
    assert isinstance(results[1].error, StackExecutionError)
    assert [row["name"] for row in await session.select(ADDED)] == ["a", "b"]


async def test_a_stack_in_a_transaction_of_the_caller_is_undone_with_it(session):
    await session.begin()
    await session.execute(INSERT, ("outer", 1))
    await session.execute_stack(StatementStack().push_execute(INSERT, ("inner", 2)))
    await session.rollback()
    assert await session.select(ADDED) == []


async def test_an_empty_stack_is_refused(session):
    with pytest.raises(ValueError, match="empty"):
        await session.execute_stack(StatementStack())
