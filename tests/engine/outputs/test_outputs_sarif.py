"""SARIF for code scanning: what is in it, and that it is valid."""

from __future__ import annotations

import json
from pathlib import Path

from engine_runs import (
    Bench,
    Run,
    passes,
    write_pack,
    write_skill,
)
from jsonschema import Draft7Validator
from output_tools import FILES, RED_FILE, RED_TEXT, SARIF_SCHEMA, places, published_schema, results


def test_the_red_run_is_red(red: Run) -> None:
    assert red.status == 1, red.text
    assert red.report["totals"]["snippets"] == {"passed": 1, "failed": 2, "not_run": 1}


def test_sarif_is_valid(red: Run, green: Run) -> None:
    validator = Draft7Validator(published_schema(SARIF_SCHEMA))
    for run in (red, green):
        log = json.loads((run.folder / FILES["sarif"]).read_text())
        assert [error.message for error in validator.iter_errors(log)] == []
        assert log["version"] == "2.1.0"


def test_sarif_has_a_result_for_each_failure_and_no_other(red: Run, green: Run) -> None:
    assert places(red) == {
        ("check-failed", "packs/skills/wrong-name/SKILL.md", 2),
        ("fence-failed", RED_FILE, 14),
        ("fence-failed", RED_FILE, 18),
        ("statement-failed", RED_FILE, 5),
        ("statement-unproven", "packs/skills/red/references/more.md", 1),
        ("pack-problem", "packs/skill.yaml", 1),
    }
    assert results(green) == []


def test_every_rule_of_a_result_is_declared(red: Run) -> None:
    run = json.loads((red.folder / FILES["sarif"]).read_text())["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[r["ruleIndex"]] for r in run["results"]] == [r["ruleId"] for r in run["results"]]


def test_fingerprints_stay_when_lines_move_and_values_change(bench: Bench, tmp_path: Path) -> None:
    prints = []
    for place, text in (
        ("one", RED_TEXT),
        ("two", RED_TEXT.replace("## First", "More.\n\n## First").replace("# -> 3", "# -> 4")),
    ):
        write_pack(tmp_path / place / "pack", {"budgets": {"not_run": 0}}, text)
        run = bench.run(["verify", "--sarif", FILES["sarif"]], tmp_path / place / "pack")
        prints.append({r["partialFingerprints"]["primaryLocationLineHash"] for r in results(run)})
    assert prints[0] == prints[1]
    assert len(prints[0]) == 3


def test_different_failures_have_different_fingerprints(red: Run) -> None:
    prints = [r["partialFingerprints"]["primaryLocationLineHash"] for r in results(red)]
    assert len(set(prints)) == len(prints)


def test_a_file_that_cannot_be_read_is_a_finding(bench: Bench, tmp_path: Path) -> None:
    skill = write_skill(tmp_path / "skill", passes())
    (skill / "references" / "odd.md").write_bytes(b"# \xff\n")
    run = bench.run(["verify", "skill", "--sarif", FILES["sarif"]], tmp_path)
    assert places(run) == {("check-failed", "skill/references/odd.md", 1)}
    assert "'utf-8' codec can't decode" in results(run)[0]["message"]["text"]
