"""Proofs of references/errors.md: which class comes, and what it says."""

from __future__ import annotations

import psqlpy.exceptions
import pytest
import sqlspec.exceptions
from errors_tools import SITUATIONS, TWIN
from proveskill import proves
from psqlpy_adapter import PsqlpyConfig as DropIn
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import NotNullViolationError, SQLSpecError, UniqueViolationError
from watching_tools import failure

ADD = "INSERT INTO users (name, email) VALUES ($1, $2)"


@pytest.fixture
async def other(config):
    async with config.provide_session() as session:
        yield session


@pytest.fixture
async def checked(session):
    await session.execute("CREATE TABLE IF NOT EXISTS checked (n int CHECK (n > 0))")


def name_of(error):
    return type(error).__name__


@proves("{situation} | {classes}", table="Situation | Class", adapter="stock")
async def test_the_class_of_each_situation(checked, session, other, situation: str, classes: str):
    errors = await SITUATIONS[situation.replace("`", "")](session, other)
    names = list(dict.fromkeys(map(name_of, errors)))
    if names == ["SQLSpecError"]:
        names = ["SQLSpecError itself"]
    assert ", ".join(names) == classes.replace("`", "")


@proves(
    "`{base}` is the base of the {count} violations.",
    "`{derived}` is a subclass of `{parent}`:",
    adapter="stock",
)
async def test_classes_of_violations_and_privileges(
    checked, session, other, base: str, count: int, derived: str, parent: str
):
    violations = [
        *await SITUATIONS["duplicate key"](session, other),
        *await SITUATIONS["foreign key, check, NOT NULL violated"](session, other),
    ]
    assert len({type(error) for error in violations}) == count
    assert {type(error).__base__.__name__ for error in violations} == {base}
    (refused,) = await SITUATIONS["privilege missing"](session, other)
    assert [cls.__name__ for cls in type(refused).__mro__[:2]] == [derived, parent]


@proves("The psqlpy error is in `{attribute}`.", "Neither has an SQLSTATE:", adapter="stock")
async def test_the_cause_is_psqlpys_error_and_none_has_a_sqlstate(session, attribute: str):
    error = await failure(session.execute(TWIN))
    cause = getattr(error, attribute)
    assert isinstance(cause, psqlpy.exceptions.Error)
    for found in (error, cause):
        assert [name for name in dir(found) if "sqlstate" in name or "code" in name] == []
        assert "23505" not in repr(found) + str(found) + repr(getattr(found, "__dict__", None))


@proves(
    "Two families are database errors, and they share no base class: `{ours}` for statements, "
    "`{driver}` for connecting and for calls on `session.connection`.",
    adapter="stock",
)
async def test_two_families_of_database_errors(session, ours: str, driver: str):
    closed_port = PsqlpyConfig(connection_config={"dsn": "postgresql://u:p@127.0.0.1:1/d"})

    async def connect():
        async with closed_port.provide_session():
            pass

    of_statement = await failure(session.execute("SELECT 1 / 0"))
    of_driver = [await failure(connect()), await failure(session.connection.execute("SELECT 1/0"))]
    family = getattr(sqlspec.exceptions, ours)
    assert type(of_statement) is family
    assert family.__base__ is Exception
    for error in of_driver:
        ancestors = {f"{cls.__module__}.{cls.__name__}" for cls in type(error).__mro__}
        assert driver in {name.replace("_internal.", "") for name in ancestors}
        assert not isinstance(error, family)
    assert not isinstance(of_statement, psqlpy.exceptions.Error)


@proves(
    "Values that cannot be bound raise plain `{other}`, `{too_big}` or `{odd}`.", adapter="stock"
)
async def test_values_that_cannot_be_bound_raise_python_errors(
    session, other: str, too_big: str, odd: str
):
    find = "SELECT name FROM users WHERE id = $1"
    assert name_of(await failure(session.select(find, "1"))) == other
    assert name_of(await failure(session.select(find, 2**40))) == too_big
    raised = await failure(session.select("SELECT id FROM users WHERE name = $1", "\ud800"))
    assert odd in [cls.__name__ for cls in type(raised).__mro__]
    assert not isinstance(raised, SQLSpecError | psqlpy.exceptions.Error)


@proves(
    "`VALUE_ERRORS` covers bugs in your own code too, so keep the `try` block small.",
)
def test_the_clause_for_values_covers_bugs():
    caught = []
    for bug in (lambda: "1" + 1, lambda: int("x"), lambda: len(range(10**30))):
        try:
            bug()
        except (TypeError, ValueError, OverflowError) as error:
            caught.append(type(error))
    assert caught == [TypeError, ValueError, OverflowError]


@proves(
    "SQLSpec picks the class by searching the message text, and the text holds names and row "
    "values.",
    "`{word}` anywhere makes a `{name}`:",
    "The same happens with identifiers and other words:",
    "The same goes for every other class: a retry loop that trusts `{deadlock}` repeats an error "
    "whose text holds the word.",
    adapter="stock",
)
async def test_words_of_the_message_choose_the_class(session, word: str, name: str, deadlock: str):
    raised = await failure(session.execute(ADD, None, f"{word}@example.com"))
    assert "violates not-null constraint" in str(raised)
    assert name_of(raised) == name
    neutral = await failure(session.execute(ADD, None, "somebody@example.com"))
    assert name_of(neutral) == "NotNullViolationError"
    for words, other in (
        (word, name),
        ("deadlock", deadlock),
        ("connection", "DatabaseConnectionError"),
        ("timeout", "QueryTimeoutError"),
        ("cancelled", "OperationCancelledError"),
        ("constraint", "IntegrityError"),
    ):
        assert name_of(await failure(session.select(f"SELECT * FROM my_{words}_log"))) == other
        assert name_of(await failure(session.select("SELECT $1::text::int", words))) == other


@proves("Decide by the server's primary message instead:")
async def test_the_primary_message_tells_a_duplicate(session):
    def is_duplicate(error, constraint):
        _, _, message = str(error.__cause__ or error).partition("db error: ERROR: ")
        expected = f'duplicate key value violates unique constraint "{constraint}"'
        return message.partition("\n")[0] == expected

    twin = await failure(session.execute(TWIN))
    assert isinstance(twin, UniqueViolationError)
    nameless = await failure(session.execute(ADD, None, "unique@example.com"))
    assert [is_duplicate(e, "users_email_key") for e in (twin, nameless)] == [True, False]
    assert not is_duplicate(twin, "users_pkey")


@proves(
    "Better still, let no error occur: `ON CONFLICT DO NOTHING RETURNING` returns no row for a "
    "duplicate."
)
async def test_on_conflict_returns_no_row_for_a_duplicate(session):
    upsert = f"{ADD} ON CONFLICT DO NOTHING RETURNING id"
    await session.begin()
    assert await session.select(upsert, "Ada", "ada@example.com") == []
    assert len(await session.select(upsert, "Barbara", "barbara@example.com")) == 1
    await session.rollback()


@proves("On the drop-in one class is enough, `{base}`: its classes.")
async def test_the_dropin_has_one_base_class(dropin, base: str):
    closed_port = DropIn(connection_config={"dsn": "postgresql://u:p@127.0.0.1:1/d"})

    async def connect():
        async with closed_port.provide_session():
            pass

    family = getattr(sqlspec.exceptions, base)
    find = "SELECT name FROM users WHERE id = $1"
    for work in (connect(), dropin.execute("SELECT 1 / 0"), dropin.select(find, 2**40)):
        error = await failure(work)
        assert isinstance(error, family)
        assert type(error) is not family
    assert family.__base__ is Exception


@proves("With `dropin`, a session of the drop-in, the class alone says it:")
async def test_the_dropin_says_it_by_class(dropin):
    twin = await failure(dropin.execute(TWIN))
    assert (type(twin), twin.sqlstate) == (UniqueViolationError, "23505")
    nameless = await failure(dropin.execute(ADD, None, "unique@example.com"))
    assert (type(nameless), nameless.sqlstate) == (NotNullViolationError, "23502")
    missing = await failure(dropin.select("SELECT * FROM unique_items"))
    assert missing.sqlstate == "42P01"
    assert not isinstance(missing, UniqueViolationError)
