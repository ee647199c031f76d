import pytest
from harness import Breaks, promise
from psqlpy import SslMode
from sqlspec.exceptions import DatabaseConnectionError, ImproperConfigurationError

NAMES = ["TLS_DATABASE_URL", "TLS_CA_FILE", "TLS_OTHER_CA_FILE", "NO_TLS_DATABASE_URL"]


@pytest.fixture
def tls(servers, database):
    """The servers and authorities; the TLS server's certificate is for localhost."""
    return servers.variables(NAMES, database)


@pytest.fixture
def tls_by_name(tls):
    return tls["TLS_DATABASE_URL"].replace("127.0.0.1", "localhost")


@pytest.fixture
def tls_by_address(tls):
    return tls["TLS_DATABASE_URL"].replace("localhost", "127.0.0.1")


def enum_for(adapter, mode):
    """The stock adapter takes enums only; that is P01's business, not ours."""
    enums = {
        "disable": SslMode.Disable,
        "allow": SslMode.Allow,
        "prefer": SslMode.Prefer,
        "require": SslMode.Require,
        "verify-ca": SslMode.VerifyCa,
        "verify-full": SslMode.VerifyFull,
    }
    return enums[mode]


async def answer(adapter, dsn, mode, **keys):
    config = adapter.config(
        connection_config={
            "dsn": dsn,
            "ssl_mode": enum_for(adapter, mode),
            "max_db_pool_size": 2,
            **keys,
        }
    )
    try:
        async with config.provide_session() as session:
            await session.execute("SELECT repeat('x', 1000000)")
            return await session.select_value("SELECT 42")
    finally:
        await config.close_pool()


VERIFYING = ["verify-ca", "verify-full"]


@pytest.mark.parametrize("mode", VERIFYING)
@promise("P02", stock=Breaks(pytest.fail.Exception, "DID NOT RAISE"))
async def test_verifying_modes_never_speak_plaintext(adapter, tls, mode):
    with pytest.raises(DatabaseConnectionError, match="does not support TLS"):
        await answer(adapter, tls["NO_TLS_DATABASE_URL"], mode, ca_file=tls["TLS_CA_FILE"])


@promise("P02", stock=Breaks(Exception, "does not support TLS"))
async def test_require_never_speaks_plaintext(adapter, tls):
    with pytest.raises(DatabaseConnectionError, match="does not support TLS"):
        await answer(adapter, tls["NO_TLS_DATABASE_URL"], "require")


@pytest.mark.parametrize("mode", VERIFYING)
@promise("P02", stock=None)
async def test_verifying_modes_trust_the_authority(adapter, tls, tls_by_name, mode):
    assert await answer(adapter, tls_by_name, mode, ca_file=tls["TLS_CA_FILE"]) == 42


@pytest.mark.parametrize("mode", VERIFYING)
@promise("P02", stock=Breaks(Exception, "certificate verify failed"))
async def test_verifying_modes_refuse_another_authority(adapter, tls, tls_by_name, mode):
    with pytest.raises(DatabaseConnectionError, match="certificate verify failed"):
        await answer(adapter, tls_by_name, mode, ca_file=tls["TLS_OTHER_CA_FILE"])


@promise("P02", stock=Breaks(Exception, "certificate verify failed"))
async def test_verify_full_refuses_another_host_name(adapter, tls, tls_by_address):
    with pytest.raises(DatabaseConnectionError, match="certificate verify failed"):
        await answer(adapter, tls_by_address, "verify-full", ca_file=tls["TLS_CA_FILE"])


@promise("P02", stock=Breaks(Exception, "certificate verify failed"))
async def test_verify_ca_does_not_look_at_the_host_name(adapter, tls, tls_by_address):
    assert await answer(adapter, tls_by_address, "verify-ca", ca_file=tls["TLS_CA_FILE"]) == 42


@promise("P02", stock=None)
async def test_require_encrypts_without_verifying(adapter, tls_by_address):
    assert await answer(adapter, tls_by_address, "require") == 42


@promise("P02", stock=Breaks(TypeError, "sslrootcert"))
async def test_sslrootcert_is_the_file_of_the_authorities(adapter, tls, tls_by_name):
    keys = {"sslrootcert": tls["TLS_CA_FILE"]}
    assert await answer(adapter, tls_by_name, "verify-full", **keys) == 42


@promise("P02", stock=Breaks(Exception, "TLS connections only"))
async def test_prefer_tries_tls_first(adapter, tls_by_name):
    assert await answer(adapter, tls_by_name, "prefer") == 42


@promise("P02", stock=None)
async def test_prefer_takes_plaintext_where_there_is_no_tls(adapter, tls):
    assert await answer(adapter, tls["NO_TLS_DATABASE_URL"], "prefer") == 42


@promise("P02", stock=Breaks(Exception, "TLS connections only"))
async def test_allow_encrypts_where_the_server_insists(adapter, tls_by_name):
    assert await answer(adapter, tls_by_name, "allow") == 42


@promise("P02", stock=None)
async def test_allow_takes_plaintext_where_there_is_no_tls(adapter, tls):
    assert await answer(adapter, tls["NO_TLS_DATABASE_URL"], "allow") == 42


@pytest.mark.parametrize("mode", VERIFYING)
@promise("P02", stock=Breaks(pytest.fail.Exception, "DID NOT RAISE"))
async def test_a_verifying_mode_without_authorities_is_refused(adapter, dsn, mode):
    with pytest.raises(ImproperConfigurationError, match="without 'ca_file'"):
        adapter.config(connection_config={"dsn": dsn, "ssl_mode": mode})


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", None])
@promise("P02", stock=Breaks(pytest.fail.Exception, "DID NOT RAISE"))
async def test_authorities_that_would_be_ignored_are_refused(adapter, dsn, tls, mode):
    keys = {"ca_file": tls["TLS_CA_FILE"], "ssl_mode": mode}
    with pytest.raises(ImproperConfigurationError, match="'ca_file' would be ignored"):
        adapter.config(connection_config={"dsn": dsn, **keys})


@pytest.mark.parametrize("mode", ["allow", "prefer", "require", *VERIFYING])
@promise("P02", stock=None)
async def test_listeners_speak_tls_too(adapter, tls, tls_by_name, mode):
    authority = {"ca_file": tls["TLS_CA_FILE"]} if mode in VERIFYING else {}
    keys = {"dsn": tls_by_name, "ssl_mode": enum_for(adapter, mode), "max_db_pool_size": 2}
    config = adapter.config(connection_config=keys | authority)
    listener = (await config.provide_pool()).listener()
    await listener.startup()
    # The server takes nothing but TLS.
    assert (await listener.connection.fetch("SELECT 1 AS one")).result() == [{"one": 1}]
    await listener.shutdown()
    await config.close_pool()


@pytest.fixture
def tls_at_address(tls_by_address):
    """A connection string for a host name that is not looked up."""
    return lambda name: tls_by_address.replace("127.0.0.1", name) + "?hostaddr=127.0.0.1"


@pytest.mark.parametrize("mode", ["require", "verify-full"])
@promise("P02", stock=None)
async def test_hostaddr_is_connected_to_and_the_host_name_verified(
    adapter, tls, tls_at_address, mode
):
    dsn = tls_at_address("localhost")
    assert await answer(adapter, dsn, mode, ca_file=tls["TLS_CA_FILE"]) == 42


@pytest.mark.parametrize("mode", ["require", "verify-full"])
@promise("P02", stock=Breaks(Exception, "certificate verify failed"))
async def test_a_host_name_that_the_certificate_has_not_is_refused_beside_hostaddr(
    adapter, tls, tls_at_address, mode
):
    with pytest.raises(DatabaseConnectionError, match="certificate verify failed"):
        await answer(adapter, tls_at_address("elsewhere.test"), mode, ca_file=tls["TLS_CA_FILE"])


@promise("P02", stock=Breaks(Exception, "certificate verify failed"))
async def test_the_tunnel_connects_to_hostaddr(adapter, tls, tls_at_address):
    dsn = tls_at_address("elsewhere.test")
    assert await answer(adapter, dsn, "verify-ca", ca_file=tls["TLS_CA_FILE"]) == 42
