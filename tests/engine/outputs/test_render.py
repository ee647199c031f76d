"""``proveskill render``: the same of a report that was stored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from engine_runs import (
    Bench,
    Run,
)
from output_tools import FILES


@pytest.mark.parametrize("name", ["junit", "sarif", "summary", "badge"])
def test_a_stored_report_is_rendered_as_the_run_did(bench: Bench, red: Run, name: str) -> None:
    run = bench.run(["render", "report.json", f"--{name}", f"again-{name}"], red.folder)
    assert (run.status, run.text) == (0, "")
    assert (red.folder / f"again-{name}").read_text() == (red.folder / FILES[name]).read_text()


def test_render_prints_the_summary_without_an_option(bench: Bench, red: Run) -> None:
    run = bench.run(["render", "report.json"], red.folder)
    assert (run.status, run.out) == (0, (red.folder / FILES["summary"]).read_text())


def test_render_prints_annotations(bench: Bench, red: Run) -> None:
    run = bench.run(["render", "report.json", "--annotations"], red.folder)
    assert run.out.splitlines() == [x for x in red.out.splitlines() if x.startswith("::")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot read report.json: No such file"),
        ("{\n  x", "report.json:2: not JSON"),
        ("[]", "report.json: no report of proveskill verify --report: schema is None, not 1"),
        ('{"schema": 9}', "schema is 9, not 1"),
        ('{"schema": 1}', "report.json: no 'pack'"),
    ],
)
def test_render_refuses_what_is_no_report(
    bench: Bench, tmp_path: Path, content: str | None, says: str
) -> None:
    if content is not None:
        (tmp_path / "report.json").write_text(content)
    run = bench.run(["render", "report.json", "--junit", "junit.xml"], tmp_path)
    assert (run.status, run.out, (tmp_path / "junit.xml").exists()) == (2, "", False)
    assert says in run.err


def test_render_refuses_a_report_with_an_entry_that_is_cut(
    bench: Bench, red: Run, tmp_path: Path
) -> None:
    broken = {**red.report, "snippets": [{"id": "x#y/1"}]}
    (tmp_path / "report.json").write_text(json.dumps(broken))
    run = bench.run(["render", "report.json"], tmp_path)
    assert run.status == 2
    assert "an entry is not as verify --report writes it" in run.err


def test_render_ends_quietly_when_its_reader_has_enough(
    bench: Bench, red: Run, tmp_path: Path
) -> None:
    long = {**red.report, "snippets": red.report["snippets"] * 2_000}
    (tmp_path / "report.json").write_text(json.dumps(long))
    process, _ = bench.start(["render", "report.json", "--annotations"], tmp_path)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    assert (process.stderr.read(), process.wait()) == ("", 0)
    process.stderr.close()
