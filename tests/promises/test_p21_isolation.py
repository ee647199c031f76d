"""P21: isolation levels, read only and deferrable are arguments of begin() and transaction()."""

import psqlpy
import pytest
from harness import Breaks, promise
from sqlspec.exceptions import SerializationConflictError, SQLSpecError, TransactionError

SETTINGS = (
    "SELECT current_setting('transaction_isolation') AS isolation_level, "
    "current_setting('transaction_read_only') AS read_only, "
    "current_setting('transaction_deferrable') AS deferrable"
)


@promise("P21", stock=Breaks(TypeError, "isolation_level"))
@pytest.mark.parametrize(
    ("given", "isolation_level"),
    [
        ("serializable", "serializable"),
        ("repeatable read", "repeatable read"),
        ("REPEATABLE_READ", "repeatable read"),
        ("read committed", "read committed"),
        ("read uncommitted", "read uncommitted"),
        (psqlpy.IsolationLevel.Serializable, "serializable"),
    ],
)
async def test_begin_takes_the_isolation_level_as_a_word(adapter, session, given, isolation_level):
    await session.begin(isolation_level=given)
    assert (await session.select_one(SETTINGS))["isolation_level"] == isolation_level
    await session.rollback()
    assert (await session.select_one(SETTINGS))["isolation_level"] == "read committed"


@promise("P21", stock=Breaks(TypeError, "isolation_level"))
async def test_begin_takes_read_only_and_deferrable(adapter, session):
    await session.begin(isolation_level="serializable", read_only=True, deferrable=True)
    assert await session.select_one(SETTINGS) == {
        "isolation_level": "serializable",
        "read_only": "on",
        "deferrable": "on",
    }
    await session.rollback()


@promise("P21", stock=Breaks(TypeError, "keyword arguments"))
async def test_a_transaction_block_takes_the_same_arguments(adapter, session):
    async with session.transaction(isolation_level="repeatable read", read_only=True):
        settings = await session.select_one(SETTINGS)
    assert settings["isolation_level"] == "repeatable read"
    assert settings["read_only"] == "on"


@pytest.mark.parametrize("argument", ["read_only", "deferrable"])
@promise("P21", stock=Breaks(TypeError, "keyword argument"))
async def test_false_overrides_the_session_s_default_and_none_leaves_it(adapter, session, argument):
    name = f"transaction_{argument}"
    await session.execute_script(f"SET default_{name} = on")
    for given, word in ((False, "off"), (True, "on"), (None, "on")):
        await session.begin(**{argument: given})
        assert await session.select_value(f"SHOW {name}") == word
        await session.rollback()
        async with session.transaction(**{argument: given}):
            assert await session.select_value(f"SHOW {name}") == word


@promise("P21", stock=Breaks(TypeError, "keyword arguments"))
async def test_a_read_only_transaction_refuses_to_write(adapter, session):
    with pytest.raises(SQLSpecError, match="read-only transaction"):
        async with session.transaction(read_only=True):
            await session.execute("DELETE FROM embeddings")
    assert await session.select_value("SELECT count(*) FROM embeddings") == 5


@promise("P21", stock=Breaks(TypeError, "isolation_level"))
async def test_a_wrong_word_is_refused_with_the_allowed_ones(adapter, session):
    with pytest.raises(SQLSpecError, match="read committed, repeatable read, serializable"):
        await session.begin(isolation_level="snapshot")
    with pytest.raises(SQLSpecError, match="'1': must be True, False or None"):
        await session.begin(read_only="1")


@promise("P21", stock=Breaks(TypeError, "isolation_level"))
async def test_an_open_transaction_does_not_change_its_level(adapter, session):
    await session.begin()
    await session.begin()  # SQLSpec's: nothing happens
    with pytest.raises(TransactionError, match="open already"):
        await session.begin(isolation_level="serializable")
    async with session.transaction():
        with pytest.raises(TransactionError, match="savepoint"):
            async with session.transaction(isolation_level="serializable"):
                pass


@promise("P21", stock=None)
async def test_set_transaction_by_hand_goes_on_working(adapter, session):
    async with session.transaction():
        await session.execute_script("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY")
        settings = await session.select_one(SETTINGS)
    assert settings["isolation_level"] == "serializable"
    assert settings["read_only"] == "on"


@promise("P21", stock=Breaks(TypeError, "isolation_level"))
async def test_the_loser_of_two_serializable_transactions_can_be_told(adapter, config):
    total = "SELECT sum(balance) FROM accounts"
    add = "INSERT INTO accounts (owner, balance) VALUES ('x', 1)"
    async with config.provide_session() as one, config.provide_session() as other:
        await one.begin(isolation_level="serializable")
        await other.begin(isolation_level="serializable")
        for session in (one, other):
            await session.select_value_or_none(total)
            await session.execute(add)
        await one.commit()
        with pytest.raises(SerializationConflictError):
            await other.commit()
        assert await other.select_value("SELECT count(*) FROM accounts") == 1
