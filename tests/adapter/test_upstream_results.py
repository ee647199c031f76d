"""What SQLSpec's driver gives as a result goes on working on both adapters."""

from __future__ import annotations

from sqlspec import SQLResult


async def test_a_select_gives_an_sql_result_with_rows_and_column_names(session):
    result = await session.execute("SELECT name, age FROM users WHERE name = 'Ada'")
    assert isinstance(result, SQLResult)
    assert result.column_names == ["name", "age"]
    assert result.get_data() == [{"name": "Ada", "age": 36}]


async def test_a_result_tells_its_count_its_first_row_and_whether_it_is_empty(session):
    result = await session.execute("SELECT name FROM users ORDER BY id")
    assert (result.get_count(), result.is_empty()) == (3, False)
    assert result.get_first() == {"name": "Ada"}
    assert [row["name"] for row in result] == ["Ada", "Grace", "Linus"]


async def test_a_result_has_a_length_and_its_rows_are_reached_by_number(session):
    result = await session.execute("SELECT id FROM users ORDER BY id")
    assert (len(result), result[0], result[-1]) == (3, {"id": 1}, {"id": 3})
    assert (result.num_rows, result.num_columns) == (3, 1)


async def test_a_result_becomes_an_arrow_table(session):
    result = await session.execute("SELECT id FROM users ORDER BY id")
    assert result.to_arrow().to_pydict() == {"id": [1, 2, 3]}


async def test_a_result_knows_its_statement_and_its_operation(session):
    for _ in range(2):
        result = await session.execute("SELECT id FROM users WHERE id > $1", (1,))
        assert "FROM users" in result.statement.sql
        assert result.operation_type == "SELECT"
        assert result.is_success()
    result = await session.execute("DELETE FROM events")
    assert result.operation_type == "DELETE"
    assert result.is_success()


async def test_an_empty_result_has_no_first_row(session):
    result = await session.execute("SELECT name FROM users WHERE id = $1", (99,))
    assert result.is_empty()
    assert result.get_first() is None
    assert result.get_data() == []


async def test_a_result_is_read_by_one_one_or_none_all_and_scalar(session):
    result = await session.execute("SELECT age FROM users WHERE id = 1")
    assert result.one() == result.one_or_none() == {"age": 36}
    assert result.all() == [{"age": 36}]
    assert result.scalar() == result.scalar_or_none() == 36


async def test_insert_update_and_delete_tell_how_many_rows_they_affected(session):
    inserted = await session.execute("INSERT INTO users (name) VALUES ($1)", ("Edsger",))
    updated = await session.execute("UPDATE users SET age = $1 WHERE age > $2", (1, 30))
    untouched = await session.execute("UPDATE users SET age = $1 WHERE age > $2", (1, 300))
    deleted = await session.execute("DELETE FROM users WHERE name = $1", ("Edsger",))
    counts = [result.rows_affected for result in (inserted, updated, untouched, deleted)]
    assert counts == [1, 2, 0, 1]


async def test_the_count_is_the_same_on_later_executions_of_the_same_text(session):
    statement = "UPDATE users SET age = age + $1 WHERE age < $2"
    counts = [(await session.execute(statement, (0, 40))).rows_affected for _ in range(4)]
    assert counts == [2, 2, 2, 2]


async def test_a_row_that_was_written_is_seen_by_the_next_statement(session):
    await session.execute("INSERT INTO users (name, age) VALUES ('Barbara', 28)")
    assert await session.select_value("SELECT age FROM users WHERE name = 'Barbara'") == 28


async def test_insert_returning_gives_the_stored_row(session):
    result = await session.execute(
        "INSERT INTO users (name) VALUES ($1) RETURNING id, status", ("Edsger",)
    )
    assert result.get_data() == [{"id": 4, "status": "active"}]


async def test_update_and_delete_returning_give_the_rows(session):
    updated = await session.execute(
        "UPDATE users SET status = $1 WHERE age < $2 RETURNING name", ("minor", 18)
    )
    deleted = await session.execute("DELETE FROM users WHERE status = $1 RETURNING id", ("minor",))
    assert (updated.get_data(), deleted.get_data()) == ([{"name": "Linus"}], [{"id": 3}])


async def test_on_conflict_do_update_returns_the_row_that_stays(session):
    statement = (
        "INSERT INTO users (name, email) VALUES ($1, $2) "
        "ON CONFLICT (email) DO UPDATE SET name = EXCLUDED.name RETURNING id, name"
    )
    result = await session.execute(statement, ("Countess", "ada@example.com"))
    assert result.get_data() == [{"id": 1, "name": "Countess"}]
