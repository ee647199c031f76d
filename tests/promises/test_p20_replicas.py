import asyncio
import socket
import time

import psqlpy
import psycopg
import pytest
from harness import Breaks, promise
from proveskill.servers import Servers, ServerSpec
from relay import Relay
from sqlspec.exceptions import DatabaseConnectionError, SQLSpecError

IGNORED = Breaks(AssertionError)
"""SQLSpec takes `read_only=True` and does nothing with it."""


@pytest.fixture
def cluster(servers, database):
    """Both servers of a streaming pair in one URL, the standby first."""
    return servers.variables(["CLUSTER_DATABASE_URL"], database)["CLUSTER_DATABASE_URL"]


def hosts_of(url):
    return url.rpartition("@")[2].partition("/")[0].split(",")


def with_hosts(url, hosts):
    head, _, rest = url.rpartition("@")
    return f"{head}@{','.join(hosts)}/{rest.partition('/')[2]}"


def of(adapter, url, **keys):
    separator = "&" if "?" in url else "?"
    return adapter.config(
        connection_config={
            "dsn": f"{url}{separator}target_session_attrs=read-write",
            "max_db_pool_size": 4,
            **keys,
        }
    )


async def is_standby(config, **role):
    async with config.provide_session(**role) as session:
        return await session.select_value("SELECT pg_is_in_recovery()")


@promise("P20", stock=IGNORED)
async def test_reads_go_to_a_standby_and_writes_to_the_primary(adapter, cluster):
    config = of(adapter, cluster)
    assert await is_standby(config) is False
    assert await is_standby(config, read_only=True) is True
    assert await is_standby(config) is False
    await config.close_pool()


@promise("P20", stock=None)
async def test_a_dead_host_is_skipped(adapter, cluster):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        dead = f"127.0.0.1:{free.getsockname()[1]}"
        config = of(adapter, with_hosts(cluster, [dead, *hosts_of(cluster)]))
        assert await is_standby(config) is False
        await config.close_pool()


@promise("P20", stock=Breaks(TimeoutError))
async def test_a_silent_host_is_skipped(adapter, cluster, servers, database):
    silent = servers.variables(["SILENT_DATABASE_URL"], database)["SILENT_DATABASE_URL"]
    hosts = [*hosts_of(silent), *hosts_of(cluster)]
    config = of(adapter, with_hosts(cluster, hosts), connect_timeout_sec=1)
    async with asyncio.timeout(5):
        assert await is_standby(config) is False
    await config.close_pool()


@promise("P20", stock=IGNORED)
async def test_reads_use_the_primary_when_no_standby_is_there(adapter, cluster):
    primary = hosts_of(cluster)[1]
    config = of(adapter, with_hosts(cluster, [primary]))
    assert await is_standby(config, read_only=True) is False
    async with config.provide_session(read_only=True) as session:
        assert await session.select_value("SHOW transaction_read_only") == "on"
    await config.close_pool()


@promise("P20", stock=Breaks(pytest.fail.Exception, "DID NOT RAISE"))
async def test_a_session_for_reads_never_writes(adapter, dsn):
    config = of(adapter, dsn)
    async with config.provide_session(read_only=True) as session:
        with pytest.raises(SQLSpecError, match="read-only transaction"):
            await session.execute("CREATE TABLE written (id int)")
    await config.close_pool()


@pytest.mark.parametrize(
    ("target", "standby"),
    [
        ("primary", False),
        ("standby", True),
        ("read-only", True),
        ("prefer-standby", True),
        ("any", True),
    ],
)
@promise("P20", stock=Breaks(TypeError, "TargetSessionAttrs"))
async def test_every_role_of_libpq_is_found(adapter, cluster, target, standby):
    config = adapter.config(
        connection_config={
            "dsn": cluster,
            "target_session_attrs": target,
            "max_db_pool_size": 2,
        }
    )
    assert await is_standby(config) is standby
    await config.close_pool()


@promise("P20", stock=Breaks(AssertionError))
async def test_the_error_says_what_each_host_said(adapter, cluster):
    standby = hosts_of(cluster)[0]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        dead = f"127.0.0.1:{free.getsockname()[1]}"
        config = of(adapter, with_hosts(cluster, [dead, standby]))
        with pytest.raises(Exception) as caught:  # noqa: PT011
            await is_standby(config)
    await config.close_pool()
    assert isinstance(caught.value, DatabaseConnectionError)
    assert f"{dead}: error connecting to server: Connection refused" in str(caught.value)
    assert f"{standby} is a standby" in str(caught.value)


@promise("P20", stock=IGNORED)
async def test_reads_are_spread_over_the_standbys(adapter, cluster):
    standby, primary = hosts_of(cluster)
    async with Relay(standby) as one, Relay(standby) as other:
        config = of(adapter, with_hosts(cluster, [primary, one.address, other.address]))

        async def read():
            assert await is_standby(config, read_only=True)

        for _ in range(6):
            await asyncio.gather(*(read() for _ in range(4)))
            await config.close_pool()
        assert one.accepted > 0
        assert other.accepted > 0


@pytest.fixture
def own_pair():
    """A streaming pair that a test may promote."""
    with Servers(ServerSpec()) as servers:
        database = servers.create_database()
        yield servers.variables(["CLUSTER_DATABASE_URL"], database)["CLUSTER_DATABASE_URL"]


def wait_for_replay(standby, cluster):
    """Wait until the standby has what the primary has."""
    with psycopg.connect(with_hosts(cluster, [hosts_of(cluster)[1]])) as primary:
        [position] = primary.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone()
    query = "SELECT coalesce(pg_last_wal_replay_lsn() >= %s::pg_lsn, false)"
    while standby.execute(query, [position]).fetchone() != (True,):
        time.sleep(0.005)


@promise("P20", stock=Breaks(psqlpy.Error))
async def test_a_failover_is_followed(adapter, own_pair):
    standby, primary = hosts_of(own_pair)
    async with Relay(primary) as front:
        config = of(adapter, with_hosts(own_pair, [front.address, standby]), connect_timeout_sec=5)
        async with config.provide_session() as session:
            await session.execute("CREATE TABLE written (id int)")
        written = []

        async def write(number):
            async with config.provide_session() as session:
                await session.execute("INSERT INTO written VALUES ($1)", number)
            written.append(number)

        for number in range(5):
            await write(number)
        to_standby = with_hosts(own_pair, [standby])
        with psycopg.connect(to_standby, autocommit=True) as connection:
            await asyncio.to_thread(wait_for_replay, connection, own_pair)
            # The primary goes away in the middle of writes, then the standby takes over.
            writes = [asyncio.create_task(write(number)) for number in range(5, 10)]
            front.cut()
            await asyncio.gather(*writes, return_exceptions=True)
            assert await is_standby(config, read_only=True) is True
            with pytest.raises(DatabaseConnectionError):
                await write(100)
            connection.execute("SELECT pg_promote()")
        await write(200)
        assert await is_standby(config) is False
        async with config.provide_session(read_only=True) as session:
            assert await session.select_value("SELECT count(*) FROM written WHERE id = 200") == 1
        await config.close_pool()
