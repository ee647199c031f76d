"""What the pool lends: its size, connections that die, closed pools."""

from __future__ import annotations

import asyncio
import time

import psqlpy
import psqlpy_adapter.pool
import psycopg
import pytest
from pool_tools import backend
from psqlpy_adapter import PsqlpyConfig
from sqlspec.exceptions import DatabaseConnectionError, SQLSpecError


async def test_a_resized_pool_keeps_to_its_size(small):
    pool = await small.provide_pool()
    pool.resize(4)
    await small.warm_up(4)
    assert pool.status().size == 4
    pool.resize(1)
    assert pool.status().size == 1
    assert len({await backend(small) for _ in range(5)}) == 1
    with pytest.raises(SQLSpecError, match="of no use"):
        pool.resize(0)


async def test_the_raw_pool_lends_connections_as_psqlpys_does(small):
    pool = await small.provide_pool()
    assert isinstance(pool, psqlpy.ConnectionPool)
    async with pool.acquire() as connection:
        assert (await connection.fetch("SELECT 42 AS n", [])).result() == [{"n": 42}]
        assert pool.status().available == 0
    assert pool.status().available == 1
    connection = await pool.connection()
    assert (await connection.fetch("SELECT 42 AS n", [])).result() == [{"n": 42}]
    connection.close()


async def test_a_created_connection_takes_no_place_in_the_pool(small):
    made = [await small.create_connection() for _ in range(3)]
    async with asyncio.timeout(5):
        assert await backend(small)
    for connection in made:
        connection.close()


async def test_a_closed_pool_ends_the_waiting_and_a_new_one_opens(small):
    async with small.provide_session(), small.provide_session():
        waiting = asyncio.create_task(backend(small))
        await asyncio.sleep(0.05)
        await small.close_pool()
        with pytest.raises(DatabaseConnectionError, match="the pool is closed"):
            await waiting
    assert await backend(small)


async def test_lent_connections_end_at_their_return_to_a_closed_pool(small, dsn):
    async with small.provide_session() as session:
        pid = await session.select_value("SELECT pg_backend_pid()")
        await small.close_pool()
    # A transaction would see the same snapshot of pg_stat_activity at every look.
    with psycopg.connect(dsn, autocommit=True) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"
        deadline = time.monotonic() + 5
        while connection.execute(query, [pid]).fetchone() != (0,):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)


async def test_a_hook_that_fails_costs_no_place(dsn):
    fails = True

    async def hook(_):
        if fails:
            raise RuntimeError("not today")

    config = PsqlpyConfig(
        connection_config={"dsn": dsn, "max_db_pool_size": 1, "pool_timeout_sec": 1},
        driver_features={"on_connection_create": hook},
    )
    for _ in range(3):
        with pytest.raises(RuntimeError, match="not today"):
            await backend(config)
    fails = False
    assert await backend(config)
    await config.close_pool()


async def test_all_connections_survive_the_death_of_their_backends(small, dsn):
    async with small.provide_session(), small.provide_session():
        pass
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert len(set(await asyncio.gather(*(backend(small) for _ in range(10))))) <= 2


async def test_a_backend_that_dies_in_a_session_is_not_lent_again(small, dsn):
    async with small.provide_session() as session:
        pid = await session.select_value("SELECT pg_backend_pid()")
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        with pytest.raises(SQLSpecError):
            await session.execute("SELECT 1")
    assert await backend(small) != pid


async def test_an_extension_created_later_is_seen(database, servers, dsn):
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("DROP EXTENSION vector CASCADE")
        config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
        async with config.provide_session() as session:
            assert session.statement_config.dialect == "postgres"
            connection.execute("CREATE EXTENSION vector")
            async with config.provide_session() as other:
                assert other.statement_config.dialect == "pgvector"
        await config.close_pool()


async def test_a_cut_link_is_noticed_when_a_connection_is_borrowed(dsn, monkeypatch):
    monkeypatch.setattr(psqlpy_adapter.recycling, "PROOF_LIMIT", 0.3)
    monkeypatch.setattr(psqlpy_adapter.pool, "PROOF_AGE", 0.0)
    address = dsn.rpartition("@")[2].partition("/")[0]
    host, _, port = address.partition(":")
    links = []

    async def copy(reader, writer, link):
        while chunk := await reader.read(65536):
            if link["is_whole"]:
                writer.write(chunk)
                await writer.drain()

    async def relay(reader, writer):
        link = {"is_whole": True}
        links.append(link)
        other_reader, other_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(copy(reader, other_writer, link), copy(other_reader, writer, link))

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    front = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    config = PsqlpyConfig(
        connection_config={"dsn": dsn.replace(address, front), "max_db_pool_size": 3}
    )
    await config.warm_up(3)
    for link in links:
        link["is_whole"] = False
    began = time.monotonic()
    assert await backend(config)
    # One wait proves that the others are cut off as well.
    assert 0.25 < time.monotonic() - began < 0.8
    assert config.connection_instance.status().size == 1
    await config.close_pool()
    server.close()


async def test_a_pool_is_not_warmed_beyond_its_size(small):
    with pytest.raises(SQLSpecError, match="more than 'max_db_pool_size' allows"):
        await small.warm_up(3)
    await asyncio.gather(small.warm_up(2), small.warm_up(2))
    assert (await small.provide_pool()).status().size == 2


async def test_a_closed_pool_cannot_be_warmed(small):
    pool = await small.provide_pool()
    pool.close()
    with pytest.raises(DatabaseConnectionError, match="the pool is closed"):
        await pool.warm_up(1)
