"""What SQLSpec's driver offers for single statements goes on working on both adapters."""

from __future__ import annotations

from typing import Any

import pytest
from sqlspec import SQL, SQLResult, sql
from sqlspec.core import StatementConfig
from sqlspec.exceptions import MultipleResultsFoundError, NotFoundError
from sqlspec.loader import SQLFileLoader


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


async def test_select_gives_a_list_of_dicts(session):
    assert await session.select("SELECT id, name FROM users ORDER BY id LIMIT 2") == [
        {"id": 1, "name": "Ada"},
        {"id": 2, "name": "Grace"},
    ]


async def test_select_one_gives_the_row(session):
    assert await session.select_one("SELECT name FROM users WHERE id = $1", 2) == {"name": "Grace"}


async def test_select_one_of_no_row_is_a_not_found_error(session):
    with pytest.raises(NotFoundError):
        await session.select_one("SELECT name FROM users WHERE id = $1", 99)


@pytest.mark.parametrize("method", ["select_one", "select_one_or_none"])
async def test_one_row_of_several_is_refused(session, method):
    with pytest.raises((MultipleResultsFoundError, ValueError), match=r"(?i)multiple|exactly one"):
        await getattr(session, method)("SELECT name FROM users")


async def test_select_one_or_none_of_no_row_is_none(session):
    assert await session.select_one_or_none("SELECT name FROM users WHERE id = $1", 99) is None


async def test_select_value_gives_the_value_of_the_only_column(session):
    assert await session.select_value("SELECT count(*) FROM users") == 3


async def test_select_value_of_no_row_is_a_not_found_error(session):
    with pytest.raises(NotFoundError):
        await session.select_value("SELECT id FROM users WHERE name = $1", "nobody")


async def test_select_value_or_none_of_no_row_is_none(session):
    value = await session.select_value_or_none("SELECT id FROM users WHERE name = $1", "nobody")
    assert value is None


@pytest.mark.parametrize(
    ("alias", "expected"),
    [
        ("fetch", [{"id": 1}]),
        ("fetch_one", {"id": 1}),
        ("fetch_one_or_none", {"id": 1}),
        ("fetch_value", 1),
        ("fetch_value_or_none", 1),
        ("fetch_with_total", ([{"id": 1}], 1)),
    ],
)
async def test_the_fetch_names_are_the_select_names(session, alias, expected):
    assert await getattr(session, alias)("SELECT id FROM users WHERE name = $1", "Ada") == expected


async def test_fetch_to_arrow_is_select_to_arrow(session):
    result = await session.fetch_to_arrow("SELECT id FROM users WHERE name = $1", "Ada")
    assert result.data.to_pylist() == [{"id": 1}]


async def test_fetch_stream_is_select_stream(session):
    async with session.fetch_stream("SELECT id FROM users ORDER BY id") as stream:
        assert [row["id"] async for row in stream] == [1, 2, 3]


@pytest.mark.parametrize("count_with_window", [False, True])
async def test_select_with_total_counts_the_rows_beyond_the_page(session, count_with_window):
    rows, total = await session.select_with_total(
        "SELECT name FROM users ORDER BY id LIMIT 2", count_with_window=count_with_window
    )
    assert ([row["name"] for row in rows], total) == (["Ada", "Grace"], 3)


async def test_select_with_total_counts_only_the_rows_that_match(session):
    rows, total = await session.select_with_total(
        "SELECT name FROM users WHERE age > $1 ORDER BY id LIMIT 1", 20
    )
    assert (rows, total) == ([{"name": "Ada"}], 2)


async def test_a_recursive_query_takes_a_parameter(session):
    statement = SQL(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) "
        "SELECT i, i * i AS square FROM n ORDER BY i"
    )
    rows = await session.select(statement, (6,))
    assert [row["square"] for row in rows] == [1, 4, 9, 16, 25, 36]


async def test_grouping_having_and_a_subquery_work(session):
    rows = await session.select(
        "SELECT status, count(*) AS n FROM users WHERE age < (SELECT max(age) FROM users) "
        "GROUP BY status HAVING count(*) >= 1 ORDER BY status"
    )
    assert rows == [{"status": "active", "n": 1}, {"status": "inactive", "n": 1}]


async def test_a_with_clause_around_a_write_gives_its_rows(session):
    rows = await session.select(
        "WITH gone AS (DELETE FROM users WHERE age < $1 RETURNING name) SELECT name FROM gone", 18
    )
    assert rows == [{"name": "Linus"}]
    assert await session.select_value("SELECT count(*) FROM users") == 2


async def test_values_and_show_and_explain_give_rows(session):
    assert len(await session.select("VALUES (1), (2)")) == 2
    assert len(await session.select("SHOW server_version")) == 1
    assert len(await session.select("EXPLAIN SELECT * FROM users")) >= 1


async def test_a_table_is_created_filled_altered_and_dropped(session):
    await session.execute("CREATE TABLE thing (id int)")
    await session.execute("INSERT INTO thing VALUES (1)")
    await session.execute("ALTER TABLE thing ADD COLUMN name text DEFAULT 'x'")
    assert await session.select("SELECT id, name FROM thing") == [{"id": 1, "name": "x"}]
    await session.execute("DROP TABLE thing")
    assert await session.select_value("SELECT to_regclass('thing') IS NULL") is True


async def test_merge_updates_and_inserts(session):
    await session.execute(
        "MERGE INTO products AS p USING (VALUES ('Lamp', 1.5), ('Chair', 2.5)) AS s (name, rating) "
        "ON p.name = s.name WHEN MATCHED THEN UPDATE SET rating = s.rating "
        "WHEN NOT MATCHED THEN INSERT (name, rating) VALUES (s.name, s.rating)"
    )
    rows = await session.select("SELECT name, rating FROM products ORDER BY name")
    assert [(row["name"], row["rating"]) for row in rows] == [
        ("Chair", 2.5),
        ("Desk", 4.0),
        ("Lamp", 1.5),
    ]


async def test_a_do_block_runs(session):
    await session.execute("DO $$ BEGIN UPDATE users SET age = 50 WHERE id = 1; END $$")
    assert await session.select_value("SELECT age FROM users WHERE id = 1") == 50


async def test_an_sql_object_carries_its_own_parameters(session):
    statement = SQL("SELECT name FROM users WHERE age >= :minimum ORDER BY age", minimum=30)
    assert await session.select(statement) == [{"name": "Ada"}, {"name": "Grace"}]


async def test_an_sql_object_can_be_executed_again(session):
    statement = SQL("SELECT name FROM users WHERE age >= :minimum ORDER BY age", minimum=40)
    assert [await session.select(statement) for _ in range(3)] == [[{"name": "Grace"}]] * 3


async def test_a_statement_of_a_loaded_sql_file_runs(session, tmp_path):
    file = tmp_path / "users.sql"
    file.write_text(
        "-- name: older_than\nSELECT name FROM users WHERE age > :minimum ORDER BY age;\n"
    )
    loader = SQLFileLoader()
    loader.load_sql(file)
    rows = await session.select(loader.get_sql("older_than"), {"minimum": 20})
    assert rows == [{"name": "Ada"}, {"name": "Grace"}]


async def test_a_builder_statement_runs(session):
    query = sql.select("name").from_("users").where("age >= :minimum", minimum=20).order_by("age")
    assert await session.select(query) == [{"name": "Ada"}, {"name": "Grace"}]


@pytest.mark.parametrize(
    "condition",
    [
        "name = ? AND '?' = '?'",
        "name = ? -- and this ?",
        "name = ? /* and this ? */",
        "/* ? */ name = ? AND 'what is a ?' <> '' -- ?",
    ],
)
async def test_a_question_mark_in_a_string_or_a_comment_is_no_placeholder(session, condition):
    rows = await session.select(f"SELECT id FROM users WHERE {condition}", "Ada")
    assert rows == [{"id": 1}]


async def test_a_question_mark_in_a_comment_within_a_statement_is_no_placeholder(session):
    rows = await session.select(
        """
        SELECT id FROM users
        WHERE name IN (?, ?) -- is it one of these?
          /* or is it? */
        ORDER BY id
        """,
        ("Ada", "Linus"),
    )
    assert rows == [{"id": 1}, {"id": 3}]


async def test_a_statement_config_given_to_one_call_holds_for_that_call(session):
    config: StatementConfig = session.statement_config.replace(enable_caching=False)
    rows = await session.select(
        "SELECT id FROM users WHERE name = ?", "Ada", statement_config=config
    )
    assert rows == [{"id": 1}]


async def test_a_statement_config_given_to_the_session_holds_for_the_session(config):
    own = config.statement_config.replace(enable_caching=False)
    async with config.provide_session(statement_config=own) as session:
        assert session.statement_config.enable_caching is False
        assert await session.select_value("SELECT 1") == 1


async def test_an_output_transformer_of_the_statement_config_is_applied(make_config):
    def transformer(text: str, parameters: Any) -> tuple[str, Any]:
        return text.replace("people", "users"), parameters

    base = make_config().statement_config
    config = make_config(statement_config=base.replace(output_transformer=transformer))
    async with config.provide_session() as session:
        assert await session.select_value("SELECT count(*) FROM people") == 3


async def test_convert_to_dialect_writes_the_statement_in_another_dialect(session):
    text = session.convert_to_dialect("SELECT CAST(a AS TEXT) FROM t", to_dialect="mysql")
    assert "CHAR" in text


async def test_the_raw_connection_is_reached_through_the_session(session):
    result = await session.connection.fetch("SELECT 41 + 1 AS answer")
    assert result.result() == [{"answer": 42}]


async def test_rows_are_locked_for_update_and_skipped_by_others(config):
    query = sql.select("id").from_("users").order_by("id").limit(1).for_update(skip_locked=True)
    async with config.provide_session() as first, config.provide_session() as second:
        await first.begin()
        await second.begin()
        assert await first.select_value(query) == 1
        assert await second.select_value(query) == 2
        await first.rollback()
        await second.rollback()


async def test_many_statements_of_one_session_keep_their_order(session):
    values = [await session.select_value("SELECT $1::int", (i,)) for i in range(50)]
    assert values == list(range(50))


async def test_a_large_result_comes_whole_and_in_order(session):
    rows = await session.select("SELECT i, 'row ' || i AS label FROM generate_series(1, 5000) AS i")
    assert [row["i"] for row in rows] == list(range(1, 5001))
    assert rows[-1]["label"] == "row 5000"
