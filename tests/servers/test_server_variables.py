"""The variables by which sections reach special servers: a standby, and fronts."""

from __future__ import annotations

import socket

import psycopg
import pytest
from proveskill.servers import VARIABLES, Database, Servers, ServerSpec
from server_runs import Foreign, wait_until


def _variable(servers: Servers, name: str, database: Database) -> str:
    return servers.variables([name], database)[name]


def test_every_variable_has_a_value(embedded: Servers, database: Database) -> None:
    assert embedded.variables(VARIABLES, database).keys() == VARIABLES.keys()


def test_the_standby_has_replayed_the_sections_database(
    embedded: Servers, database: Database
) -> None:
    url = _variable(embedded, "STANDBY_DATABASE_URL", database)
    with psycopg.connect(url) as standby:
        query = "SELECT pg_is_in_recovery(), count(*) FROM item"
        assert standby.execute(query).fetchone() == (True, 1)


def test_the_standby_refuses_writes(embedded: Servers, database: Database) -> None:
    url = _variable(embedded, "STANDBY_DATABASE_URL", database)
    with (
        psycopg.connect(url) as standby,
        pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
    ):
        standby.execute("DELETE FROM item")


def test_the_standby_follows_the_primary(embedded: Servers, database: Database) -> None:
    urls = embedded.variables(["PRIMARY_DATABASE_URL", "STANDBY_DATABASE_URL"], database)
    with (
        psycopg.connect(urls["PRIMARY_DATABASE_URL"], autocommit=True) as primary,
        psycopg.connect(urls["STANDBY_DATABASE_URL"], autocommit=True) as standby,
    ):
        primary.execute("INSERT INTO item VALUES (2)")
        query = "SELECT count(*) FROM item"
        wait_until(lambda: standby.execute(query).fetchone() == (2,), "the replay")


@pytest.mark.parametrize(("attributes", "on_standby"), [("standby", True), ("read-write", False)])
def test_the_cluster_url_leads_to_the_server_that_is_asked_for(
    embedded: Servers, database: Database, attributes: str, on_standby: bool
) -> None:
    url = _variable(embedded, "CLUSTER_DATABASE_URL", database)
    with psycopg.connect(url, target_session_attrs=attributes) as connection:
        assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (on_standby,)


def test_the_cluster_url_names_the_standby_first(embedded: Servers, database: Database) -> None:
    url = _variable(embedded, "CLUSTER_DATABASE_URL", database)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)


def test_a_server_of_the_user_gets_a_pair_beside_it(spec: ServerSpec, foreign: Foreign) -> None:
    names = ["PRIMARY_DATABASE_URL", "STANDBY_DATABASE_URL"]
    own = ServerSpec(foreign.url, extensions=spec.extensions, schema=spec.schema)
    with Servers(own) as servers:
        urls = servers.variables(names, servers.create_database())
        for name in names:
            with psycopg.connect(urls[name]) as connection:
                assert connection.execute("SELECT count(*) FROM item").fetchone() == (1,)
                assert connection.info.port != foreign.connection.info.port


def test_the_tls_front_is_trusted_with_its_authority(embedded: Servers, database: Database) -> None:
    values = embedded.variables(["TLS_DATABASE_URL", "TLS_CA_FILE"], database)
    url, authority = values["TLS_DATABASE_URL"], values["TLS_CA_FILE"]
    with psycopg.connect(url, sslmode="verify-full", sslrootcert=authority) as connection:
        assert connection.pgconn.ssl_in_use
        assert connection.execute("SELECT count(*) FROM item").fetchone() == (1,)


def test_the_tls_front_is_not_trusted_with_another_authority(
    embedded: Servers, database: Database
) -> None:
    values = embedded.variables(["TLS_DATABASE_URL", "TLS_OTHER_CA_FILE"], database)
    url, authority = values["TLS_DATABASE_URL"], values["TLS_OTHER_CA_FILE"]
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        psycopg.connect(url, sslmode="verify-full", sslrootcert=authority)


def test_the_tls_fronts_certificate_is_for_localhost_only(
    embedded: Servers, database: Database
) -> None:
    values = embedded.variables(["TLS_DATABASE_URL", "TLS_CA_FILE"], database)
    url = values["TLS_DATABASE_URL"].replace("@localhost:", "@127.0.0.1:")
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        psycopg.connect(url, sslmode="verify-full", sslrootcert=values["TLS_CA_FILE"])


def test_the_tls_front_refuses_a_connection_without_tls(
    embedded: Servers, database: Database
) -> None:
    url = _variable(embedded, "TLS_DATABASE_URL", database)
    with pytest.raises(psycopg.OperationalError, match="takes TLS connections only"):
        psycopg.connect(url, sslmode="disable")


def test_the_tls_front_carries_megabytes_both_ways(embedded: Servers, database: Database) -> None:
    url = _variable(embedded, "TLS_DATABASE_URL", database)
    megabytes = "x" * 8_000_000
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT %s", [megabytes]).fetchone() == (megabytes,)


def test_a_query_can_be_cancelled_through_the_tls_front(
    embedded: Servers, database: Database
) -> None:
    url = _variable(embedded, "TLS_DATABASE_URL", database)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.pgconn.send_query(b"SELECT pg_sleep(60)")
        connection.cancel_safe()
        result = connection.pgconn.get_result()
        assert result is not None
        assert b"canceling statement" in result.error_message
        assert connection.pgconn.get_result() is None


def test_the_plain_front_refuses_tls(embedded: Servers, database: Database) -> None:
    url = _variable(embedded, "NO_TLS_DATABASE_URL", database)
    with pytest.raises(psycopg.OperationalError, match="server does not support SSL"):
        psycopg.connect(url, sslmode="require")


def test_the_plain_front_serves_who_can_do_without_tls(
    embedded: Servers, database: Database
) -> None:
    url = _variable(embedded, "NO_TLS_DATABASE_URL", database)
    with psycopg.connect(url, sslmode="prefer") as connection:
        assert connection.execute("SELECT count(*) FROM item").fetchone() == (1,)


def test_the_silent_server_accepts_and_says_nothing(embedded: Servers, database: Database) -> None:
    url = psycopg.conninfo.conninfo_to_dict(_variable(embedded, "SILENT_DATABASE_URL", database))
    address = (str(url["host"]), int(str(url["port"])))
    with socket.create_connection(address, timeout=0.3) as connection:
        connection.sendall(b"\0\0\0\x08\x04\xd2\x16\x2f")
        with pytest.raises(TimeoutError):
            connection.recv(1)
