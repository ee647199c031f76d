"""P24, lost connections and panics: every call says it with a SQLSpecError."""

import pyarrow as pa
import pytest
from apart import apart
from harness import PANIC, Breaks, promise
from sqlspec.exceptions import DatabaseConnectionError, SQLSpecError


async def terminate(session, other):
    """End the backend of a session."""
    pid = await session.select_value("SELECT pg_backend_pid()")
    assert await other.select_value("SELECT pg_terminate_backend($1, 5000)", pid)


async def stream(session):
    async with session.select_stream("SELECT 1") as rows:
        return [row async for row in rows]


CALLS = {
    "execute": lambda s: s.execute("SELECT 1"),
    "select": lambda s: s.select("SELECT $1::int", 1),
    "select_one_or_none": lambda s: s.select_one_or_none("SELECT 1 AS n"),
    "select_stream": stream,
    "select_to_arrow": lambda s: s.select_to_arrow("SELECT 1"),
    "execute_many": lambda s: s.execute_many("DELETE FROM users WHERE id = $1", [(1,), (2,)]),
    "execute_script": lambda s: s.execute_script("SELECT 1; SELECT 2"),
    "load_from_arrow": lambda s: s.load_from_arrow("users", pa.table({"name": ["x"]})),
    "create_savepoint": lambda s: s.create_savepoint("here"),
    "begin": lambda s: s.begin(),
    "rollback": lambda s: s.rollback(),
}
BEYOND_STOCK = ["begin", "rollback"]


async def call_on_lost(config, call, *, again):
    async with config.provide_session() as session, config.provide_session() as other:
        await terminate(session, other)
        if again:
            with pytest.raises(DatabaseConnectionError):
                await session.select("SELECT 1")
        with pytest.raises(DatabaseConnectionError):
            await CALLS[call](session)


@pytest.mark.parametrize("again", [False, True], ids=["at once", "again"])
@pytest.mark.parametrize("call", [call for call in CALLS if call not in BEYOND_STOCK])
@promise("P24", stock=None)
async def test_a_call_on_a_lost_connection_is_a_connection_error(adapter, config, call, again):
    await call_on_lost(config, call, again=again)


@pytest.mark.parametrize("again", [False, True], ids=["at once", "again"])
@pytest.mark.parametrize("call", BEYOND_STOCK)
@promise("P24", stock=Breaks(SQLSpecError, "connection closed"))
async def test_begin_and_rollback_on_a_lost_connection_are_connection_errors(
    adapter, config, call, again
):
    await call_on_lost(config, call, again=again)


@promise("P24", stock=Breaks(AssertionError))
async def test_a_transaction_block_on_a_lost_connection_is_a_connection_error(adapter, config):
    async with config.provide_session() as session, config.provide_session() as other:
        await terminate(session, other)
        with pytest.raises(SQLSpecError) as caught:
            async with session.transaction():
                pass
        assert isinstance(caught.value, DatabaseConnectionError)


@promise("P24", stock=Breaks(Exception, "Pool has been closed"))
async def test_a_closed_pool_is_a_connection_error(adapter, config):
    pool = await config.provide_pool()
    async with config.provide_session() as session:
        assert await session.select_value("SELECT 1") == 1
    pool.close()
    with pytest.raises(DatabaseConnectionError):
        async with config.provide_session() as session:
            await session.select("SELECT 1")


async def panic(adapter, session):
    """Send a list for a vector, at which psqlpy panics, as the adapter's drivers send values."""
    sending = session.connection.fetch("SELECT $1::vector", [[1.0, 2.0]])
    if adapter.name == "bundled":
        from psqlpy_adapter.cancellation import guarded

        return await guarded(session, sending)
    async with session.handle_database_exceptions() as handler:
        await sending
    raise handler.pending_exception


@promise("P24", stock=Breaks(AssertionError, PANIC))
@apart
async def test_no_rust_panic_escapes(adapter, dsn, config):
    async with config.provide_session() as session:
        with pytest.raises(SQLSpecError, match="panic"):
            await panic(adapter, session)


@promise("P24", stock=Breaks(AssertionError, PANIC))
@apart
async def test_a_panic_costs_the_session_and_not_the_pool(adapter, dsn, config):
    async with config.provide_session() as session:
        with pytest.raises(SQLSpecError):
            await panic(adapter, session)
        with pytest.raises(DatabaseConnectionError):
            await session.select("SELECT 1")
    async with config.provide_session() as session:
        assert await session.select_value("SELECT 1") == 1
