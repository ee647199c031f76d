"""However a run ends, nothing of it stays: no process, no directory, no database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest
from proveskill.servers import ServerError, Servers, ServerSpec
from server_runs import Foreign, StartRun, is_alive, wait_until


def test_nothing_is_left_after_close(start_run: StartRun) -> None:
    run = start_run()
    run.process.communicate("")
    assert run.remains() == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_when_a_signal_ends_the_owner(
    start_run: StartRun, number: signal.Signals
) -> None:
    run = start_run()
    run.process.send_signal(number)
    run.process.wait()
    wait_until(lambda: not run.remains(), "the end of everything")


def test_nothing_is_left_after_ctrl_c_in_the_terminal(start_run: StartRun) -> None:
    run = start_run()
    os.killpg(run.process.pid, signal.SIGINT)
    run.process.wait()
    wait_until(lambda: not run.remains(), "the end of everything")


def test_ctrl_c_does_not_reach_the_server_itself(start_run: StartRun) -> None:
    run = start_run()
    group = os.getpgid(run.process.pid)
    assert all(os.getpgid(process.pid) != group for process in run.started)


def test_nothing_is_left_when_the_owner_is_killed_while_the_server_starts() -> None:
    text = (
        "import os, sys\nfrom proveskill.servers import *\n"
        "servers = Servers(ServerSpec())\nservers.share()\nservers.warm()\n"
        "print(os.environ['PROVESKILL_KEEPER'], flush=True)\nsys.stdin.read()"
    )
    started: list[psutil.Process] = []

    def initdb_runs() -> bool:
        started[:] = psutil.Process(owner.pid).children(recursive=True)
        return any(process.name() == "initdb" for process in started)

    with subprocess.Popen(
        [sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        directory = Path(owner.stdout.readline().strip()).parent
        wait_until(initdb_runs, "the start of initdb")
        owner.kill()
    wait_until(lambda: not directory.exists(), "the end of the run's directory")
    wait_until(lambda: not any(map(is_alive, started)), "the end of its processes")


def test_a_forked_child_of_the_owner_does_not_keep_the_server() -> None:
    text = (
        "import os, signal, sys\nfrom proveskill.servers import *\n"
        "servers = Servers(ServerSpec())\nservers.share()\n"
        "if os.fork() == 0:\n    os.close(1)\n    signal.pause()\n"
        "print(os.environ['PROVESKILL_KEEPER'], flush=True)\nos.kill(os.getpid(), 9)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", text], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as owner:
        keeper = Path(owner.communicate()[0].strip())
    try:
        wait_until(lambda: not keeper.parent.exists(), "the end of the run's directory")
    finally:
        os.killpg(owner.pid, signal.SIGKILL)


def test_the_servers_die_with_a_killed_keeper_and_the_owner_cleans_up(
    start_run: StartRun,
) -> None:
    run = start_run()
    run.keeper.kill()
    wait_until(lambda: run.remains() == [str(run.directory)], "the end of the servers")
    run.process.communicate("")
    assert run.remains() == []


def test_the_next_run_cleans_up_after_a_killed_keeper_and_a_killed_owner(
    start_run: StartRun,
) -> None:
    run = start_run()
    run.keeper.kill()
    run.process.kill()
    run.process.wait()
    wait_until(lambda: run.remains() == [str(run.directory)], "the end of the servers")
    os.utime(run.directory, (0, 0))
    start_run()
    assert run.remains() == []


def test_a_keeper_that_was_killed_is_an_error_that_says_so(
    spec: ServerSpec, monkeypatch: pytest.MonkeyPatch, start_run: StartRun
) -> None:
    run = start_run()
    monkeypatch.setenv("PROVESKILL_KEEPER", str(run.directory / "keeper.sock"))
    servers = Servers(spec)
    run.keeper.kill()
    wait_until(lambda: not is_alive(run.keeper), "the end of the keeper")
    with pytest.raises(ServerError, match="keeper cannot be reached"):
        servers.create_database()


def test_a_server_that_died_is_an_error_with_its_last_words(
    spec: ServerSpec, monkeypatch: pytest.MonkeyPatch, start_run: StartRun
) -> None:
    run = start_run()
    monkeypatch.setenv("PROVESKILL_KEEPER", str(run.directory / "keeper.sock"))
    with Servers(spec) as servers:
        servers.create_database()
        postmaster = next(process for process in run.started if process.name() == "postgres")
        postmaster.send_signal(signal.SIGQUIT)
        wait_until(lambda: not is_alive(postmaster), "the end of the server")
        with pytest.raises(ServerError, match="primary server ended"):
            [servers.create_database() for _ in range(2)]


def test_two_runs_at_once_do_not_disturb_each_other(start_run: StartRun) -> None:
    first, second = start_run(), start_run()
    first.process.communicate("")
    with psycopg.connect(second.database.url) as connection:
        assert connection.execute("SELECT count(*) FROM item").fetchone() == (1,)
    assert first.directory != second.directory


def test_a_second_process_shares_the_keeper(
    spec: ServerSpec, monkeypatch: pytest.MonkeyPatch, start_run: StartRun
) -> None:
    run = start_run()
    monkeypatch.setenv("PROVESKILL_KEEPER", str(run.directory / "keeper.sock"))
    with Servers(spec) as servers:
        database = servers.create_database()
    with psycopg.connect(database.url) as connection, psycopg.connect(run.database.url) as other:
        assert connection.info.port == other.info.port
    assert run.directory.exists()


def test_a_process_with_another_spec_gets_a_keeper_of_its_own(
    monkeypatch: pytest.MonkeyPatch, start_run: StartRun
) -> None:
    run = start_run()
    monkeypatch.setenv("PROVESKILL_KEEPER", str(run.directory / "keeper.sock"))
    with Servers(ServerSpec()) as servers, psycopg.connect(servers.create_database().url) as mine:
        assert mine.execute("SELECT to_regclass('item')").fetchone() == (None,)


def test_a_server_of_the_user_keeps_no_database(foreign: Foreign, schema: Path) -> None:
    with Servers(ServerSpec(foreign.url, extensions=("vector",), schema=schema)) as servers:
        database = servers.create_database()
        with psycopg.connect(database.url) as connection:
            connection.execute("SELECT * FROM item")
        assert len(foreign.leftovers()) >= 2
        assert servers.describe()["server"] == "address"
    assert foreign.leftovers() == []


def test_a_server_of_the_user_keeps_no_database_of_a_killed_owner(
    foreign: Foreign, start_run: StartRun
) -> None:
    run = start_run(ServerSpec(foreign.url))
    assert foreign.leftovers()
    run.process.kill()
    wait_until(lambda: not foreign.leftovers(), "the drop of its databases")


def test_a_server_of_the_user_keeps_no_template_that_failed(
    foreign: Foreign, tmp_path: Path
) -> None:
    schema = tmp_path / "wrong.sql"
    schema.write_text("SELECT nonsense")
    with (
        Servers(ServerSpec(foreign.url, schema=schema)) as servers,
        pytest.raises(ServerError, match="nonsense"),
    ):
        servers.create_database()
    assert foreign.leftovers() == []
