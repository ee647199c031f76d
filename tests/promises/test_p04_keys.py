import pytest
from harness import Breaks, promise
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


VALUES = {
    "dsn": "postgresql://localhost/x",
    "port": 5432,
    "ports": [5432],
    "hosts": ["localhost"],
    "keepalives": True,
    "ssl_mode": "prefer",
    "target_session_attrs": "any",
    "load_balance_hosts": "random",
    "conn_recycling_method": "fast",
    "gssencmode": "disable",
    "gssdelegation": "0",
    "sslnegotiation": "postgres",
    "sslcompression": "0",
    "channel_binding": "prefer",
    "client_encoding": "UTF8",
    "max_db_pool_size": 4,
    "keepalives_retries": 3,
    "configure": print,
    "extra": {"application_name": "x"},
}


@pytest.mark.parametrize("key", sorted(PsqlpyPoolParams.__annotations__))
@promise("P04", stock=None)
async def test_a_documented_key_is_accepted_or_refused_with_a_reason(adapter, key):
    value = VALUES.get(key, 5 if key.endswith("sec") else "word")
    keys = {key: value}
    if key.endswith("_nanosec"):
        keys[key.replace("nanosec", "sec")] = 1
    try:
        adapter.config(connection_config=keys)
    except ImproperConfigurationError as error:
        assert repr(key) in str(error)  # noqa: PT017
        assert "is no key" not in str(error)  # noqa: PT017


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


@promise("P04", stock=Breaks(Exception))
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
