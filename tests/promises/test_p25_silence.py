"""P25, peers that are gone: the client gives up by itself, and a listener comes back."""

import asyncio
from contextlib import suppress

import psycopg
from harness import Breaks, promise
from relay import Relay
from sqlspec.exceptions import QueryTimeoutError

UNKNOWN_KEY = Breaks(TypeError, "statement_timeout_sec")
OWN_LIMIT = "the client's own limit of a statement"


async def failure_of(statement):
    try:
        await statement
    except QueryTimeoutError as error:
        return str(error)
    return "it was answered"


@promise("P25", stock=UNKNOWN_KEY)
async def test_the_client_ends_a_statement_that_the_server_lets_run(adapter, dsn):
    config = adapter.config(
        connection_config={"dsn": dsn, "max_db_pool_size": 2, "statement_timeout_sec": 0.2}
    )
    async with asyncio.timeout(20), config.provide_session() as session:
        await session.execute("SET statement_timeout = 0")
        assert OWN_LIMIT in await failure_of(session.select("SELECT pg_sleep(60)"))
        assert await session.select_value("SELECT 1") == 1
    await config.close_pool()


@promise("P25", stock=UNKNOWN_KEY)
async def test_a_peer_that_falls_silent_is_given_up_by_the_client(adapter, dsn):
    """The server's own statement_timeout cannot come through a cut link."""
    async with Relay.before(dsn) as relay:
        config = adapter.config(
            connection_config={
                "dsn": relay.dsn(dsn),
                "max_db_pool_size": 2,
                "connect_timeout_sec": 1,
                "statement_timeout_sec": 0.2,
            }
        )
        async with asyncio.timeout(20), config.provide_session() as session:
            assert await session.select_value("SELECT 1") == 1
            relay.is_mute = True
            assert OWN_LIMIT in await failure_of(session.select("SELECT 2"))
        await config.close_pool()


@promise("P25", stock=Breaks(TimeoutError))
async def test_a_listener_goes_on_after_its_backend_was_terminated(adapter, dsn, config):
    listener = (await config.provide_pool()).listener()
    heard = asyncio.Queue()

    async def hear(_connection, payload, _channel, _pid):
        await heard.put(payload)

    async def until_heard(word):
        async with asyncio.timeout(10):
            while True:
                other.execute("SELECT pg_notify('news', %s)", [word])
                with suppress(TimeoutError):
                    if await asyncio.wait_for(heard.get(), 0.2) == word:
                        return

    await listener.startup()
    await listener.add_callback("news", hear)
    listener.listen()
    try:
        with psycopg.connect(dsn, autocommit=True) as other:
            await until_heard("before")
            other.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE query ILIKE 'LISTEN %'"
            )
            await until_heard("after")
    finally:
        with suppress(Exception):
            await listener.shutdown()
