"""What a run tells: report, summary, messages, annotations."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from engine_runs import (
    Bench,
    Run,
    fence,
    passes,
    write_pack,
)
from jsonschema import Draft202012Validator

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = tmp_path_factory.mktemp("mixed") / "mixed"
    text = (
        "## First, a heading\n\n" + fence("base = 1") + fence("base + 1  # -> 3") + passes()
        + fence("raise ValueError('100%, at\\nsecond: line')")
        + fence("raise ValueError('\\n'.join(map(str, range(40))))")
        + "<!-- not run: needs a cluster -->\n" + fence("cluster.connect()")
    )  # fmt: skip
    write_pack(root, {"versions": {"pytest": "0.0.1"}}, text)
    report = root / "out.json"
    return Bench(root).run(
        ["verify", "--report", report], root, report=report, GITHUB_ACTIONS="true"
    )


def test_the_report_has_the_shape_of_the_contract(
    mixed: Run, server_cases_run: Run, proof_cases_run: Run, foreign_runs: dict[str, Run]
) -> None:
    schema = json.loads((HERE / "report.schema.json").read_text())
    validator = Draft202012Validator(schema)
    for run in (mixed, server_cases_run, proof_cases_run, *foreign_runs.values()):
        assert [error.message for error in validator.iter_errors(run.report)] == []


def test_the_report_tells_the_verdicts(mixed: Run) -> None:
    totals = mixed.report["totals"]
    assert (mixed.report["pack"], mixed.report["version"]) == ("mixed", "1.0.0")
    assert (mixed.status, mixed.report["ok"], totals["fences"]) == (1, False, 6)
    assert totals["snippets"] == {"passed": 2, "failed": 3, "not_run": 1}


def test_the_report_tells_server_and_extensions(server_cases_run: Run) -> None:
    environment = server_cases_run.report["environment"]
    assert environment["server"] == "embedded"
    assert list(environment["extensions"]) == ["vector"]


def test_the_summary_counts_each_section(mixed: Run) -> None:
    assert re.search(r"^SKILL#first-a-heading +2 +3 +1 +\d+\.\d\d$", mixed.out, re.MULTILINE), (
        mixed.out
    )
    assert "6 fences: 2 passed, 3 failed, 1 not run" in mixed.out


def test_another_version_than_the_verified_one_is_noted(mixed: Run) -> None:
    assert "note: pytest " in mixed.out
    assert "; the pack was verified with 0.0.1" in mixed.out


def test_failures_are_annotated_for_github(mixed: Run) -> None:
    file = "skills/mixed/SKILL.md"
    found = [line for line in mixed.out.splitlines() if line.startswith("::")]
    assert found[0].startswith(f"::error file={file},line=12,title=ExpectationFailed::")
    assert "expected: -> 3%0A" in found[0]
    assert found[1] == f"::error file={file},line=20,title=ValueError::100%25, at%0Asecond: line"
    assert len(found) == 3


def test_nothing_is_annotated_elsewhere(cases_run: Run) -> None:
    assert not re.search("^::", cases_run.out, re.MULTILINE)


def test_there_are_no_colours_without_a_terminal(mixed: Run, cases_run: Run) -> None:
    assert "\x1b" not in mixed.text + cases_run.text


def test_the_printed_command_runs_that_fence_again(bench: Bench, mixed: Run) -> None:
    record = next(r for r in mixed.records if r["id"].endswith("/2"))
    _, *arguments = shlex.split(record["error"]["rerun"])
    report = mixed.folder / "again.json"
    run = bench.run([*arguments, "--report", report], mixed.folder, report=report)
    assert (run.status, run.verdicts) == (1, {record["id"]: "failed"})
    assert run.records[0]["error"]["message"] == record["error"]["message"]


def test_the_printed_command_has_the_options_of_the_run_without_a_password(
    bench: Bench, mixed: Run
) -> None:
    url = "postgresql://u:secret@127.0.0.1:1/x"
    run = bench.run(["verify", "--server", url, "-k", "first"], mixed.folder)
    assert "first-a-heading::2 --server postgresql://u@127.0.0.1:1/x" in run.out
    assert "secret" not in run.text


def test_the_printed_command_starts_with_an_installed_program(mixed: Run) -> None:
    record = next(r for r in mixed.records if r["error"])
    program = shlex.split(record["error"]["rerun"])[0]
    done = subprocess.run([program, "--help"], capture_output=True, cwd=mixed.folder, check=False)
    assert done.returncode == 0


def test_a_verbose_run_shows_whole_messages(bench: Bench, mixed: Run) -> None:
    run = bench.run(["verify", "-v", "skills/mixed/SKILL.md::first-a-heading::5"], mixed.folder)
    assert "\nE   39\n" in run.out
    assert "\nE   39\n" not in mixed.out


def test_messages_name_files_that_are_elsewhere_by_their_whole_path(
    bench: Bench, mixed: Run, tmp_path: Path
) -> None:
    run = bench.run(["verify", mixed.folder, "-k", "first"], tmp_path)
    assert f"\n{mixed.folder}/skills/mixed/SKILL.md:12: ExpectationFailed" in run.out
