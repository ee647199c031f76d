"""Two columns of a result with one name, and columns that psqlpy cannot read."""

from decimal import Decimal

import pytest
from psqlpy_adapter import PsqlpyConfig
from psqlpy_adapter.renaming import renaming
from sqlspec.exceptions import SQLSpecError


@pytest.fixture
async def session(dsn):
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 1})
    async with config.provide_session() as session:
        yield session
    await config.close_pool()


DOUBLED = """
CREATE TABLE pairs (id int, name text, doc jsonb);
INSERT INTO pairs VALUES (1, 'n', '{"a": 1}');
"""


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("UPDATE pairs SET id = id + 1 RETURNING name, doc AS name", {"name": {"a": 1}}),
        ("UPDATE pairs SET id = id + 1 RETURNING doc AS name, name", {"name": "n"}),
        (
            "UPDATE pairs a SET id = a.id + 1 FROM (SELECT 1.5 AS id) b RETURNING a.id, b.id",
            {"id": Decimal("1.5")},
        ),
        (
            "WITH b AS (SELECT 1.5 AS id) UPDATE pairs a SET id = a.id + 1 FROM b "
            "RETURNING a.id, b.id; -- both",
            {"id": Decimal("1.5")},
        ),
        (
            "WITH x AS (UPDATE pairs SET id = id + 1 RETURNING name, doc) "
            "SELECT name, doc AS name FROM x",
            {"name": {"a": 1}},
        ),
        (
            "UPDATE pairs a SET id = a.id + 1 FROM (SELECT 'm' AS name) b RETURNING a.name, b.name",
            {"name": "m"},
        ),
    ],
)
async def test_of_two_returned_columns_with_one_name_the_last_one_stays(session, sql, expected):
    await session.execute_script(DOUBLED)
    for runs in (1, 2, 3):
        assert await session.select(sql) == [expected]
        assert await session.select_value("SELECT id FROM pairs") == runs + 1


RULED = """
CREATE TABLE log (id int);
CREATE RULE noting AS ON UPDATE TO pairs DO ALSO INSERT INTO log VALUES (new.id);
"""


@pytest.mark.parametrize("again", [False, True])
async def test_what_cannot_be_told_apart_is_refused_before_it_is_run(session, again):
    await session.execute_script(DOUBLED + RULED)
    sql = "UPDATE pairs SET id = $1 RETURNING name, doc AS name"
    for _ in range(1 + again):
        with pytest.raises(SQLSpecError, match='named "name".* (text, jsonb).* alias'.replace(
            "(", r"\(").replace(")", r"\)")):  # fmt: skip
            await session.execute(sql, 7)
    assert await session.select_value("SELECT id FROM pairs") == 1
    assert await session.select_value("SELECT count(*) FROM log") == 0
    with_alias = "UPDATE pairs SET id = $1 RETURNING name, doc AS other"
    assert await session.select(with_alias, 7) == [{"name": "n", "other": {"a": 1}}]


async def test_an_executed_statement_that_cannot_be_told_apart_is_refused(session):
    await session.execute_script(DOUBLED)
    await session.execute(
        "PREPARE change AS UPDATE pairs SET id = id + 1 RETURNING name, doc AS name"
    )
    with pytest.raises(SQLSpecError, match="alias"):
        await session.execute("EXECUTE change")
    assert await session.select_value("SELECT id FROM pairs") == 1


async def test_with_parameters_and_many_rows_the_last_column_stays(session):
    await session.execute_script(DOUBLED)
    sql = (
        "INSERT INTO pairs SELECT g, $1, $2 FROM generate_series(1, 3) g "
        "RETURNING doc AS v, id AS v"
    )
    for _ in (1, 2):
        result = await session.execute(sql, "x", {"b": 2})
        assert result.get_data() == [{"v": 1}, {"v": 2}, {"v": 3}]


def test_a_text_without_a_renamed_form_is_left():
    assert renaming("EXECUTE change", 2) is None
    assert renaming("", 2) is None


async def test_before_16_a_column_that_cannot_be_read_names_the_cure(session):
    # What a server of 15 differs in: it does not tell the types of columns.
    session.describer._tells_columns = False
    with pytest.raises(SQLSpecError, match=r"\(v\): cast it to text .* PostgreSQL 16"):
        await session.select("SELECT '(1,2)'::tid AS v")
    assert await session.select("SELECT '(1,2)'::tid::text AS v") == [{"v": "(1,2)"}]
