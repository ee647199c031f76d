"""P24: every failure is a SQLSpecError, named after what the server said."""

import asyncio
from urllib.parse import urlsplit

import psqlpy
import pytest
from harness import Breaks, promise
from sqlspec.exceptions import (
    CheckViolationError,
    DatabaseConnectionError,
    DataError,
    DeadlockError,
    ForeignKeyViolationError,
    IntegrityError,
    NotNullViolationError,
    OperationalError,
    OperationCancelledError,
    PermissionDeniedError,
    QueryTimeoutError,
    SQLParsingError,
    SQLSpecError,
    TransactionError,
    UniqueViolationError,
)

MISLEADING = [
    ("SELECT * FROM unique_items", SQLParsingError),
    ("SELECT * FROM my_connection_log", SQLParsingError),
    ("SELECT deadlock FROM users", SQLParsingError),
    ("SELECT * FROM foreign_keys_check_constraint", SQLParsingError),
    ('SELECT * FROM "connection timed out"', SQLParsingError),
    ("SELECT 'duplicate key'::int", DataError),
    ("SELECT 'connection timeout'::uuid", DataError),
    ("DO $$ BEGIN RAISE EXCEPTION 'the connection of the unique deadlock'; END $$", SQLSpecError),
]


@promise("P24", stock=Breaks(AssertionError))
@pytest.mark.parametrize(("sql", "error"), MISLEADING)
async def test_a_name_or_a_value_in_the_message_does_not_choose_the_class(
    adapter, session, sql, error
):
    with pytest.raises(SQLSpecError) as caught:
        await session.execute(sql)
    assert type(caught.value) is error


@promise("P24", stock=None)
@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("INSERT INTO users (name, email) VALUES ('x', 'ada@example.com')", UniqueViolationError),
        ("INSERT INTO users (name) VALUES (NULL)", NotNullViolationError),
        (
            "INSERT INTO events (id, user_id, timestamp) VALUES (9, 99, now())",
            ForeignKeyViolationError,
        ),
        ("DELETE FROM users WHERE id = 1", ForeignKeyViolationError),
        ("SELEC 1", SQLParsingError),
    ],
)
async def test_a_violation_has_its_own_class(adapter, session, sql, error):
    with pytest.raises(error):
        await session.execute(sql)


@promise("P24", stock=None)
async def test_a_check_constraint_has_its_own_class(adapter, session):
    await session.execute_script("CREATE TABLE checked (n int CHECK (n > 0))")
    with pytest.raises(CheckViolationError):
        await session.execute("INSERT INTO checked VALUES (0)")


@promise("P24", stock=None)
async def test_an_exclusion_constraint_is_an_integrity_error(adapter, session):
    await session.execute_script(
        "CREATE TABLE booked (during int4range, EXCLUDE USING gist (during WITH &&));"
        "INSERT INTO booked VALUES ('[1,5)')"
    )
    with pytest.raises(IntegrityError) as caught:
        await session.execute("INSERT INTO booked VALUES ('[2,3)')")
    assert not isinstance(caught.value, UniqueViolationError)


@promise("P24", stock=Breaks(AttributeError, "sqlstate"))
async def test_the_sqlstate_is_on_the_error(adapter, session):
    with pytest.raises(UniqueViolationError) as caught:
        await session.execute("INSERT INTO users (name, email) VALUES ('x', 'ada@example.com')")
    assert caught.value.sqlstate == "23505"


STATES = [
    ("SELECT no_such_function(1)", SQLParsingError, "42883"),
    ("SELECT 1 <=> 2", SQLParsingError, "42883"),
    ("SELEC 1", SQLParsingError, "42601"),
    ("SELECT 1 / 0", DataError, "22012"),
    ("SELECT 'x'::int", DataError, "22P02"),
    ("SET work_mem = 'lots'", DataError, "22023"),
    ("SAVEPOINT lonely", TransactionError, "25P01"),
    ("SET no_such_setting = 1", SQLParsingError, "42704"),
    ("INSERT INTO users (name) VALUES (NULL)", NotNullViolationError, "23502"),
]


@pytest.mark.parametrize(("text", "kind", "sqlstate"), STATES)
@promise("P24", stock=(Breaks(SQLSpecError), Breaks(AttributeError, "sqlstate")))
async def test_each_sqlstate_has_its_class(adapter, session, text, kind, sqlstate):
    for _ in (1, 2):
        with pytest.raises(kind) as caught:
            await session.execute(text)
        assert caught.value.sqlstate == sqlstate


@promise("P24", stock=Breaks(SQLSpecError, "cannot run inside a transaction block"))
async def test_what_cannot_run_in_a_transaction_is_a_transaction_error(adapter, session):
    await session.begin()
    with pytest.raises(TransactionError) as caught:
        await session.execute("CREATE INDEX CONCURRENTLY ON users (age)")
    assert caught.value.sqlstate == "25001"


@promise("P24", stock=Breaks(SQLSpecError, "in a read-only transaction"))
async def test_a_write_in_a_read_only_transaction_is_a_transaction_error(adapter, session):
    await session.execute("SET default_transaction_read_only = on")
    with pytest.raises(TransactionError) as caught:
        await session.execute("DELETE FROM embeddings")
    assert caught.value.sqlstate == "25006"


@promise("P24", stock=Breaks(SQLSpecError, "could not obtain lock"))
async def test_a_lock_that_is_not_to_be_had_is_an_operational_error(adapter, config):
    async with config.provide_session() as one, config.provide_session() as other:
        await one.begin()
        await one.execute("UPDATE users SET age = 1 WHERE id = 1")
        with pytest.raises(OperationalError) as caught:
            await other.execute("SELECT id FROM users WHERE id = 1 FOR UPDATE NOWAIT")
        assert caught.value.sqlstate == "55P03"
        await one.rollback()


COPIES = ["COPY users (name) FROM STDIN", "COPY users TO STDOUT", "copy (SELECT 1) to stdout"]


@pytest.mark.parametrize("way", ["execute", "execute_script"])
@pytest.mark.parametrize("text", COPIES)
@promise("P24", stock=Breaks(AssertionError, "unexpected message from server"))
async def test_copy_to_or_from_the_client_is_refused_with_what_to_call_instead(
    adapter, session, text, way
):
    """Sent as text, it costs psqlpy the connection."""
    with pytest.raises(SQLSpecError) as caught:
        await getattr(session, way)(text)
    assert "load_from_arrow()" in str(caught.value)
    assert await session.select_value("SELECT 1") == 1


@promise("P24", stock=None)
async def test_the_original_error_is_the_cause(adapter, session):
    with pytest.raises(SQLSpecError) as caught:
        await session.select("SELECT 1 / 0")
    assert isinstance(caught.value.__cause__, psqlpy.Error)
    assert "division by zero" in str(caught.value)


@promise("P24", stock=Breaks(AssertionError))
async def test_what_happens_in_an_aborted_transaction_is_a_transaction_error(adapter, session):
    await session.begin()
    with pytest.raises(SQLSpecError):
        await session.select("SELECT 1 / 0")
    with pytest.raises(SQLSpecError) as caught:
        await session.select("SELECT 1")
    assert isinstance(caught.value, TransactionError)


@promise("P24", stock=None)
async def test_a_statement_timeout_is_a_query_timeout(adapter, session):
    await session.execute_script("SET statement_timeout = '50ms'")
    with pytest.raises(QueryTimeoutError):
        await session.select("SELECT pg_sleep(5)")


@promise("P24", stock=None)
async def test_a_cancel_by_an_operator_is_a_cancelled_operation(adapter, session):
    with pytest.raises(OperationCancelledError):
        await session.select("SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(5)")


@promise("P24", stock=None)
async def test_a_deadlock_has_its_own_class(adapter, config):
    update = "UPDATE users SET age = age + 1 WHERE id = $1"
    async with config.provide_session() as one, config.provide_session() as other:
        for session, row in ((one, 1), (other, 2)):
            await session.execute_script("SET deadlock_timeout = '10ms'")
            await session.begin()
            await session.execute(update, row)
        outcomes = await asyncio.gather(
            one.execute(update, 2), other.execute(update, 1), return_exceptions=True
        )
        failures = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        assert [type(failure) for failure in failures] == [DeadlockError]
        for session in (one, other):
            await session.rollback()


@promise("P24", stock=Breaks(AssertionError))
async def test_a_wrong_column_type_is_an_error_of_the_statement(adapter, session):
    with pytest.raises(SQLSpecError) as caught:
        await session.execute("SELECT 1 + 'check constraint'::text")
    assert isinstance(caught.value, SQLParsingError)


@promise("P24", stock=Breaks(psqlpy.Error))
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"port": 1}, DatabaseConnectionError),
        ({"password": "wrong"}, PermissionDeniedError),
        ({"db_name": "no_such_database"}, DatabaseConnectionError),
    ],
)
async def test_a_failure_to_connect_is_a_sqlspec_error(adapter, dsn, change, error):
    place = urlsplit(dsn)
    parts = {
        "host": place.hostname,
        "port": place.port,
        "username": place.username,
        "password": place.password,
        "db_name": place.path[1:],
    }
    config = adapter.config(connection_config=parts | change | {"max_db_pool_size": 2})
    try:
        with pytest.raises(error):
            async with config.provide_session():
                pass
    finally:
        await config.close_pool()


@promise("P24", stock=Breaks(OverflowError, "too large"))
async def test_a_value_that_cannot_be_bound_is_a_data_error(adapter, session):
    for value in (2**40, "x"):
        with pytest.raises(DataError):
            await session.execute("SELECT $1::int4", value)
