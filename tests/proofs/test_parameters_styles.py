"""Proofs of references/parameters.md: placeholders, and the errors about them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import files, version

import pytest
import sqlspec.exceptions
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyDriver
from sqlspec.exceptions import SQLSpecError

ACTIVE = "SELECT name FROM users WHERE status = {} AND age > {}"
GRACE = [{"name": "Grace"}]


@proves(
    "Write `$1, $2` and pass the values in order, or write `:name` and pass keywords or a dict.",
    "One tuple or list may hold all the values.",
    "Named and numeric parameters are equal:",
)
async def test_values_in_order_and_by_name(session: PsqlpyDriver) -> None:
    by_number, by_name = ACTIVE.format("$1", "$2"), ACTIVE.format(":status", ":age")
    values = {"status": "active", "age": 40}
    for _ in (1, 2):
        assert await session.select(by_number, "active", 40) == GRACE
        assert await session.select(by_number, ("active", 40)) == GRACE
        assert await session.select(by_number, ["active", 40]) == GRACE
        assert await session.select(by_number, "inactive", 10) == [{"name": "Linus"}]
        assert await session.select(by_name, **values) == GRACE
        assert await session.select(by_name, values) == GRACE


@proves("A placeholder may be used twice.", "`LIMIT` and `OFFSET` take a plain `{kind}`.")
async def test_twice_and_limit(session: PsqlpyDriver, kind: str) -> None:
    twice = "SELECT id FROM users WHERE id = {0} OR age = {0} + 44 ORDER BY id"
    assert await session.select(twice.format("$1"), 1) == [{"id": 1}, {"id": 2}]
    assert await session.select(twice.format(":id"), id=1) == [{"id": 1}, {"id": 2}]
    page = "SELECT id FROM users ORDER BY id LIMIT $1 OFFSET $2"
    value = 1
    assert type(value).__name__ == kind
    for _ in (1, 2):
        assert await session.select(page, value, value) == [{"id": 2}]


STYLES = {
    "id = $1": 1, "id = ?": 1, "id = %s": 1, "id = :1": 1, "id = :id": {"id": 1},
    "id = $id": {"id": 1}, "id = @id": {"id": 1}, "id = %(id)s": {"id": 1},
}  # fmt: skip


@proves(
    "SQLSpec rewrites every other style to `$n` before the SQL is sent.",
    "All of these return {name}:",
)
async def test_every_style_is_sent_as_numbers(session: PsqlpyDriver, name: str) -> None:
    sql = "SELECT name, current_query() AS sent FROM users WHERE {}"
    for where, value in STYLES.items():
        row = await session.select_one(sql.format(where), value)
        assert row["name"] == name
        assert row["sent"].rstrip() == sql.format("id = $1")


@proves("`execute_many` takes a list of tuples for `$n` and a list of dicts for `:name`.")
async def test_execute_many_takes_tuples_and_dicts(session: PsqlpyDriver) -> None:
    await session.execute("CREATE TEMP TABLE many (a int, b text)")
    sets = [(1, "x"), (2, "y")]
    await session.execute_many("INSERT INTO many (a, b) VALUES ($1, $2)", sets)
    named = [{"a": a + 2, "b": b} for a, b in sets]
    await session.execute_many("INSERT INTO many (a, b) VALUES (:a, :b)", named)
    rows = await session.select("SELECT a, b FROM many ORDER BY a")
    assert [tuple(row.values()) for row in rows] == [(1, "x"), (2, "y"), (3, "x"), (4, "y")]
    await session.execute("DROP TABLE many")


def texts_of(package: str) -> Iterator[bytes]:
    """The code of an installed package, sources and binaries."""
    for file in files(package) or ():
        if file.suffix in (".py", ".so"):
            yield file.locate().read_bytes()


@proves(
    '"{message}" is not an error of SQLSpec {number}: `:id` works here.',
)
async def test_no_such_message(session: PsqlpyDriver, message: str, number: str) -> None:
    assert version("sqlspec") == number
    code = list(texts_of("sqlspec"))
    assert any(b"Ambiguous positional binding" in text for text in code)
    assert message == "Parameter style not supported"
    assert not any(message.encode() in text for text in code)
    assert await session.select_value("SELECT id FROM users WHERE id = :id", id=1) == 1


MESSAGES = {
    "Parameter count mismatch: 1 parameters provided but 2 placeholders detected":
        ("SELECT id FROM users WHERE id = $1 AND name = $2", (1,)),
    "Missing named parameter(s): id":
        ("SELECT id FROM users WHERE id = :id", ({"user_id": 1},)),
    "Missing value for positional placeholder '$1'":
        ("SELECT $1::int AS n FROM users WHERE id = :id", ({"id": 1},)),
    "Ambiguous positional binding":
        ("SELECT id FROM users WHERE id = ? AND name = $1", (1, "Ada")),
}  # fmt: skip


@proves(
    "These are the real messages.",
    "All {count} are a plain `{error}`.",
    "Use one style in a statement.",
    adapter="stock",
)
async def test_errors_about_parameters(session: PsqlpyDriver, count: int, error: str) -> None:
    seen = set()
    for message, (sql, values) in MESSAGES.items():
        with pytest.raises(SQLSpecError) as raised:
            await session.select(sql, *values)
        assert raised.type is getattr(sqlspec.exceptions, error)
        assert message in str(raised.value)
        seen.add(message)
    assert len(seen) == count


@proves(
    "A dict may hold more keys than the statement uses.",
    "A misspelt optional key therefore raises nothing.",
)
async def test_a_dict_may_hold_more(session: PsqlpyDriver) -> None:
    sql = "SELECT name FROM users WHERE id = :id"
    assert await session.select(sql, {"id": 1, "staus": "active"}) == [{"name": "Ada"}]
    assert await session.select(sql, {"id": 1, "status": "x", "more": 2}) == [{"name": "Ada"}]


JSON_OPERATORS = {
    "?": ("color", 2), "?|": (["stock", "size"], 2), "?&": (["stock", "size"], 0)
}  # fmt: skip


@proves("{has}, {any_of} and {all_of} work next to `$n` and `:name`.")
async def test_question_marks_of_jsonb(
    session: PsqlpyDriver, has: str, any_of: str, all_of: str
) -> None:
    of_jsonb = "SELECT oprname::text AS name FROM pg_operator WHERE oprleft = 'jsonb'::regtype"
    names = {row["name"] for row in await session.select(f"{of_jsonb} AND oprname ^@ '?'")}
    assert {has, any_of, all_of} == names
    for operator in names:
        value, count = JSON_OPERATORS[operator]
        sql = f"SELECT count(*) FROM products WHERE metadata {operator} "
        for _ in (1, 2):
            assert await session.select_value(f"{sql} $1", (value,)) == count
            assert await session.select_value(f"{sql} :value", value=value) == count


@proves(
    "`{operator}` does not: its `?` is taken for a placeholder.",
    "Use the function.",
    adapter="stock",
)
async def test_the_path_operator_does_not_work(session: PsqlpyDriver, operator: str) -> None:
    sql = f"SELECT count(*) FROM products WHERE metadata {operator} '$.color'"
    with pytest.raises(SQLSpecError, match="syntax error"):
        await session.select_value(sql)
    with pytest.raises(SQLSpecError, match=r"positional placeholder '\?'"):
        await session.select_value(f"{sql} AND id < :id", id=9)
    found = (await session.connection.fetch(sql, [])).result()
    function = "SELECT count(*) FROM products WHERE jsonb_path_exists(metadata, '$.color')"
    assert found == await session.select(function) == [{"count": 2}]
