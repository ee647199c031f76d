"""How a pool is opened: by several loops and threads, and on a pool from outside."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import psqlpy
import pytest
from psqlpy_adapter import PsqlpyConfig
from sqlspec.exceptions import DatabaseConnectionError, ImproperConfigurationError


async def one_row(config: Any) -> Any:
    async with asyncio.timeout(10), config.provide_session() as session:
        return await session.select_value("SELECT 1")


def test_threads_that_open_the_pool_at_once_share_it(dsn):
    config = PsqlpyConfig(
        connection_config={"dsn": dsn, "min_db_pool_size": 2, "max_db_pool_size": 4}
    )
    answers: list[Any] = []

    def use() -> None:
        try:
            answers.append(asyncio.run(one_row(config)))
        except Exception as error:  # noqa: BLE001 (compared below)
            answers.append(error)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [1] * 4
    asyncio.run(config.close_pool())


def test_a_pool_that_could_not_be_opened_may_be_tried_in_another_loop():
    config = PsqlpyConfig(
        connection_config={
            "host": "127.0.0.1",
            "port": 1,
            "username": "u",
            "password": "p",
            "db_name": "d",
            "min_db_pool_size": 1,
        }
    )

    async def several() -> list[Any]:
        return await asyncio.gather(*(one_row(config) for _ in range(3)), return_exceptions=True)

    for failure in asyncio.run(several()) + asyncio.run(several()):
        assert isinstance(failure, DatabaseConnectionError)


async def test_a_pool_from_outside_tells_where_connections_go(dsn):
    native = psqlpy.ConnectionPool(dsn=dsn, max_db_pool_size=2)
    config = PsqlpyConfig(connection_instance=native)
    connection = await config.create_connection()
    answer = await connection.fetch("SELECT current_database() AS name")
    assert dsn.endswith(answer.result()[0]["name"])
    connection.close()
    with pytest.raises(ImproperConfigurationError, match="does not tell where"):
        async with config.provide_session(read_only=True):
            pass
    await config.close_pool()


async def test_a_pool_from_outside_and_a_place_for_reads_go_together(dsn):
    native = psqlpy.ConnectionPool(dsn=dsn, max_db_pool_size=2)
    config = PsqlpyConfig(connection_instance=native, connection_config={"dsn": dsn})
    async with config.provide_session(read_only=True) as session:
        assert await session.select_value("SHOW transaction_read_only") == "on"
    await config.close_pool()
