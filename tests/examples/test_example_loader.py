"""examples/bulk_loader."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

CONTENT = "SELECT count(*), sum(value)::numeric(20, 2), max(at) FROM readings"
IS_BLOCKED = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@pytest.fixture
def readings(run, tmp_path: Path) -> Path:
    """A file of 20,000 rows with 18,000 keys, loaded into the table `readings`."""
    path = tmp_path / "readings.parquet"
    done = run("bulk_loader", path, "--make-sample", 20_000)
    assert done.returncode == 0, done.stderr
    assert "20,000 rows read, 18,000 written to readings" in done.stdout
    return path


def test_the_last_row_of_each_key_is_stored(readings: Path, sql: psycopg.Connection):
    rows = pq.read_table(readings).to_pylist()
    expected = {row["id"]: tuple(row.values()) for row in rows}
    stored = sql.execute("SELECT id, sensor, value, at FROM readings").fetchall()
    assert {row[0]: row for row in stored} == expected


def test_rows_that_are_there_are_updated(run, readings: Path, sql: psycopg.Connection):
    before = sql.execute(CONTENT).fetchone()
    sql.execute("UPDATE readings SET value = 0 WHERE id < 1000")
    sql.execute("DELETE FROM readings WHERE id >= 15000")
    done = run("bulk_loader", readings)
    assert "18,000 written" in done.stdout
    assert sql.execute(CONTENT).fetchone() == before


def test_rows_that_are_there_are_kept_on_request(run, readings: Path, sql: psycopg.Connection):
    sql.execute("UPDATE readings SET value = 0")
    sql.execute("DELETE FROM readings WHERE id = 7")
    done = run("bulk_loader", readings, "--on-conflict", "nothing")
    assert "20,000 rows read, 1 written to readings" in done.stdout
    assert sql.execute("SELECT count(*) FROM readings WHERE value = 0").fetchone() == (17_999,)


def test_the_key_can_be_another_unique_index(run, readings: Path, sql: psycopg.Connection):
    sql.execute("CREATE TABLE other (LIKE readings, UNIQUE (id, at))")
    done = run("bulk_loader", readings, "--table", "other", "--key", "id, at")
    assert "20,000 written to other" in done.stdout


def test_a_load_that_fails_leaves_no_new_table(run, readings: Path, sql: psycopg.Connection):
    _write_bad_files(readings)
    done = run("bulk_loader", readings.parent / "damaged.parquet", "--create", "--key", "id")
    assert done.returncode == 2, done.stderr
    assert sql.execute("SELECT to_regclass('damaged')").fetchone() == (None,)


def test_two_loads_create_one_table(run, start, readings: Path, sql: psycopg.Connection):
    load = ("bulk_loader", readings, "--table", "new", "--create", "--key", "id")
    loaders = [start(*load) for _ in range(2)]
    outputs = [loader.communicate(timeout=60) for loader in loaders]
    assert [loader.returncode for loader in loaders] == [0, 0], outputs
    assert sql.execute("SELECT count(*) FROM new").fetchone() == (18_000,)


@pytest.mark.parametrize("name", ["my.data", 'a "b" c', "Upper"])
def test_the_name_of_the_file_is_one_name(run, tmp_path: Path, sql: psycopg.Connection, name: str):
    path = tmp_path / f"{name}.parquet"
    pq.write_table(pa.table({"id": [1, 2]}), path)
    done = run("bulk_loader", path, "--create", "--key", "id")
    assert f"2 rows read, 2 written to {name} in" in done.stdout, done.stderr
    assert sql.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    ).fetchall() == [(name,)]


def test_a_file_whose_name_is_too_long_for_a_table_creates_nothing(
    run, tmp_path: Path, sql: psycopg.Connection
):
    path = tmp_path / f"{'t' * 64}.parquet"
    pq.write_table(pa.table({"id": [1]}), path)
    done = run("bulk_loader", path, "--create", "--key", "id")
    assert done.returncode == 2
    assert f"the name '{'t' * 64}' has 64 bytes" in done.stderr
    assert sql.execute("SELECT count(*) FROM pg_class WHERE relname LIKE 'ttt%'").fetchone() == (0,)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["no.parquet"], 2, "no.parquet: there is no such file"),
        (["/tmp"], 2, "/tmp is a folder, not a Parquet file"),
        (["/dev/null"], 2, "/dev/null is a device or a pipe, not a Parquet file"),
        (["text.parquet"], 2, "text.parquet is not a Parquet file"),
        (["damaged.parquet", "--table", "readings"], 2, "damaged.parquet is damaged"),
        (["readings.parquet", "--make-sample", "5"], 2, "readings.parquet exists already"),
        (["readings.parquet", "--table", "gone"], 1, '"gone" does not exist; create the table'),
        (["readings.parquet", "--key", "place"], 2, "--key place: the file has no such column"),
        (["readings.parquet", "--key", "sensor"], 1, "give with --key the columns of a unique"),
        (["extra.parquet", "--table", "readings"], 1, '"readings" has no column "extra"; it has'),
        (["words.parquet", "--table", "readings"], 1, '"value"'),
        (["readings.parquet", "--create"], 2, "--create needs --key"),
        (["long.parquet", "--create", "--key", "id"], 2, f"the name '{'ä' * 32}' has 64 bytes"),
        ([], 2, "name a FILE, or try --make-sample"),
    ],
)
def test_a_load_that_is_refused_says_why_and_changes_nothing(
    run, readings: Path, sql: psycopg.Connection, arguments: list[str], status: int, message: str
):
    before = sql.execute(CONTENT).fetchone()
    _write_bad_files(readings)
    paths = [readings.parent / text if ".parquet" in text else text for text in arguments]
    done = run("bulk_loader", *paths)
    assert done.returncode == status, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert sql.execute(CONTENT).fetchone() == before


def test_ctrl_c_in_the_middle_leaves_the_old_rows(
    start, readings: Path, sql: psycopg.Connection, url: str
):
    sql.execute("UPDATE readings SET value = 1")
    before = sql.execute(CONTENT).fetchone()
    with psycopg.connect(url) as other:
        other.execute("SELECT 1 FROM readings WHERE id = 12000 FOR UPDATE")
        loader = start("bulk_loader", readings)
        while sql.execute(IS_BLOCKED).fetchone() == (0,):
            assert loader.poll() is None
            time.sleep(0.01)
        loader.send_signal(signal.SIGINT)
        _, stderr = loader.communicate(timeout=30)
    assert loader.returncode == 130
    assert stderr == "error: interrupted; nothing of the file was loaded\n"
    assert sql.execute(CONTENT).fetchone() == before


def test_the_progress_bar_is_for_terminals(run, readings: Path, environment: dict[str, str]):
    assert run("bulk_loader", readings).stderr == ""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "bulk_loader", str(readings)]
    environment |= {"TERM": "xterm", "COLUMNS": "100"}
    done = subprocess.run(command, env=environment, stderr=theirs, stdout=subprocess.DEVNULL)
    os.close(theirs)
    shown = os.read(ours, 1 << 20).decode()
    os.close(ours)
    assert done.returncode == 0
    assert "20000/20000" in shown


def test_it_runs_without_a_database_and_leaves_nothing(run, alone):
    done = run("bulk_loader", "--make-sample", 1000, **alone)
    assert done.returncode == 0, done.stderr
    assert "1,000 rows read, 900 written to sample" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_leaves_nothing(start, alone, number: signal.Signals):
    loader = start("bulk_loader", "--make-sample", 3_000_000, **alone)
    folder = Path(alone["TMPDIR"])
    while not list(folder.glob("example-server-*/data/postmaster.pid")):
        assert loader.poll() is None
        time.sleep(0.01)
    loader.send_signal(number)
    _, stderr = loader.communicate(timeout=30)
    assert loader.returncode == 130
    assert stderr == "error: interrupted; nothing of the file was loaded\n"


def _write_bad_files(readings: Path) -> None:
    folder = readings.parent
    (folder / "text.parquet").write_text("id,value\n")
    content = bytearray(readings.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = b"\xff" * 2000
    (folder / "damaged.parquet").write_bytes(content)
    pq.write_table(pa.table({"id": [1], "extra": [2]}), folder / "extra.parquet")
    pq.write_table(pa.table({"id": [1], "value": ["much"]}), folder / "words.parquet")
    pq.write_table(pa.table({"id": [1], "ä" * 32: [2]}), folder / "long.parquet")
