"""SQLSpec's query builder and its filters go on working on both adapters."""

from __future__ import annotations

import datetime

import pytest
from sqlspec import sql
from sqlspec.builder import Explain
from sqlspec.core.filters import (
    BeforeAfterFilter,
    InCollectionFilter,
    LimitOffsetFilter,
    NotInCollectionFilter,
    NullFilter,
    OrderByFilter,
    SearchFilter,
)

BASE = "SELECT id FROM users"
BY_ID = OrderByFilter("id", "asc")


async def ids(session, statement, *parameters) -> list[int]:
    return [row["id"] for row in await session.select(statement, *parameters)]


async def test_a_page_is_cut_out_by_a_filter(session):
    page = LimitOffsetFilter(limit=2, offset=1)
    assert await ids(session, BASE, OrderByFilter("age", "desc"), page) == [1, 3]


async def test_a_page_of_a_statement_with_parameters_is_cut_out_by_a_filter(session):
    page = LimitOffsetFilter(limit=1, offset=1)
    assert await ids(session, f"{BASE} WHERE age > ?", 20, BY_ID, page) == [2]


async def test_a_collection_filter_keeps_its_members(session):
    assert await ids(session, BASE, InCollectionFilter("age", [17, 45]), BY_ID) == [2, 3]


async def test_a_collection_filter_drops_its_members(session):
    assert await ids(session, BASE, NotInCollectionFilter("age", [17, 45]), BY_ID) == [1]


@pytest.mark.parametrize(("word", "ignore_case"), [("GRA", True), ("gra", True), ("Gra", False)])
async def test_a_search_filter_finds_a_part_of_a_word(session, word, ignore_case):
    assert await ids(session, BASE, SearchFilter("name", word, ignore_case)) == [2]


async def test_a_null_filter_finds_what_is_missing(session):
    await session.execute("UPDATE users SET age = NULL WHERE id = 3")
    assert await ids(session, BASE, NullFilter("age")) == [3]


async def test_a_time_filter_bounds_a_timestamp(session):
    bounds = BeforeAfterFilter(
        "timestamp", after=datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)
    )
    assert await ids(session, "SELECT id FROM events", bounds) == [2]


async def test_select_with_total_counts_beyond_the_page_of_a_filter(session):
    rows, total = await session.select_with_total(BASE, BY_ID, LimitOffsetFilter(limit=1, offset=0))
    assert (rows, total) == ([{"id": 1}], 3)


async def test_the_conditions_of_a_builder_are_joined(session):
    query = sql.select("id").from_("users").where_gt("age", 20).where_like("name", "A%")
    assert await ids(session, query) == [1]


async def test_a_builder_takes_in_between_and_null_conditions(session):
    query = (
        sql.select("id")
        .from_("users")
        .where_in("id", [1, 2])
        .where_between("age", 40, 50)
        .where_is_not_null("email")
    )
    assert await ids(session, query) == [2]


async def test_a_builder_joins_and_groups_tables(session):
    query = (
        sql.select("u.name", sql.count("*").as_("n"))
        .from_("users", alias="u")
        .join("events e", "e.user_id = u.id")
        .group_by("name")
        .order_by("name")
    )
    assert await session.select(query) == [{"name": "Ada", "n": 1}, {"name": "Grace", "n": 1}]


async def test_a_builder_pages(session):
    assert await ids(
        session, sql.select("id").from_("users").order_by("id").limit(1).offset(1)
    ) == [2]


async def test_a_builder_asks_a_subquery(session):
    older = sql.select("id").from_("users").where_gt("age", 20)
    assert await ids(session, sql.select("id").from_("users").where_not_in("id", older)) == [3]


async def test_a_builder_inserts_and_returns(session):
    query = sql.insert("users").columns("name", "age").values("Edsger", 72).returning("id")
    assert (await session.execute(query)).get_data() == [{"id": 4}]


async def test_a_builder_inserts_a_mapping(session):
    query = sql.insert("users").values_from({"name": "Edsger", "age": 72})
    assert (await session.execute(query)).rows_affected == 1
    assert await session.select_value("SELECT age FROM users WHERE name = 'Edsger'") == 72


async def test_a_builder_upserts(session):
    query = (
        sql.insert("users")
        .columns("name", "email")
        .values("Countess", "ada@example.com")
        .on_conflict("email")
        .do_update(name="Countess")
    )
    await session.execute(query)
    assert await session.select_value("SELECT name FROM users WHERE id = 1") == "Countess"


async def test_a_builder_updates(session):
    result = await session.execute(sql.update("users").set("age", 18).where_eq("name", "Linus"))
    assert result.rows_affected == 1
    assert await session.select_value("SELECT age FROM users WHERE id = 3") == 18


async def test_a_builder_deletes(session):
    result = await session.execute(sql.delete("events").where_eq("id", 1))
    assert result.rows_affected == 1
    assert await ids(session, "SELECT id FROM events") == [2]


async def test_a_builder_merges_rows(session):
    query = (
        sql.merge(dialect="postgres")
        .into("users", alias="t")
        .using([{"id": 1, "name": "Countess"}, {"id": 9, "name": "New"}], alias="src")
        .on("t.id = src.id")
        .when_matched_then_update({"name": "src.name"})
        .when_not_matched_then_insert({"id": "src.id", "name": "src.name"})
    )
    await session.execute(query)
    rows = await session.select("SELECT name FROM users WHERE id IN (1, 9) ORDER BY id")
    assert [row["name"] for row in rows] == ["Countess", "New"]


async def test_a_builder_statement_runs_again_with_the_same_result(session):
    query = sql.select("id").from_("users").where_eq("name", "Ada")
    assert [await ids(session, query) for _ in range(3)] == [[1]] * 3


@pytest.mark.parametrize(("metric", "order"), [("euclidean", [1, 4]), ("cosine", [1, 5])])
async def test_a_builder_orders_by_vector_distance(session, metric, order):
    distance = sql.column("vector").vector_distance([1.0, 0.0, 0.0], metric=metric)
    query = (
        sql.select("id", distance.alias("distance"))
        .from_("embeddings")
        .order_by("distance", "id")
        .limit(2)
    )
    assert await ids(session, query) == order


async def test_a_builder_explains(session):
    result = await session.execute(sql.select("id").from_("users").explain().build())
    assert "users" in " ".join(str(row) for row in result.get_data())


@pytest.mark.parametrize("options", [{}, {"analyze": True}, {"verbose": True}])
async def test_explain_takes_these_options(session, options):
    explain = Explain("SELECT id FROM users", dialect="postgres")
    for name, value in options.items():
        explain = getattr(explain, name)(value)
    assert (await session.execute(explain.build())).get_count() >= 1


async def test_explain_gives_json(session):
    explain = Explain("SELECT id FROM users", dialect="postgres").format("json")
    (row,) = (await session.execute(explain.build())).get_data()
    assert "Plan" in str(row)
