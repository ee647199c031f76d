"""Proofs of references/drop-in.md: standbys and poolers."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import Any

import psycopg
import pytest
from dropin_tools import address, answer, opened
from proveskill import proves
from relay import Relay
from sqlspec.exceptions import DatabaseConnectionError, TransactionError

CLUSTER = os.environ["CLUSTER_DATABASE_URL"]
STANDBY, PRIMARY = address(CLUSTER).split(",")
IS_STANDBY = "SELECT pg_is_in_recovery()"


def on(*hosts: str) -> str:
    return CLUSTER.replace(address(CLUSTER), ",".join(hosts))


async def is_standby(config: Any, **role: Any) -> bool:
    async with config.provide_session(**role) as session:
        return await session.select_value(IS_STANDBY)


def libpq_is_standby(target: str, *hosts: str) -> bool | None:
    try:
        with psycopg.connect(on(*hosts), target_session_attrs=target) as connection:
            return connection.execute(IS_STANDBY).fetchone()[0]
    except psycopg.OperationalError:
        return None


@proves(
    "One config serves both roles.",
    "`provide_session({argument}=True)` takes a standby of the hosts if there is one, and refuses "
    "to write; everything else goes where `target_session_attrs` says, all {count} words of libpq "
    "included.",
    "`config.provide_session({argument}=True)` | a standby",
    table="Call | New",
)
async def test_reads_go_to_a_standby(argument: str, count: int) -> None:
    async with opened(CLUSTER, target_session_attrs="primary") as config:
        for _ in (1, 2):
            assert await is_standby(config) is False
            assert await is_standby(config, **{argument: True}) is True
    async with opened(on(PRIMARY)) as config:
        assert await is_standby(config, **{argument: True}) is False
        async with config.provide_session(**{argument: True}) as session:
            with pytest.raises(TransactionError, match="read-only transaction"):
                await session.execute("CREATE TABLE written (id int)")
    words = "any", "read-write", "read-only", "primary", "standby", "prefer-standby"
    assert len(words) == count
    cases = [(word, (STANDBY, PRIMARY)) for word in words]
    cases += [(word, (PRIMARY,)) for word in ("read-only", "standby", "prefer-standby")]
    cases += [(word, (STANDBY,)) for word in ("any", "read-write", "primary")]
    for word, hosts in cases:
        try:
            async with opened(on(*hosts), target_session_attrs=word) as config:
                found = await is_standby(config)
        except DatabaseConnectionError:
            found = None
        assert found is await asyncio.to_thread(libpq_is_standby, word, *hosts)


@proves("A dead or silent host is skipped, a failover is followed.")
async def test_a_host_that_is_gone_is_skipped() -> None:
    """The failover: the host that was the primary goes on as a standby, the other as a primary."""
    silent = address(os.environ["SILENT_DATABASE_URL"])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        dead = f"127.0.0.1:{free.getsockname()[1]}"
        url = on(dead, silent, STANDBY, PRIMARY)
        keys = {"target_session_attrs": "primary", "connect_timeout_sec": 0.3}
        async with asyncio.timeout(10), opened(url, **keys) as config:
            assert await is_standby(config) is False
    async with Switched(PRIMARY) as one, Switched(STANDBY) as other:
        url = on(one.address, other.address)
        async with opened(url, target_session_attrs="primary") as config:
            port = await port_of(config)
            accepted = other.accepted
            one.switch(STANDBY)
            other.switch(PRIMARY)
            async with asyncio.timeout(10):
                while (found := await port_of(config)) is None:
                    pass  # a statement may meet the connection that has just been lost
            assert found == port
            assert await is_standby(config) is False
            assert other.accepted > accepted


async def port_of(config: Any) -> int | None:
    try:
        return await answer(config, "SELECT inet_server_port()")
    except DatabaseConnectionError:
        return None


class Switched(Relay):
    """A host whose server is exchanged for another."""

    def switch(self, place: str) -> None:
        host, _, port = place.partition(":")
        self._place = host, int(port)
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()


@proves("A standby is late.")
async def test_a_standby_has_not_what_was_just_committed() -> None:
    with psycopg.connect(on(STANDBY), autocommit=True) as standby:
        async with opened(on(PRIMARY)) as config, config.provide_session() as session:
            await session.execute("CREATE TABLE late (id int)")
            await wait_for(standby, "SELECT to_regclass('late') IS NOT NULL")
            missed = 0
            for number in range(2000):
                await session.execute("INSERT INTO late VALUES ($1)", number)
                query = "SELECT count(*) FROM late"
                missed += standby.execute(query).fetchone() != (number + 1,)
                if missed:
                    break
    assert missed


async def wait_for(connection: Any, query: str) -> None:
    async with asyncio.timeout(10):
        while (await asyncio.to_thread(connection.execute, query)).fetchone() != (True,):
            pass
