import asyncio
import ssl
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from certificates import Certificates, encrypted_key, revocations, serial_of, tls_front
from harness import Breaks, promise
from sqlspec.exceptions import DatabaseConnectionError, ImproperConfigurationError

UNKNOWN = Breaks(TypeError, "unexpected keyword argument 'ssl")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def front(certificates, dsn):
    place = urlsplit(dsn)
    with tls_front(certificates.server_context("localhost"), place.hostname, place.port) as front:
        yield front


def config_for(adapter, front, dsn, certificates, **keys):
    address = urlsplit(dsn).netloc.rpartition("@")[2]
    settings = {
        "dsn": dsn.replace(address, f"localhost:{front.port}"),
        "ssl_mode": "verify-full",
        "sslrootcert": str(certificates.ca_file),
        "sslcert": str(certificates.client_certificate),
        "sslkey": str(certificates.client_key),
        "max_db_pool_size": 3,
        **keys,
    }
    return adapter.config(connection_config=settings)


async def value(config):
    async with config.provide_session() as session:
        return await session.select_value("SELECT 42")


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
@promise("P03", stock=UNKNOWN)
async def test_a_client_certificate_is_shown_to_the_server(adapter, front, dsn, certificates, mode):
    config = config_for(adapter, front, dsn, certificates, ssl_mode=mode)
    assert await asyncio.gather(*(value(config) for _ in range(12))) == [42] * 12
    assert set(front.subjects) == {"client"}
    await config.close_pool()


@promise("P03", stock=UNKNOWN)
async def test_large_answers_come_through(adapter, front, dsn, certificates):
    config = config_for(adapter, front, dsn, certificates)
    async with config.provide_session() as session:
        rows = await session.select(
            "SELECT repeat('x', 10000) AS text FROM generate_series(1, 2000)"
        )
        assert sum(len(row["text"]) for row in rows) == 20_000_000
        sent = "y" * 5_000_000
        assert await session.select_value("SELECT length($1::text)", sent) == 5_000_000
    await config.close_pool()


@promise("P03", stock=UNKNOWN)
async def test_a_server_with_another_name_is_refused(adapter, certificates, dsn):
    place = urlsplit(dsn)
    with tls_front(certificates.server_context("elsewhere"), place.hostname, place.port) as front:
        config = config_for(adapter, front, dsn, certificates)
        with pytest.raises(DatabaseConnectionError, match=r"certificate verify failed.*Hostname"):
            await value(config)
        await config.close_pool()


@promise("P03", stock=UNKNOWN)
async def test_a_server_without_tls_gets_no_plaintext(adapter, servers, database, certificates):
    found = servers.variables(["NO_TLS_DATABASE_URL"], database)["NO_TLS_DATABASE_URL"]
    config = adapter.config(
        connection_config={
            "dsn": found,
            "ssl_mode": "require",
            "sslcert": str(certificates.client_certificate),
            "sslkey": str(certificates.client_key),
            "max_db_pool_size": 2,
        }
    )
    with pytest.raises(DatabaseConnectionError, match="does not support TLS"):
        await value(config)
    await config.close_pool()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"sslkey": None}, "'sslcert' is given without 'sslkey'"),
        ({"sslcert": None}, "'sslkey' is given without 'sslcert'"),
        ({"ssl_mode": "prefer", "sslrootcert": None}, "'sslcert' would be ignored"),
        ({"ssl_mode": None, "sslrootcert": None}, "'sslcert' would be ignored"),
        ({"sslcert": "/nowhere/client.pem"}, "cannot be read"),
        ({"channel_binding": "require"}, "'channel_binding' is 'require'"),
    ],
    ids=str,
)
@promise("P03", stock=Breaks(pytest.fail.Exception, "DID NOT RAISE"))
async def test_what_would_be_ignored_is_refused_at_construction(
    adapter, front, dsn, certificates, keys, message
):
    with pytest.raises(ImproperConfigurationError, match=message):
        config_for(adapter, front, dsn, certificates, **keys)


@promise("P03", stock=Breaks(pytest.fail.Exception, "DID NOT RAISE"))
async def test_a_key_of_another_certificate_is_refused(adapter, front, dsn, certificates, tmp_path):
    other = Certificates.make(tmp_path)
    with pytest.raises(ImproperConfigurationError, match=r"sslkey.*KEY_VALUES_MISMATCH"):
        config_for(adapter, front, dsn, certificates, sslkey=str(other.client_key))


@promise("P03", stock=UNKNOWN)
async def test_the_tunnel_ends_with_the_pool(adapter, front, dsn, certificates):
    config = config_for(adapter, front, dsn, certificates)
    async with config.provide_session() as session:
        found = await session.connection.fetch("SELECT inet_client_port() IS NOT NULL AS tcp", [])
        assert found.result() == [{"tcp": True}]
        [directory] = {Path(host) for host in session.connection.hosts}
        assert directory.is_dir()
        assert directory.parent.stat().st_mode & 0o777 == 0o700
    await config.close_pool()
    assert not directory.parent.exists()
    assert "psqlpy-tls" not in {thread.name for thread in threading.enumerate()}
    assert await value(config) == 42
    await config.close_pool()


@promise("P03", stock=UNKNOWN)
async def test_the_tunnel_serves_one_event_loop_after_another(adapter, front, dsn, certificates):
    config = config_for(adapter, front, dsn, certificates)

    def run():
        return asyncio.run(value(config))

    assert [await asyncio.to_thread(run) for _ in range(3)] == [42, 42, 42]
    await config.close_pool()


@promise("P03", stock=UNKNOWN)
async def test_an_encrypted_key_is_read_with_its_password(
    adapter, front, dsn, certificates, tmp_path
):
    key = tmp_path / "encrypted.key"
    key.write_bytes(encrypted_key(certificates.client_key, "open sesame"))
    keys = {"sslkey": str(key), "sslpassword": "open sesame"}
    config = config_for(adapter, front, dsn, certificates, **keys)
    assert await value(config) == 42
    await config.close_pool()


@pytest.mark.parametrize("password", [{}, {"sslpassword": "wrong"}], ids=str)
@promise("P03", stock=Breaks(pytest.fail.Exception, "DID NOT RAISE"))
async def test_an_encrypted_key_without_its_password_is_refused(
    adapter, front, dsn, certificates, tmp_path, password
):
    key = tmp_path / "encrypted.key"
    key.write_bytes(encrypted_key(certificates.client_key, "open sesame"))
    with pytest.raises(ImproperConfigurationError, match="sslkey"):
        config_for(adapter, front, dsn, certificates, sslkey=str(key), **password)


@promise("P03", stock=UNKNOWN)
async def test_a_revoked_server_is_refused(adapter, dsn, certificates, tmp_path):
    place = urlsplit(dsn)
    server = certificates.authority.issue_cert("localhost")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.configure_cert(context)
    crl = tmp_path / "revoked.pem"
    with tls_front(context, place.hostname, place.port) as front:
        crl.write_bytes(revocations(certificates.authority))
        config = config_for(adapter, front, dsn, certificates, sslcrl=str(crl))
        assert await value(config) == 42
        await config.close_pool()
        crl.write_bytes(revocations(certificates.authority, serial_of(server)))
        config = config_for(adapter, front, dsn, certificates, sslcrl=str(crl))
        with pytest.raises(DatabaseConnectionError, match="certificate revoked"):
            await value(config)
        await config.close_pool()


@promise("P03", stock=UNKNOWN)
async def test_tls_is_negotiated_directly_on_demand(adapter, dsn, certificates):
    place = urlsplit(dsn)
    context = certificates.server_context("localhost", wants_client=False)
    context.set_alpn_protocols(["postgresql"])
    with tls_front(context, place.hostname, place.port, direct=True) as front:
        config = config_for(adapter, front, dsn, certificates, sslnegotiation="direct")
        assert await value(config) == 42
        assert front.subjects == ["postgresql"]
        await config.close_pool()
