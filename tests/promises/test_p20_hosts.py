"""P20: to which of several hosts a new connection goes."""

import asyncio
import time
from urllib.parse import urlsplit

import psqlpy
import pytest
from harness import Breaks, promise
from relay import Relay
from sqlspec.exceptions import PermissionDeniedError


def of(adapter, dsn, hosts, **keys):
    """A configuration for the database of a connection string on other hosts ("host:port")."""
    place = urlsplit(dsn)
    settings = {
        "hosts": [host.partition(":")[0] for host in hosts],
        "ports": [int(host.partition(":")[2]) for host in hosts],
        "username": place.username,
        "password": place.password,
        "db_name": place.path[1:],
        **keys,
    }
    return adapter.config(connection_config=settings)


def address(dsn):
    return dsn.rpartition("@")[2].partition("/")[0]


@promise("P20", stock=Breaks(TimeoutError))
async def test_a_silent_host_is_waited_for_once_not_at_each_connection(
    adapter, servers, database, dsn
):
    silent = servers.variables(["SILENT_DATABASE_URL"], database)["SILENT_DATABASE_URL"]
    config = of(
        adapter, dsn, [address(silent), address(dsn)], connect_timeout_sec=1, max_db_pool_size=4
    )
    async with asyncio.timeout(6), config.provide_session() as one:
        assert await one.select_value("SELECT 1") == 1
        began = time.monotonic()
        async with config.provide_session() as two, config.provide_session() as three:
            assert await two.select_value("SELECT 1") + await three.select_value("SELECT 1") == 2
        assert time.monotonic() - began < 0.8
    await config.close_pool()


@promise("P20", stock=Breaks(psqlpy.Error, "Connection refused"))
async def test_a_refused_login_ends_the_search(adapter, dsn):
    config = of(adapter, dsn, [address(dsn), "127.0.0.1:1"], password="wrong", max_db_pool_size=2)
    with pytest.raises(PermissionDeniedError):
        async with config.provide_session():
            pass
    await config.close_pool()


@pytest.mark.parametrize(("order", "is_spread"), [
    (psqlpy.LoadBalanceHosts.Random, True), (psqlpy.LoadBalanceHosts.Disable, False),
], ids=str)  # fmt: skip
@promise("P20", stock=None)
async def test_load_balancing_spreads_connections_over_the_hosts(adapter, dsn, order, is_spread):
    async with Relay.before(dsn) as first, Relay.before(dsn) as second:
        hosts = [first.address, second.address]
        config = of(adapter, dsn, hosts, load_balance_hosts=order, max_db_pool_size=4)

        async def read():
            async with config.provide_session() as session:
                await session.select_value("SELECT 1")

        for _ in range(6):
            await asyncio.gather(*(read() for _ in range(4)))
            await config.close_pool()
        assert first.accepted > 0
        assert (second.accepted > 0) is is_spread
