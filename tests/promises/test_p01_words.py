import psqlpy
import pytest
from harness import Breaks, promise
from sqlspec.exceptions import ImproperConfigurationError

RECYCLING = Breaks(TypeError, "ConnRecyclingMethod")
MODES = Breaks(TypeError, "SslMode")


async def answer(adapter, dsn, **keys):
    config = adapter.config(connection_config={"dsn": dsn, "max_db_pool_size": 2, **keys})
    try:
        async with config.provide_session() as session:
            return await session.select_value("SELECT 1")
    finally:
        await config.close_pool()


@pytest.mark.parametrize("method", ["fast", "auto", "Verified", "CLEAN"])
@promise("P01", stock=RECYCLING)
async def test_a_recycling_method_is_given_as_a_word(adapter, dsn, method):
    assert await answer(adapter, dsn, conn_recycling_method=method) == 1


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer"])
@promise("P01", stock=MODES)
async def test_an_ssl_mode_is_given_as_a_word(adapter, dsn, mode):
    assert await answer(adapter, dsn, ssl_mode=mode) == 1


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full", "VERIFY_FULL"])
@promise("P01", stock=MODES)
async def test_the_word_of_an_ssl_mode_encrypts(adapter, servers, database, mode):
    found = servers.variables(["TLS_DATABASE_URL", "TLS_CA_FILE"], database)
    dsn = found["TLS_DATABASE_URL"].replace("127.0.0.1", "localhost")
    keys = {} if mode == "require" else {"ca_file": found["TLS_CA_FILE"]}
    assert await answer(adapter, dsn, ssl_mode=mode, **keys) == 1


@pytest.mark.parametrize("target", ["any", "read-write", "read_write", "Read-Write", "primary"])
@promise("P01", stock=Breaks(TypeError, "TargetSessionAttrs"))
async def test_the_role_of_the_server_is_given_as_a_word(adapter, dsn, target):
    assert await answer(adapter, dsn, target_session_attrs=target) == 1


@pytest.mark.parametrize("order", ["random", "disable"])
@promise("P01", stock=Breaks(TypeError, "LoadBalanceHosts"))
async def test_load_balancing_is_given_as_a_word(adapter, dsn, order):
    assert await answer(adapter, dsn, load_balance_hosts=order) == 1


@promise("P01", stock=None)
async def test_enums_are_taken_as_well(adapter, dsn):
    keys = {
        "conn_recycling_method": psqlpy.ConnRecyclingMethod.Clean,
        "ssl_mode": psqlpy.SslMode.Disable,
        "target_session_attrs": psqlpy.TargetSessionAttrs.ReadWrite,
        "load_balance_hosts": psqlpy.LoadBalanceHosts.Random,
    }
    assert await answer(adapter, dsn, **keys) == 1


WRONG = [
    ("ssl_mode", "required",
     "'disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'; did you mean 'require'"),
    ("target_session_attrs", "writable",
     "'any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'"),
    ("load_balance_hosts", "randomly", "'disable', 'random'; did you mean 'random'"),
    ("conn_recycling_method", "cleen",
     "'fast', 'verified', 'clean', 'auto'; did you mean 'clean'"),
    ("conn_recycling_method", 5, "'fast', 'verified', 'clean', 'auto'"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "word", "allowed"), WRONG)
@promise("P01", stock=Breaks(pytest.fail.Exception, "DID NOT RAISE"))
async def test_a_wrong_word_is_refused_at_construction_with_the_allowed_ones(
    adapter, dsn, key, word, allowed
):
    with pytest.raises(ImproperConfigurationError) as caught:
        adapter.config(connection_config={"dsn": dsn, key: word})
    assert f"{key!r} is {word!r}" in str(caught.value)
    assert allowed in str(caught.value)


@promise("P01", stock=RECYCLING)
async def test_auto_is_the_thorough_method(adapter, dsn):
    config = adapter.config(
        connection_config={
            "dsn": dsn,
            "max_db_pool_size": 2,
            "conn_recycling_method": "auto",
        }
    )
    async with config.provide_session() as session:
        await session.execute_script("SET work_mem = '3MB'")
    async with config.provide_session() as session:
        assert await session.select_value("SHOW work_mem") != "3MB"
    await config.close_pool()
