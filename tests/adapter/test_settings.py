"""Bad input is refused when the configuration is made, with the key and what is allowed."""

import psqlpy
import pytest
from psqlpy_adapter import PsqlpyConfig
from psqlpy_adapter.dsn import format_dsn, parse_dsn
from psqlpy_adapter.hosts import Host
from psqlpy_adapter.settings import direct_location, read_settings
from sqlspec.exceptions import ImproperConfigurationError

BAD = [
    # A wrong key, and the nearest one.
    ({"hosst": "db"}, "'hosst' is no key of connection_config; did you mean 'host'"),
    ({"sslcertificate": "x"}, "did you mean 'sslcert'"),
    ({"pool_size": 5}, "did you mean 'max_db_pool_size'"),
    ({"connect_timeout_seconds": 5}, "did you mean 'connect_timeout_sec'"),
    # A wrong word.
    ({"ssl_mode": "required"}, "'ssl_mode' is 'required'; it must be one of 'disable', 'allow'"),
    ({"ssl_mode": "verify-fully"}, "did you mean 'verify-full'"),
    ({"target_session_attrs": "writable"}, "one of 'any', 'read-write', 'read-only', 'primary'"),
    ({"load_balance_hosts": "roundrobin"}, "one of 'disable', 'random'"),
    ({"conn_recycling_method": "slow"}, "one of 'fast', 'verified', 'clean', 'auto'"),
    ({"client_encoding": "SQL_ASCII"}, "'client_encoding' is 'SQL_ASCII'; it must be 'UTF8'"),
    ({"sslnegotiation": "indirect"}, "one of 'postgres', 'direct'"),
    # A wrong type.
    ({"port": 5432.0}, "'port' is 5432.0; it must be a whole number from 1 to 65535"),
    ({"port": True}, "'port' is True"),
    ({"port": "--5"}, "'port' is '--5'; it must be a whole number"),
    ({"max_db_pool_size": "9" * 5000}, "it must be a whole number"),
    ({"ca_file": "a\0b", "ssl_mode": "require"}, "which cannot be read: embedded null byte"),
    ({"username": "\ud800"}, "'username' is '\\ud800'; it must be text"),
    ({5: 1}, "5 is no key of connection_config"),
    ({"sslpassword": b"tell"}, "'sslpassword' is bytes; it must be text"),
    ({"dsn": b"postgresql://u:tell@h/d"}, "'dsn' is bytes; it must be text"),
    ({"host": 127}, "'host' is 127; it must be text"),
    ({"hosts": "one,two"}, "'hosts' is 'one,two'; it must be a list of host names"),
    (
        {"keepalives_idle_sec": 0, "keepalives_idle_nanosec": 500_000_000},
        "'keepalives_idle_sec' and 'keepalives_idle_nanosec' are 0.5 s; TCP takes 1 s or more",
    ),
    ({"keepalives": "yes"}, "'keepalives' is 'yes'; it must be True or False"),
    ({"connect_timeout_sec": "soon"}, "'connect_timeout_sec' is 'soon'; it must be a number"),
    ({"ssl_mode": psqlpy.LoadBalanceHosts.Random}, "'ssl_mode' is LoadBalanceHosts.Random"),
    ({"password": 12345}, "'password' is int; it must be text"),
    # A wrong range.
    ({"port": 0}, "from 1 to 65535"),
    ({"port": 65536}, "from 1 to 65535"),
    ({"max_db_pool_size": 0}, "from 1 to 10000"),
    ({"min_db_pool_size": -1}, "from 0 to 10000"),
    ({"connect_timeout_sec": -1}, "from 0 to"),
    ({"pool_timeout_sec": float("nan")}, "from 0 to"),
    ({"connect_timeout_sec": 1, "connect_timeout_nanosec": 10**9}, "from 0 to 999999999"),
    ({"hosts": []}, "that is not empty"),
    ({"host": ""}, "text that is not empty"),
    # A wrong combination.
    ({"host": "a", "hosts": ["b"]}, "'host' and 'hosts' are both given"),
    ({"port": 1, "ports": [1]}, "'port' and 'ports' are both given"),
    ({"hosts": ["a", "b", "c"], "ports": [1, 2]}, "'ports' has 2 items and there are 3 hosts"),
    ({"host": "a", "hostaddr": ["::1", "::2"]}, "'hostaddr' has 2 items and there are 1 hosts"),
    ({"host": "/run", "hostaddr": "::1"}, "'hostaddr' is '::1' and the host '/run' a Unix socket"),
    ({"dsn": "host=a hostaddr=::1", "hostaddr": "::2"}, "'hostaddr' is given in 'dsn' and beside"),
    ({"host": "a", "hostaddr": 1}, "'hostaddr' is 1; it must be the IP address"),
    ({"database": "a", "dbname": "b"}, "'database' and 'dbname' are the same setting"),
    ({"tcp_user_timeout_nanosec": 5}, "'tcp_user_timeout_nanosec' is given without"),
    ({"host": "/run", "ssl_mode": "require"}, "a Unix socket, which has no TLS"),
    ({"channel_binding": "require"}, "needs psqlpy's own TLS"),
    ({"sslpassword": "x"}, "'sslpassword' is given without 'sslkey'"),
    ({"ca_file": "system", "ssl_mode": "require"}, "it must be 'verify-full'"),
    ({"ca_file": "/nowhere.pem", "ssl_mode": "require"}, "'/nowhere.pem', which cannot be read"),
    ({"ssl_mode": "require", "sslnegotiation": "direct", "sslcrl": "/nowhere"}, "'sslcrl'"),
    # What nobody here can do.
    ({"gssencmode": "require"}, "psqlpy has no GSSAPI"),
    ({"krbsrvname": "postgres"}, "psqlpy has no GSSAPI"),
    ({"require_auth": "scram-sha-256"}, "'require_auth' cannot be honoured"),
    ({"service": "mine"}, "psqlpy reads no service file"),
    ({"configure": print}, "'configure' cannot be honoured"),
    ({"max_cached_statement_lifetime": 0}, "psqlpy has no such limit"),
]


@pytest.mark.parametrize(("keys", "message"), BAD, ids=[str(list(keys)) for keys, _ in BAD])
def test_bad_keys_are_refused_at_construction(keys, message):
    with pytest.raises(ImproperConfigurationError) as caught:
        PsqlpyConfig(connection_config=keys)
    assert message in str(caught.value)


SECRET = "tell-nobody"
BAD_DSN = [
    ("mysql://localhost/x", "neither a URL that starts with postgresql://"),
    ("host=a user", "cannot be read after the key 'host'"),
    ("host=a password='tell-nobody", "cannot be read after the key 'host'"),
    ("postgresql://u:tell-nobody:x@h:5x/d", "a host of 'dsn' cannot be read"),
    ("postgresql://u:tell-nobody@h/d\0", "'dsn' is str; it must be text"),
    ("postgresql://u:tell-nobody%ff@h/d", "percent-encoded bytes (%FF) that are not UTF-8"),
    ("postgresql://h/d?sslmode", "the key 'sslmode' without a value"),
    ("postgresql://h/d?ssl_modus=require", "did you mean 'ssl_mode'"),
    ("postgresql://h/d?sslmode=required", "'sslmode' is 'required'"),
    ("postgresql://h:70000/d", "'port' is 70000"),
    ("postgresql://h/d?host=other", "'dsn' gives 'host' twice"),
    ("postgresql://a,b/d?port=1,2,3", "'ports' has 3 items"),
    ("host=a hostaddr=localhost", "'hostaddr' is 'localhost'; it must be the IP address"),
    ("host=a,b hostaddr=127.0.0.1", "'hostaddr' has 1 items and there are 2 hosts"),
    ("host=a,b hostaddr=127.0.0.1,", "'hostaddr' is '127.0.0.1,'; it must be the IP address"),
    ("host=a passfile=/x", "'passfile' cannot be honoured"),
    ("host=a connect_timeout=never", "'connect_timeout' is 'never'"),
]


@pytest.mark.parametrize(("dsn", "message"), BAD_DSN, ids=[dsn for dsn, _ in BAD_DSN])
def test_a_bad_dsn_is_refused_without_a_secret(dsn, message):
    with pytest.raises(ImproperConfigurationError) as caught:
        PsqlpyConfig(connection_config={"dsn": dsn})
    assert message in str(caught.value)
    assert SECRET not in str(caught.value)


BAD_FEATURES = [
    ({"json_serialiser": str}, "did you mean 'json_serializer'"),
    ({"json_serializer": "orjson"}, "'json_serializer' is 'orjson'; it must be a function"),
    ({"on_connection_create": 5}, "'on_connection_create' is 5; it must be a function"),
    ({"enable_pgvector": "on"}, "'enable_pgvector' is 'on'; it must be True or False"),
    ({"pooler_mode": "transactional"}, "did you mean 'transaction'"),
    ({"events_backend": "queue"}, "one of 'notify', 'notify-queue', 'poll-queue'"),
    ({"direct_dsn": 5}, "'direct_dsn' is 'int'; it must be a connection string"),
    ({"pgbouncer": True, "pooler_mode": "session"}, "'pooler_mode' is 'session'"),
]


@pytest.mark.parametrize(("features", "message"), BAD_FEATURES, ids=str)
def test_bad_driver_features_are_refused_at_construction(features, message):
    with pytest.raises(ImproperConfigurationError) as caught:
        PsqlpyConfig(driver_features=features)
    assert message in str(caught.value)


PARSED = [
    ("postgresql://", {}),
    ("postgres://h", {"host": "h"}),
    (
        "postgresql://u:p%40ss@h:5433/d%2Fb?sslmode=require&application_name=a%20b",
        {
            "user": "u",
            "password": "p@ss",
            "host": "h",
            "port": "5433",
            "dbname": "d/b",
            "sslmode": "require",
            "application_name": "a b",
        },
    ),
    ("postgresql://h1:1,h2:2/d", {"host": "h1,h2", "port": "1,2", "dbname": "d"}),
    ("postgresql://h1,h2:2/d", {"host": "h1,h2", "port": ",2", "dbname": "d"}),
    ("postgresql://[::1]:5433/d", {"host": "::1", "port": "5433", "dbname": "d"}),
    ("postgresql://%2Frun%2Fpg/d", {"host": "/run/pg", "dbname": "d"}),
    ("postgresql:///d?host=/run/pg&port=5433", {"host": "/run/pg", "port": "5433", "dbname": "d"}),
    ("postgresql://u@/d", {"user": "u", "dbname": "d"}),
    ("host=a port=1", {"host": "a", "port": "1"}),
    ("host = a  dbname = 'a b'", {"host": "a", "dbname": "a b"}),
    (r"password='it\'s \\ here' host=a\ b", {"password": r"it's \ here", "host": "a b"}),
    ("host=''", {}),
    ("", {}),
]


@pytest.mark.parametrize(("dsn", "keywords"), PARSED, ids=[dsn for dsn, _ in PARSED])
def test_a_dsn_is_read_as_libpq_reads_it(dsn, keywords):
    assert parse_dsn(dsn) == keywords


def test_a_formatted_dsn_is_read_back():
    keywords = {"host": "a b", "password": r"it's \ 'here'", "user": "u", "dbname": None}
    read = parse_dsn(format_dsn(keywords))
    assert read == {"host": "a b", "password": r"it's \ 'here'", "user": "u"}


def test_hosts_get_their_ports():
    assert read_settings({"dsn": "postgresql://a,b:2/d"}).hosts == (Host("a", 5432), Host("b", 2))
    assert read_settings({"hosts": ["a", "b"], "port": 1}).hosts == (Host("a", 1), Host("b", 1))
    assert read_settings({}).hosts == (Host("localhost", 5432),)


@pytest.mark.parametrize(
    "keys",
    [
        {"dsn": "postgresql://db,other:6000/app?hostaddr=10.0.0.1,::1"},
        {"dsn": "host=db,other port=5432,6000 hostaddr=10.0.0.1,::1"},
        {"hosts": ["db", "other"], "ports": [5432, 6000], "hostaddr": ["10.0.0.1", "::1"]},
    ],
)
def test_each_host_has_its_address(keys):
    hosts = read_settings(keys).hosts
    assert hosts == (Host("db", 5432, "10.0.0.1"), Host("other", 6000, "::1"))


def test_an_address_without_a_host_is_the_host():
    assert read_settings({"dsn": "hostaddr=::1"}).hosts == (Host("::1", 5432, "::1"),)


def test_another_place_has_no_address_of_the_old_one():
    old = {"dsn": "postgresql://db/app?hostaddr=10.0.0.1"}
    assert read_settings(direct_location(old, {"host": "other"})).hosts == (Host("other"),)
    assert read_settings(direct_location(old, "host=other")).hosts == (Host("other"),)


@pytest.mark.parametrize("name", ["connect_timeout", "pool_timeout"])
@pytest.mark.parametrize("keys", [{}, {"dsn": "postgresql://u@h/d"}])
def test_no_key_is_a_limit_of_30_seconds(keys, name):
    assert getattr(read_settings(keys), name) == 30


def test_zero_seconds_are_no_limit():
    settings = read_settings({"connect_timeout_sec": 0, "pool_timeout_sec": 0})
    assert settings.connect_timeout is None
    assert settings.pool_timeout is None


def test_a_limit_of_less_than_a_millisecond_is_a_limit():
    settings = read_settings({"statement_timeout_sec": 0.0004})
    assert settings.options == "-c statement_timeout=1"
    assert read_settings({"statement_timeout_sec": 0}).options == "-c statement_timeout=0"


def test_seconds_and_nanoseconds_add_up():
    keys = {"connect_timeout_sec": 1, "connect_timeout_nanosec": 500_000_000}
    assert read_settings(keys).connect_timeout == 1.5


def test_secrets_are_not_shown():
    shown = repr(read_settings({"password": "hush"}))
    assert "hush" not in shown


def test_what_stands_in_the_dsn_and_beside_it_alike_is_no_contradiction():
    settings = read_settings({"dsn": "postgresql://u@h:1/d", "host": "h", "port": 1, "user": "u"})
    assert settings.hosts == (Host("h", 1),)


def test_none_is_as_good_as_not_given():
    assert read_settings({"host": None, "ssl_mode": None}) == read_settings({})


def test_extra_keys_are_checked_too():
    with pytest.raises(ImproperConfigurationError, match="did you mean 'application_name'"):
        PsqlpyConfig(connection_config={"extra": {"aplication_name": "x"}})
