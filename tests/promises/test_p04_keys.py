import psqlpy
import pytest
from harness import Breaks, promise
from psqlpy_adapter import PsqlpyConfig
from sqlspec.adapters.psqlpy.config import PsqlpyPoolParams
from sqlspec.exceptions import ImproperConfigurationError

ACCEPTED = Breaks(pytest.fail.Exception, "DID NOT RAISE")
"""The stock adapter takes everything, and fails, or not, when the pool is used."""


@promise("P04", stock=ACCEPTED)
async def test_an_unknown_key_is_refused_at_construction_with_a_suggestion(adapter, dsn):
    with pytest.raises(ImproperConfigurationError) as caught:
        adapter.config(connection_config={"dsn": dsn, "max_pool_size": 20})
    assert "'max_pool_size'" in str(caught.value)
    assert "did you mean 'max_db_pool_size'" in str(caught.value)


CONTRADICTIONS = [
    ({"host": "another"}, "'host' is given in 'dsn' and beside it"),
    ({"port": 1}, "'port' is given in 'dsn' and beside it"),
    ({"username": "another"}, "'username' is given in 'dsn' and beside it"),
    ({"user": "one", "username": "another"}, "'user' and 'username' are the same setting"),
    ({"connect_timeout_nanosec": 5}, "'connect_timeout_nanosec' is given without"),
    ({"keepalives_idle_nanosec": 5}, "'keepalives_idle_nanosec' is given without"),
    ({"keepalives": False, "keepalives_idle_sec": 5}, "'keepalives' is False"),
    ({"min_db_pool_size": 5, "max_db_pool_size": 4}, "'min_db_pool_size' is 5"),
    (
        {"options": "-c statement_timeout=5", "statement_timeout_sec": 5},
        "statement_timeout in 'options' too",
    ),
]


@pytest.mark.parametrize(("keys", "message"), CONTRADICTIONS, ids=lambda part: str(part))
@promise("P04", stock=ACCEPTED)
async def test_contradictory_and_useless_keys_are_refused_at_construction(
    adapter, dsn, keys, message
):
    with pytest.raises(ImproperConfigurationError) as caught:
        adapter.config(connection_config={"dsn": dsn, **keys})
    assert message in str(caught.value)


@promise("P04", stock=ACCEPTED)
async def test_what_the_dsn_contradicts_is_refused_without_naming_a_password(adapter):
    with pytest.raises(ImproperConfigurationError) as caught:
        adapter.config(
            connection_config={"dsn": "postgresql://me:first@db/x", "password": "second"}
        )
    assert "'password'" in str(caught.value)
    assert "first" not in str(caught.value)
    assert "second" not in str(caught.value)


IMPOSSIBLE = [
    ({"configure": print}, "'configure' cannot be honoured"),
    ({"max_cached_statement_lifetime": 5}, "'max_cached_statement_lifetime' cannot be honoured"),
    ({"service": "x"}, "'service' cannot be honoured"),
    ({"require_auth": "scram-sha-256"}, "'require_auth' cannot be honoured"),
    ({"krbsrvname": "x"}, "'krbsrvname' cannot be honoured"),
    ({"gsslib": "gssapi"}, "'gsslib' cannot be honoured"),
    ({"gssencmode": "require"}, "'gssencmode' is 'require': psqlpy has no GSSAPI"),
    ({"gssdelegation": "1"}, "'gssdelegation' is '1': psqlpy has no GSSAPI"),
    ({"sslcompression": "1"}, "'sslcompression' is '1'"),
    ({"dsn": "host=a service=x"}, "'service' cannot be honoured"),
    ({"dsn": "host=a passfile=/x"}, "'passfile' cannot be honoured"),
    ({"dsn": "host=a gssencmode=require"}, "psqlpy has no GSSAPI"),
]
REFUSED = {key for keys, _ in IMPOSSIBLE for key in keys} - {"dsn"}


@pytest.mark.parametrize(("keys", "message"), IMPOSSIBLE, ids=str)
@promise("P04", stock=ACCEPTED)
async def test_what_cannot_be_honoured_is_refused_with_the_name_and_the_reason(
    adapter, keys, message
):
    with pytest.raises(ImproperConfigurationError) as caught:
        adapter.config(connection_config=keys)
    assert message in str(caught.value)


MISTAKES = [
    ({"hosts": ["a", "b", "c"], "ports": [1, 2]}, "'ports' has 2 items and there are 3 hosts"),
    ({"host": "a", "hosts": ["b"]}, "'host' and 'hosts' are both given"),
    ({"port": 1, "ports": [1]}, "'port' and 'ports' are both given"),
    ({"max_db_pool_size": 0}, "'max_db_pool_size' is 0; it must be a whole number from 1 to"),
    ({"port": 70000}, "'port' is 70000; it must be a whole number from 1 to 65535"),
    ({"keepalives": "yes"}, "'keepalives' is 'yes'; it must be True or False"),
    ({"connect_timeout_sec": "soon"}, "'connect_timeout_sec' is 'soon'; it must be a number"),
    ({"dsn": "postgresql://h/d?ssl_modus=require"}, "did you mean 'ssl_mode'"),
    ({"dsn": "postgresql://h/d?sslmode=required"}, "'sslmode' is 'required'"),
]


@pytest.mark.parametrize(("keys", "message"), MISTAKES, ids=str)
@promise("P04", stock=ACCEPTED)
async def test_a_wrong_type_range_or_combination_is_refused_at_construction(adapter, keys, message):
    with pytest.raises(ImproperConfigurationError) as caught:
        adapter.config(connection_config=keys)
    assert message in str(caught.value)


AT_THE_SERVER = [
    ({"application_name": "mine"}, "application_name", "mine"),
    ({"options": "-c work_mem=3MB"}, "work_mem", "3MB"),
    ({"extra": {"application_name": "mine"}}, "application_name", "mine"),
]


@pytest.mark.parametrize(("keys", "setting", "value"), AT_THE_SERVER, ids=str)
@promise("P04", stock=None)
async def test_an_accepted_key_reaches_the_server(adapter, dsn, keys, setting, value):
    config = adapter.config(connection_config={"dsn": dsn, "max_db_pool_size": 2, **keys})
    async with config.provide_session() as session:
        assert await session.select_value(f"SHOW {setting}") == value
    await config.close_pool()


HONOURED = {  # key: what it is given beside, and a value that makes a difference
    "application_name": ({}, "mine"),
    "channel_binding": ({"ssl_mode": "require"}, "require"),
    "conn_recycling_method": ({}, "clean"),
    "connect_timeout_nanosec": ({"connect_timeout_sec": 1}, 5),
    "connect_timeout_sec": ({}, 5),
    "db_name": ({}, "other"),
    "dsn": ({}, "postgresql://db/other"),
    "extra": ({}, {"application_name": "mine"}),
    "host": ({}, "db"),
    "hosts": ({}, ["db", "other"]),
    "keepalives": ({}, False),
    "keepalives_idle_nanosec": ({"keepalives_idle_sec": 1}, 5),
    "keepalives_idle_sec": ({}, 5),
    "keepalives_interval_nanosec": ({"keepalives_interval_sec": 1}, 5),
    "keepalives_interval_sec": ({}, 5),
    "keepalives_retries": ({}, 5),
    "load_balance_hosts": ({}, "random"),
    "max_db_pool_size": ({}, 5),
    "options": ({}, "-c work_mem=3MB"),
    "password": ({}, "word"),
    "port": ({}, 6543),
    "ports": ({}, [6543]),
    "ssl_mode": ({}, "require"),
    "sslnegotiation": ({"ssl_mode": "require"}, "direct"),
    "target_session_attrs": ({}, "primary"),
    "tcp_user_timeout_nanosec": ({"tcp_user_timeout_sec": 1}, 5),
    "tcp_user_timeout_sec": ({}, 5),
    "username": ({}, "me"),
}
OTHERS = {
    *("ca_file", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl"),  # P02, P03
    "client_encoding",  # P05: the only value that is taken is psqlpy's own
}


def test_every_documented_key_has_a_test():
    assert set(PsqlpyPoolParams.__annotations__) == REFUSED | set(HONOURED) | OTHERS


@pytest.mark.parametrize("key", HONOURED)
def test_an_accepted_key_is_not_ignored(key):
    """What the settings are used for is tested with the promises of each."""
    beside, value = HONOURED[key]
    without, given = (
        PsqlpyConfig(connection_config=keys).settings for keys in (beside, {**beside, key: value})
    )
    assert given != without


@promise("P04", stock=ACCEPTED)
async def test_an_unknown_driver_feature_is_refused_with_a_suggestion(adapter, dsn):
    with pytest.raises(ImproperConfigurationError) as caught:
        adapter.config(connection_config={"dsn": dsn}, driver_features={"enable_pg_vector": True})
    assert "did you mean 'enable_pgvector'" in str(caught.value)


@promise("P04", stock=Breaks(Exception, "sslrootcert"))
async def test_a_key_of_libpq_in_the_dsn_counts_like_a_keyword(adapter, dsn, servers, database):
    found = servers.variables(["TLS_DATABASE_URL", "TLS_CA_FILE"], database)
    address = found["TLS_DATABASE_URL"].replace("127.0.0.1", "localhost")
    config = adapter.config(
        connection_config={
            "dsn": f"{address}?sslmode=verify-full&sslrootcert={found['TLS_CA_FILE']}"
            "&keepalives_count=3&client_encoding=UTF8&application_name=by-dsn"
        }
    )
    async with config.provide_session() as session:
        assert await session.select_value("SHOW application_name") == "by-dsn"
    await config.close_pool()


@promise("P04", stock=Breaks(psqlpy.Error, "password missing"))
async def test_a_password_may_stand_beside_a_dsn_that_has_none(adapter, dsn):
    head, _, rest = dsn.partition("://")
    credentials, _, place = rest.rpartition("@")
    user, _, password = credentials.partition(":")
    config = adapter.config(
        connection_config={"dsn": f"{head}://{user}@{place}", "password": password}
    )
    async with config.provide_session() as session:
        assert await session.select_value("SELECT 1") == 1
    await config.close_pool()
