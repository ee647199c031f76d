"""Servers that the tests share, and ways to look at what a run leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import psycopg
import pytest
from proveskill.servers import Database, Servers, ServerSpec
from server_runs import Foreign, Run, StartRun

OWNER = Path(__file__).with_name("owner.py")
SCHEMA = "CREATE TABLE item (id int PRIMARY KEY, place vector(3));\nINSERT INTO item VALUES (1);\n"


@pytest.fixture(autouse=True)
def _own_keeper(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test uses the servers of the run that it is a part of."""
    monkeypatch.delenv("PROVESKILL_KEEPER", raising=False)


@pytest.fixture(scope="session")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("schema") / "schema.sql"
    path.write_text(SCHEMA)
    return path


@pytest.fixture(scope="session")
def spec(schema: Path) -> ServerSpec:
    return ServerSpec(extensions=("vector",), schema=schema)


@pytest.fixture(scope="session")
def embedded(spec: ServerSpec) -> Iterator[Servers]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PROVESKILL_KEEPER", raising=False)
        servers = Servers(spec)
    with servers:
        yield servers


@pytest.fixture
def database(embedded: Servers) -> Iterator[Database]:
    database = embedded.create_database()
    yield database
    embedded.drop_database(database)


@pytest.fixture
def foreign(embedded: Servers, database: Database) -> Iterator[Foreign]:
    """A server that is there already: another run's, so all that is not its own is a leftover."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        yield Foreign(database, connection)


@pytest.fixture
def start_run(spec: ServerSpec) -> Iterator[StartRun]:
    """Starts an owner process that has made a database."""
    with ExitStack() as stack:

        def start(spec: ServerSpec = spec, **environment: str) -> Run:
            process = subprocess.Popen(
                [sys.executable, str(OWNER), json.dumps(spec.to_json())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | environment,
                start_new_session=True,
            )
            stack.callback(_end, process)
            assert process.stdout is not None
            fields = json.loads(process.stdout.readline())
            started = psutil.Process(process.pid).children(recursive=True)
            database = Database(fields["name"], fields["url"])
            return Run(process, Path(fields["run"]), database, started)

        yield start


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()
