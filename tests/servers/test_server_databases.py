"""Databases of sections: fresh, independent, with extensions and schema."""

from __future__ import annotations

import socket
from pathlib import Path

import psycopg
import pytest
from proveskill.servers import Database, ServerError, Servers, ServerSpec, client_programs
from server_runs import wait_until


def test_a_database_holds_the_schema_and_the_extension(database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT id, place FROM item").fetchall() == [(1, None)]
        assert connection.execute("SELECT '[1,2]'::vector <-> '[1,3]'").fetchone() == (1.0,)


def test_what_one_section_writes_another_does_not_see(embedded: Servers) -> None:
    first, second = embedded.create_database(), embedded.create_database()
    with psycopg.connect(first.url) as connection:
        connection.execute("DELETE FROM item")
    with psycopg.connect(second.url) as connection:
        assert connection.execute("SELECT count(*) FROM item").fetchone() == (1,)


def test_a_database_is_dropped_although_someone_is_connected(embedded: Servers) -> None:
    database, other = embedded.create_database(), embedded.create_database()
    query = "SELECT count(*) FROM pg_database WHERE datname = %s"
    with psycopg.connect(database.url), psycopg.connect(other.url, autocommit=True) as connection:
        embedded.drop_database(database)
        wait_until(
            lambda: connection.execute(query, [database.name]).fetchone() == (0,), "the drop"
        )


def test_a_wrong_password_is_refused(database: Database) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(database.url, password="wrong")


def test_the_description_names_the_versions(embedded: Servers, database: Database) -> None:
    description = embedded.describe()
    with psycopg.connect(database.url) as connection:
        version = connection.info.parameter_status("server_version")
        query = "SELECT extversion FROM pg_extension WHERE extname = 'vector'"
        assert description == {
            "server": "embedded",
            "postgresql": version,
            "extensions": {"vector": connection.execute(query).fetchone()[0]},
        }


def test_the_timings_name_the_steps(embedded: Servers, database: Database) -> None:
    assert embedded.timings().keys() >= {"initdb", "start", "template"}


def test_nothing_is_started_before_it_is_needed(spec: ServerSpec) -> None:
    with Servers(spec) as servers:
        assert servers.timings() == {}
        assert servers.describe() == {
            "server": "embedded",
            "postgresql": None,
            "extensions": {"vector": None},
        }


def test_the_description_outlives_the_server(spec: ServerSpec) -> None:
    servers = Servers(spec)
    servers.warm()
    servers.create_database()
    servers.close()
    servers.close()
    assert servers.describe()["postgresql"]
    with pytest.raises(ServerError, match="closed"):
        servers.create_database()


def test_the_database_url_needs_no_server(embedded: Servers) -> None:
    database = Database("some", "postgresql://somewhere/some")
    assert embedded.variables(["DATABASE_URL"], database) == {"DATABASE_URL": database.url}


def test_an_unknown_variable_is_an_error_that_lists_the_known(
    embedded: Servers, database: Database
) -> None:
    with pytest.raises(ServerError, match="no server sets NO_SUCH_URL; there are DATABASE_URL"):
        embedded.variables(["NO_SUCH_URL"], database)


def test_the_server_takes_the_port_that_is_asked_for() -> None:
    port = _free_port()
    with Servers(ServerSpec(port=port)) as servers:
        assert f"@127.0.0.1:{port}/" in servers.create_database().url


def test_a_taken_port_is_an_error_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            Servers(ServerSpec(port=port)) as servers,
            pytest.raises(ServerError, match=rf"port {port} .* choose another"),
        ):
            servers.create_database()


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("SELECT 1;\n\nCREATE TABLE t (\n  a int,\n  b nonsense\n);\n", 5, 'type "nonsense"'),
        ("-- a;b\nCREATE TABLE t ();\n\n-- again\nCREATE TABLE t ();\n", 5, 'relation "t"'),
        ("DO $$ BEGIN\n  PERFORM 1;\nEND $$;\nSELECT 1/0;\n", 4, "division by zero"),
    ],
)
def test_an_error_in_the_schema_names_its_line(
    tmp_path: Path, text: str, line: int, message: str
) -> None:
    schema = tmp_path / "wrong.sql"
    schema.write_text(text)
    with (
        Servers(ServerSpec(schema=schema)) as servers,
        pytest.raises(ServerError, match=rf"wrong\.sql:{line}: .*{message}"),
    ):
        servers.create_database()


def test_a_schema_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    with (
        Servers(ServerSpec(schema=tmp_path / "missing.sql")) as servers,
        pytest.raises(ServerError, match=r"missing\.sql cannot be read"),
    ):
        servers.create_database()


def test_a_missing_extension_is_an_error_that_names_it() -> None:
    with (
        Servers(ServerSpec(extensions=("no_such_extension",))) as servers,
        pytest.raises(ServerError, match="has no extension 'no_such_extension'"),
    ):
        servers.create_database()


def test_a_failed_start_fails_the_same_way_again() -> None:
    with Servers(ServerSpec(extensions=("no_such_extension",))) as servers:
        messages = []
        for _ in range(2):
            with pytest.raises(ServerError) as caught:
                servers.create_database()
            messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_a_kind_that_is_none_is_an_error_that_lists_them() -> None:
    with pytest.raises(ServerError, match="'embedded', 'container' nor a URL"):
        ServerSpec("mysql://somewhere")


def test_the_client_programs_are_found() -> None:
    programs = client_programs()
    assert programs is not None
    assert {"psql", "pg_isready"} <= {program.name for program in programs.iterdir()}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
