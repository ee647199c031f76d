"""What SQLSpec's driver takes as a statement goes on working on both adapters."""

from __future__ import annotations

from typing import Any

import pytest
from sqlspec import SQL, sql
from sqlspec.core import StatementConfig
from sqlspec.loader import SQLFileLoader


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
