"""When outputs are written, and when they cannot be."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from engine_runs import (
    PYTEST,
    Bench,
    fence,
    notes,
    passes,
    wait_until,
    write_pack,
)
from junitparser import JUnitXml
from output_tools import FILES, OPTIONS


@pytest.mark.parametrize("name", FILES)
def test_an_output_that_cannot_be_written_is_a_usage_error(
    bench: Bench, tmp_path: Path, name: str
) -> None:
    root = write_pack(tmp_path / "pack", text=passes())
    run = bench.run(["verify", f"--{name}", "nowhere/file"], root)
    assert run.status == 2
    assert f"cannot write the {name} nowhere/file: no such folder" in run.err


def test_a_folder_in_place_of_an_output_is_told_and_nothing_is_left(
    bench: Bench, tmp_path: Path
) -> None:
    root = write_pack(tmp_path / "pack", text=passes())
    (root / "out").mkdir()
    run = bench.run(["verify", "--junit", "out"], root)
    assert run.status != 0
    assert "cannot write" in run.text
    assert "Traceback" not in run.text
    assert list(root.glob(".out*")) == []


def test_an_interrupted_run_leaves_whole_files_that_say_so(bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "log"
    endless = passes() + notes("started", log) + fence("import time\ntime.sleep(600)") + passes()
    root = write_pack(tmp_path / "pack", {"limits": {"seconds": 600}}, endless)
    process, mark = bench.start(["verify", *OPTIONS], root)
    wait_until(log.exists, "the second fence")
    os.killpg(process.pid, signal.SIGINT)
    run = bench.finish(process, mark, root, root / "report.json")
    assert (run.status, run.report["complete"], run.report["ok"]) == (130, False, False)
    log_file = json.loads((root / FILES["sarif"]).read_text())
    assert log_file["runs"][0]["invocations"][0]["executionSuccessful"] is False
    assert "The run was cut short." in (root / FILES["summary"]).read_text()
    assert "cut short" in (root / FILES["badge"]).read_text()
    JUnitXml.fromfile(str(root / FILES["junit"]))


def test_several_processes_write_the_outputs_once(bench: Bench, tmp_path: Path) -> None:
    text = "".join(f"## S{n}\n\n" + passes(n) for n in range(1, 5))
    root = write_pack(tmp_path / "pack", text=text)
    options = ["--proveskill-junit", "junit.xml", "--proveskill-sarif", "s.sarif"]
    run = bench.run([".", "-p", "xdist", "-n", "2", "-q", *options], root, command=PYTEST)
    assert run.status == 0, run.text
    assert JUnitXml.fromfile(str(root / "junit.xml")).tests == 5


def test_no_output_holds_the_password_of_a_url(bench: Bench, tmp_path: Path) -> None:
    url = "postgresql://user:secret@host/x"
    root = write_pack(
        tmp_path / "pack",
        {"fixtures": "fixtures.py"},
        fence("raise ValueError(url)") + fence("url  # -> 1"),
    )
    fixture = f"import pytest\n\n@pytest.fixture\ndef url():\n    return {url!r}\n"
    (root / "fixtures.py").write_text(fixture)
    bench.run(["verify", *OPTIONS], root)
    texts = [(root / file).read_text() for file in FILES.values()]
    assert ["secret" in text for text in texts] == [False] * len(texts)
    assert "postgresql://user:***@host/x" in (root / FILES["sarif"]).read_text()
