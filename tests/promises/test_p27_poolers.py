import asyncio
import shutil
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from harness import Breaks, promise
from sqlspec.exceptions import DatabaseConnectionError, ImproperConfigurationError

CLOSED = Breaks(TypeError, "max_cached_statement_lifetime")
"""SQLSpec adds a key that psqlpy does not take, so the pool never opens."""


def bouncer_version():
    found = shutil.which("pgbouncer")
    if found is None:
        return None
    text = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in text.split()[1].split(".")[:2])


VERSION = bouncer_version()
needs_bouncer = pytest.mark.skipif(
    VERSION is None, reason="PgBouncer is not installed (apt-get install pgbouncer)"
)
needs_old = pytest.mark.skipif(
    VERSION is None or VERSION >= (1, 21), reason=f"needs PgBouncer before 1.21, found {VERSION}"
)


@pytest.fixture
def bouncer(dsn, tmp_path):
    """PgBouncer in transaction mode before the server; gives the DSN through it."""
    place = urlsplit(dsn)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    users = tmp_path / "users.txt"
    users.write_text(f'"{place.username}" "{place.password}"\n')
    settings = tmp_path / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\n* = host={place.hostname} port={place.port} password={place.password}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = plain\nauth_file = {users}\npool_mode = transaction\n"
        f"default_pool_size = 4\nlogfile = {tmp_path / 'log'}\n"
    )
    for path in (tmp_path, users, settings):
        path.chmod(0o755)
    tmp_path.chmod(0o777)
    command = ["pgbouncer", "-q", "-u", "nobody", str(settings)]
    for parent in tmp_path.parents:
        if parent != Path("/tmp") and str(parent).startswith("/tmp/"):
            parent.chmod(0o755)
    process = subprocess.Popen(command)
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline, "PgBouncer does not listen"
            time.sleep(0.02)
    yield dsn.replace(f"{place.hostname}:{place.port}", f"127.0.0.1:{port}")
    process.terminate()
    process.wait(10)


FEATURES = [{"pooler_mode": "transaction"}, {"pgbouncer": True}, {"pooler_mode": "statement"}]


@pytest.mark.parametrize("features", FEATURES, ids=str)
@promise("P27", stock=CLOSED)
async def test_the_pool_opens_and_statements_work(adapter, dsn, features):
    config = adapter.config(
        connection_config={"dsn": dsn, "max_db_pool_size": 2}, driver_features=features
    )
    for _ in range(3):
        async with config.provide_session() as session:
            assert await session.select_value("SELECT $1::int + 1", 41) == 42
    await config.close_pool()


@promise("P27", stock=CLOSED)
async def test_transactions_batches_and_streams_work_in_its_mode(adapter, dsn):
    config = adapter.config(
        connection_config={"dsn": dsn, "max_db_pool_size": 2},
        driver_features={"pooler_mode": "transaction"},
    )
    insert = "INSERT INTO users (name) VALUES ($1)"
    async with config.provide_session() as session:
        before = await session.select_value("SELECT count(*) FROM users")
        for sets in (30, 30, 6_000):  # so many are a COPY on the bundled adapter
            async with session.transaction():
                await session.execute(insert, "x")
            await session.execute_many(insert, [("y",)] * sets)
        async with session.select_stream("SELECT id FROM users", chunk_size=50) as stream:
            assert len([row async for row in stream]) == before + 6_063
    await config.close_pool()


@needs_old
@promise("P27", stock=CLOSED)
async def test_a_pooler_that_loses_statements_is_refused_before_the_first_one(
    adapter, dsn, bouncer
):
    config = adapter.config(
        connection_config={"dsn": bouncer, "max_db_pool_size": 4},
        driver_features={"pooler_mode": "transaction"},
    )
    with pytest.raises(DatabaseConnectionError) as caught:
        async with config.provide_session() as session:
            await session.execute("CREATE TABLE half_done (id int)")
    await config.close_pool()
    assert "does not keep track of prepared statements" in str(caught.value)
    assert "PgBouncer 1.21 or later with max_prepared_statements > 0" in str(caught.value)
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT to_regclass('half_done')").fetchone()[0] is None


@needs_old
@promise("P27", stock=CLOSED)
async def test_it_is_refused_while_others_use_the_pooler(adapter, bouncer):
    async def busy():
        async with await psycopg.AsyncConnection.connect(bouncer, autocommit=True) as other:
            other.prepare_threshold = None
            while True:
                await other.execute("SELECT pg_sleep(0.001)")

    others = [asyncio.create_task(busy()) for _ in range(3)]
    config = adapter.config(
        connection_config={"dsn": bouncer, "max_db_pool_size": 4},
        driver_features={"pgbouncer": True},
    )
    try:
        with pytest.raises(DatabaseConnectionError, match="prepared statements"):
            async with config.provide_session():
                pass
    finally:
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await config.close_pool()


@pytest.mark.skipif(
    VERSION is None or VERSION < (1, 21),
    reason=f"needs PgBouncer 1.21 or later, found {VERSION}",
)
@promise("P27", stock=CLOSED)
async def test_a_pooler_that_tracks_statements_works(adapter, bouncer):
    config = adapter.config(
        connection_config={"dsn": bouncer, "max_db_pool_size": 8},
        driver_features={"pooler_mode": "transaction"},
    )

    async def ask(number):
        async with config.provide_session() as session:
            return await session.select_value("SELECT $1::int + 1", number)

    answers = await asyncio.gather(*(ask(number) for number in range(200)))
    assert answers == list(range(1, 201))
    await config.close_pool()


@promise("P27", stock=None)
async def test_the_direct_address_passes_the_pooler(adapter, dsn):
    place = urlsplit(dsn)
    config = adapter.config(
        connection_config={
            "host": "pooler.invalid",
            "port": 6432,
            "username": place.username,
            "password": place.password,
            "db_name": place.path[1:],
            "max_db_pool_size": 2,
        },
        driver_features={
            "pooler_mode": "transaction",
            "direct_dsn": {"host": place.hostname, "port": place.port},
        },
    )
    direct = config.derive_direct_config()
    assert direct.driver_features["pooler_mode"] == "session"
    async with direct.provide_session() as session:
        assert await session.select_value("SELECT 42") == 42
    await direct.close_pool()


@promise("P27", stock=None)
async def test_the_direct_address_may_be_a_connection_string(adapter, dsn):
    config = adapter.config(
        connection_config={
            "host": "pooler.invalid",
            "username": "pooled",
            "password": "pooled",
            "db_name": "pooled",
            "max_db_pool_size": 2,
        },
        driver_features={"pgbouncer": True, "direct_dsn": dsn},
    )
    direct = config.derive_direct_config()
    async with direct.provide_session() as session:
        assert await session.select_value("SELECT 42") == 42
    await direct.close_pool()


@promise("P27", stock=Breaks(pytest.fail.Exception, "DID NOT RAISE"))
async def test_contradictory_pooler_settings_are_refused(adapter, dsn):
    with pytest.raises(ImproperConfigurationError, match="'pooler_mode' is 'session'"):
        adapter.config(
            connection_config={"dsn": dsn},
            driver_features={"pgbouncer": True, "pooler_mode": "session"},
        )
