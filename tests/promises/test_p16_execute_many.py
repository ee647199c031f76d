"""P16: `execute_many` is a batch, inside the caller's transaction, with the true row count."""

from __future__ import annotations

import contextlib

import pytest
from harness import Breaks, promise
from sqlspec.exceptions import IntegrityError, SQLSpecError

WRONG = Breaks(AssertionError)


@pytest.fixture
async def items(session):
    await session.execute_script(
        "CREATE TABLE items (id int PRIMARY KEY, name text, price float8, tags text[])"
    )


async def names(session) -> list[str]:
    return [row["name"] for row in await session.select("SELECT name FROM items ORDER BY id")]


async def ids(session) -> list[int]:
    return [row["id"] for row in await session.select("SELECT id FROM items ORDER BY id")]


INSERT = "INSERT INTO items (id, name) VALUES ($1, $2)"


def pairs(first: int, last: int) -> list[tuple[int, str]]:
    return [(number, f"item {number}") for number in range(first, last + 1)]


@promise("P16", stock=None)
@pytest.mark.parametrize("count", [1, 2, 9, 10, 11, 500, 25_000])
async def test_every_parameter_set_is_inserted(adapter, session, items, count):
    result = await session.execute_many(INSERT, pairs(1, count))
    assert result.rows_affected == count
    assert await ids(session) == list(range(1, count + 1))


@promise("P16", stock=WRONG)
@pytest.mark.parametrize("count", [3, 300])
async def test_a_batch_in_a_transaction_is_rolled_back_with_it(adapter, session, items, count):
    await session.begin()
    await session.execute("INSERT INTO items (id) VALUES ($1)", 0)
    await session.execute_many(INSERT, pairs(1, count))
    await session.rollback()
    assert await ids(session) == []


@promise("P16", stock=WRONG)
@pytest.mark.parametrize("count", [3, 300])
async def test_a_batch_joins_a_transaction_that_was_begun_as_text(adapter, session, items, count):
    await session.execute("BEGIN")
    await session.execute_many(INSERT, pairs(1, count))
    await session.execute("ROLLBACK")
    assert await ids(session) == []


@promise("P16", stock=WRONG)
@pytest.mark.parametrize("count", [3, 300])
async def test_a_batch_joins_a_transaction_begun_on_the_raw_connection(
    adapter, session, items, count
):
    await session.connection.execute("BEGIN")
    await session.execute_many(INSERT, pairs(1, count))
    await session.connection.execute("ROLLBACK")
    assert await ids(session) == []


@promise("P16", stock=WRONG)
async def test_a_batch_is_invisible_to_others_until_the_transaction_commits(
    adapter, config, session, items
):
    async with session.transaction():
        await session.execute_many(INSERT, pairs(1, 300))
        async with config.provide_session() as other:
            assert await ids(other) == []
    assert len(await ids(session)) == 300


@promise("P16", stock=None)
@pytest.mark.parametrize("count", [3, 300])
async def test_a_failing_set_outside_a_transaction_leaves_nothing(adapter, session, items, count):
    with pytest.raises(IntegrityError):
        await session.execute_many(INSERT, [*pairs(1, count), (1, "again")])
    assert await ids(session) == []
    await session.execute_many(INSERT, pairs(1, count))
    assert len(await ids(session)) == count


@promise("P16", stock=WRONG)
@pytest.mark.parametrize("count", [3, 300])
async def test_a_failing_set_in_a_transaction_commits_nothing(adapter, session, items, count):
    await session.begin()
    await session.execute("INSERT INTO items (id) VALUES ($1)", 0)
    with pytest.raises(IntegrityError):
        await session.execute_many(INSERT, [*pairs(1, count), (1, "again")])
    with contextlib.suppress(SQLSpecError):  # the transaction is aborted
        await session.execute("INSERT INTO items (id) VALUES ($1)", 9_999)
    await session.rollback()
    assert await ids(session) == []


@promise("P16", stock=Breaks(SQLSpecError, "SAVEPOINT can only be used in transaction blocks"))
async def test_a_failure_in_a_savepoint_leaves_the_rest_of_the_transaction(adapter, session, items):
    async with session.transaction():
        await session.execute_many(INSERT, pairs(1, 300))
        with pytest.raises(IntegrityError):
            async with session.transaction():
                await session.execute_many(INSERT, pairs(300, 600))
        await session.execute_many(INSERT, pairs(1_000, 1_019))
    assert await ids(session) == [*range(1, 301), *range(1_000, 1_020)]


@promise("P16", stock=WRONG)
async def test_the_row_count_is_what_the_server_counted(adapter, session, items):
    await session.execute_many(INSERT, pairs(1, 100))
    update = "UPDATE items SET name = $2 WHERE id = $1"
    result = await session.execute_many(update, [(number, "x") for number in range(51, 151)])
    assert result.rows_affected == 50
    result = await session.execute_many("DELETE FROM items WHERE id <= $1", [(5,), (5,), (10,)])
    assert result.rows_affected == 10
    nothing = f"{INSERT} ON CONFLICT DO NOTHING"
    result = await session.execute_many(nothing, pairs(91, 120))
    assert result.rows_affected == 20


@promise("P16", stock=WRONG)
@pytest.mark.parametrize("count", [3, 300])
async def test_returning_gives_the_rows_in_order(adapter, session, count):
    await session.execute_script("CREATE TABLE made (id serial PRIMARY KEY, name text)")
    result = await session.execute_many(
        "INSERT INTO made (name) VALUES ($1) RETURNING id, upper(name) AS name",
        [(f"n{number}",) for number in range(1, count + 1)],
    )
    assert result.all() == [{"id": n, "name": f"N{n}"} for n in range(1, count + 1)]
    assert result.rows_affected == count


@promise("P16", stock=None)
@pytest.mark.parametrize("count", [3, 300])
async def test_the_last_of_several_upserts_of_one_row_wins(adapter, session, items, count):
    upsert = f"{INSERT} ON CONFLICT (id) DO UPDATE SET name = items.name || excluded.name"
    sets = [(number % 2, str(number % 10)) for number in range(count)]
    expected = ["".join(name for number, name in sets if number == odd) for odd in (0, 1)]
    await session.execute_many(upsert, sets)
    assert await names(session) == expected


@promise("P16", stock=None)
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO items (id, name) VALUES (?, ?)",
        "INSERT INTO items (id, name) VALUES (%s, %s)",
        "INSERT INTO items VALUES ($1, $2)",
        "insert into items (name, id) values ($2, $1::int) -- a comment",
    ],
)
async def test_every_spelling_of_an_insert_works(adapter, session, items, statement):
    await session.execute_many(statement, pairs(1, 50))
    assert await names(session) == [name for _, name in pairs(1, 50)]


@promise("P16", stock=None)
async def test_named_parameters_work(adapter, session, items):
    sets = [{"name": name, "id": number} for number, name in pairs(1, 50)]
    await session.execute_many("INSERT INTO items (id, name) VALUES (:id, :name)", sets)
    assert await names(session) == [name for _, name in pairs(1, 50)]


@promise("P16", stock=Breaks(SQLSpecError))
async def test_floats_nulls_and_arrays_are_stored_as_they_are(adapter, session, items):
    sets = [
        (number, None if number % 3 else "née\t'x\"", number / 3, ["a", None, str(number)])
        for number in range(1, 101)
    ]
    await session.execute_many(
        "INSERT INTO items (id, name, price, tags) VALUES ($1, $2, $3, $4)", sets
    )
    rows = await session.select("SELECT id, name, price, tags FROM items ORDER BY id")
    assert [tuple(row.values()) for row in rows] == sets


@promise("P16", stock=WRONG)
async def test_a_trigger_sees_each_row_as_a_statement_of_its_own(adapter, session, items):
    await session.execute_script("""
        CREATE TABLE log (statements int);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO log SELECT count(*) FROM items; RETURN NULL; END $$;
        CREATE TRIGGER note AFTER INSERT ON items FOR EACH STATEMENT EXECUTE FUNCTION note();
    """)
    result = await session.execute_many(INSERT, pairs(1, 20))
    rows = await session.select("SELECT statements FROM log ORDER BY statements")
    assert [row["statements"] for row in rows] == list(range(1, 21))
    assert result.rows_affected == 20
    await session.execute_script("""
        CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF new.id % 2 = 0 THEN RETURN NULL; END IF; RETURN new; END $$;
        CREATE TRIGGER skip BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION skip();
    """)
    result = await session.execute_many(INSERT, pairs(101, 120))
    assert result.rows_affected == 10


@promise("P16", stock=None)
@pytest.mark.parametrize("count", [3, 30])
async def test_a_row_may_refer_only_to_rows_before_it(adapter, session, count):
    await session.execute_script(
        "CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree)"
    )
    insert = "INSERT INTO tree (id, parent) VALUES ($1, $2)"
    chain = [(1, None), *((number, number - 1) for number in range(2, count + 1))]
    with pytest.raises(IntegrityError):
        await session.execute_many(insert, chain[::-1])
    await session.execute_many(insert, chain)
    assert await session.select_value("SELECT count(*) FROM tree") == count


@promise("P16", stock=Breaks(TypeError, "'object' object cannot be interpreted as an integer"))
async def test_a_wrong_value_is_named_before_anything_is_sent(adapter, session, items):
    async with session.transaction():
        with pytest.raises(SQLSpecError, match=r"40.*object.*int4"):
            await session.execute_many(INSERT, [*pairs(1, 40), (object(), "x")])
        await session.execute_many(INSERT, pairs(1, 40))
    assert len(await ids(session)) == 40


@promise("P16", stock=None)
async def test_no_parameter_sets_do_nothing(adapter, session, items):
    result = await session.execute_many(INSERT, [])
    assert result.rows_affected == 0


@promise("P16", stock=WRONG)
@pytest.mark.parametrize("count", [3, 300])
async def test_update_with_returning_gives_the_rows_in_order(adapter, session, items, count):
    await session.execute_many(INSERT, pairs(1, count))
    update = "UPDATE items SET name = $2 WHERE id = $1 RETURNING id, name"
    result = await session.execute_many(update, [(n, f"x{n}") for n in range(1, count + 1)])
    assert result.all() == [{"id": n, "name": f"x{n}"} for n in range(1, count + 1)]
    assert result.first() == {"id": 1, "name": "x1"}


@promise("P16", stock=WRONG)
async def test_delete_with_returning_counts_the_rows(adapter, session, items):
    await session.execute_many(INSERT, pairs(1, 3))
    gone = "DELETE FROM items WHERE id = $1 RETURNING id"
    result = await session.execute_many(gone, [(1,), (1,), (2,)])
    assert result.all() == [{"id": 1}, {"id": 2}]
    assert result.rows_affected == 2
