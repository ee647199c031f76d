"""How runs end, and what they leave behind."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from engine_runs import (
    SQL,
    Bench,
    fence,
    notes,
    passes,
    wait_until,
    write_pack,
    write_skill,
)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_a_signal_ends_a_run_and_nothing_is_left(
    bench: Bench, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    log = tmp_path / "log"
    endless = notes("started", log) + fence("import time\ntime.sleep(600)") + SQL
    root = write_pack(tmp_path / "pack", {"limits": {"seconds": 600}}, endless)
    process, mark = bench.start(["verify"], root)
    wait_until(log.exists, "the first fence")
    # As a terminal does it: to all of the group.
    os.killpg(process.pid, number)
    run = bench.finish(process, mark, root)
    assert (run.status, run.left_processes, run.left_files) == (status, (), ())
    assert "Traceback" not in run.text


def test_a_killed_run_leaves_nothing_running(bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "log"
    endless = notes("started", log) + fence("import time\ntime.sleep(600)")
    root = write_pack(tmp_path / "pack", {"limits": {"seconds": 600}}, endless)
    process, mark = bench.start(["verify"], root)
    wait_until(log.exists, "the first fence")
    process.kill()
    process.wait()
    wait_until(lambda: not bench.left(mark), "the end of the processes")
    wait_until(lambda: not list(bench.temporary.iterdir()), "the end of their files")
    process.communicate()


def test_too_many_fences_that_are_not_run_fail_the_run(bench: Bench, tmp_path: Path) -> None:
    text = passes() + "<!-- not run: needs a cluster -->\n" + fence("cluster.connect()")
    root = write_pack(tmp_path / "pack", {"budgets": {"not_run": 0.25}}, text)
    report = root / "out.json"
    run = bench.run(["verify", "--report", report], root, report=report)
    assert (run.status, run.report["ok"]) == (1, False)
    assert "1 of 2 fences (50.0%) are marked 'not run', more than the budget of 25.0%" in run.text


def test_a_report_that_cannot_be_written_is_a_usage_error(bench: Bench, tmp_path: Path) -> None:
    root = write_pack(tmp_path / "pack", text=passes())
    run = bench.run(["verify", "--report", "nowhere/out.json"], root)
    assert run.status == 2
    assert "cannot write the report nowhere/out.json" in run.text
    assert "Traceback" not in run.text


def test_a_limit_of_the_manifest_holds(bench: Bench, tmp_path: Path) -> None:
    text = fence("print('x' * 101)") + fence("import time\ntime.sleep(600)")
    limits = {"seconds": 0.5, "output_bytes": 100}
    root = write_pack(tmp_path / "pack", {"limits": limits}, text)
    report = root / "out.json"
    run = bench.run(["verify", "--report", report], root, report=report)
    assert [r["error"]["type"] for r in run.records] == ["OutputFlood", "TimeLimit"]


def test_two_runs_at_once_do_not_meet(bench: Bench, tmp_path: Path) -> None:
    root = write_pack(tmp_path / "pack", text=SQL)
    started = [bench.start(["verify"], root) for _ in range(2)]
    runs = [bench.finish(process, mark, root) for process, mark in started]
    assert [(run.status, run.left_processes) for run in runs] == [(0, ())] * 2
    assert list(bench.temporary.glob("proveskill*")) == []


@pytest.mark.parametrize("home", [None, "/dev/null"], ids=["no HOME", "an unusable HOME"])
def test_a_home_folder_is_not_needed(bench: Bench, tmp_path: Path, home: str | None) -> None:
    root = write_pack(tmp_path / "pack", text=passes() + fence("echo x", "bash"))
    assert bench.run(["verify"], root, HOME=home).status == 0


def test_a_pack_in_a_folder_that_cannot_be_written_is_verified(
    bench: Bench, tmp_path: Path
) -> None:
    root = write_pack(tmp_path / "pack", text=passes())
    # A file in place of the cache folder: permissions do not stop root.
    (root / ".pytest_cache").write_text("")
    run = bench.run(["verify"], root)
    assert run.status == 0, run.text


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"# \xff\n", "utf-8"), (b"\xef\xbb\xbf```python\n1  # -> 2\n```\n", "a.md:2: Expect")],
    ids=["no UTF-8", "a byte order mark"],
)
def test_a_file_in_an_odd_encoding_is_not_passed_over(
    bench: Bench, tmp_path: Path, content: bytes, says: str
) -> None:
    skill = write_skill(tmp_path / "skill", passes())
    (skill / "references" / "a.md").write_bytes(content)
    run = bench.run(["verify", "skill"], tmp_path)
    assert run.status in (1, 2)
    assert says in run.text
    assert "Traceback" not in run.text


def test_a_skill_without_any_fence_is_not_proven(bench: Bench, tmp_path: Path) -> None:
    write_skill(tmp_path / "skill", "Only text.\n")
    run = bench.run(["verify", "skill"], tmp_path)
    assert "Traceback" not in run.text
    assert "0 fences" in run.text or "no fence" in run.text or "nothing was proven" in run.text
