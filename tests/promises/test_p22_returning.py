"""P22: RETURNING rows are had by `.scalar()` and `.first()`."""

from harness import Breaks, promise

INSERT = "INSERT INTO users (name, email) VALUES ($1, $2) RETURNING id, name"


@promise("P22", stock=None)
async def test_scalar_is_the_first_column_of_a_returned_row(adapter, session):
    for name in ("a", "b"):
        result = await session.execute(INSERT, name, f"{name}@x")
        assert isinstance(result.scalar(), int)


@promise("P22", stock=Breaks(AttributeError, "'SQLResult' object has no attribute 'first'"))
async def test_first_is_the_first_returned_row(adapter, session):
    for name in ("a", "b"):
        result = await session.execute(INSERT, name, f"{name}@x")
        assert result.first()["name"] == name


@promise("P22", stock=Breaks(AttributeError, "first"))
async def test_first_of_no_rows_is_none(adapter, session):
    for _ in (1, 2):
        result = await session.execute("DELETE FROM users WHERE id = $1 RETURNING id", -1)
        assert result.first() is None


@promise("P22", stock=Breaks(AttributeError, "first"))
async def test_first_of_a_statement_without_rows_is_none(adapter, session):
    for _ in (1, 2):
        assert (await session.execute("DELETE FROM users WHERE id = $1", -1)).first() is None
    assert (await session.execute_script("SELECT 1")).first() is None


@promise("P22", stock=Breaks(AttributeError, "first"))
async def test_first_takes_the_class_of_the_row(adapter, session):
    from dataclasses import dataclass

    @dataclass
    class User:
        id: int
        name: str

    result = await session.execute(INSERT, "a", "a@x")
    assert result.first(schema_type=User).name == "a"


@promise("P22", stock=Breaks(AttributeError, "first"))
async def test_first_works_on_the_result_of_an_sql_object(adapter, session):
    from sqlspec import SQL, sql

    assert (await session.execute(SQL("SELECT 1 AS one"))).first() == {"one": 1}
    assert (await session.execute(sql.select("id").from_("users").where_eq("id", 1))).first() == {
        "id": 1
    }


@promise("P22", stock=Breaks(AttributeError, "first"))
async def test_first_is_the_whole_row_of_an_update_returning_everything(adapter, session):
    for number in (1, 2):
        made = await session.execute(INSERT, "A", f"{number}@x")
        result = await session.execute(
            "UPDATE users SET status = $1 WHERE id = $2 RETURNING *", "active", made.scalar()
        )
        assert result.first()["id"] == made.scalar()
        assert result.first()["status"] == "active"


@promise("P22", stock=None)
async def test_scalar_is_had_of_a_delete_too(adapter, session):
    for number in (1, 2):
        made = await session.execute(INSERT, "A", f"{number}@x")
        gone = await session.execute("DELETE FROM users WHERE id = $1 RETURNING id", made.scalar())
        assert gone.scalar() == made.scalar()


@promise("P22", stock=None)
async def test_merge_returns_its_rows(adapter, session):
    for _ in (1, 2):
        result = await session.execute(
            "MERGE INTO users USING (VALUES ($1::int)) AS new (id) ON users.id = new.id "
            "WHEN MATCHED THEN UPDATE SET name = 'merged' RETURNING users.id",
            1,
        )
        assert result.get_data() == [{"id": 1}]
