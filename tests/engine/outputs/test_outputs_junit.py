"""JUnit XML: a case for each verdict."""

from __future__ import annotations

from pathlib import Path

from engine_runs import (
    Bench,
    Run,
    fence,
    write_skill,
)
from junitparser import JUnitXml
from output_tools import FILES, RED_FILE


def test_junit_has_a_case_for_each_verdict(red: Run) -> None:
    suites = JUnitXml.fromfile(str(red.folder / FILES["junit"]))
    report = red.report
    records = [*report["checks"], *report["snippets"], *report["statements"], *report["problems"]]
    assert (suites.tests, suites.failures, suites.errors) == (len(records), 5, 1)
    assert suites.tests == sum(suite.tests for suite in suites)


def test_junit_names_file_and_line(red: Run) -> None:
    suites = JUnitXml.fromfile(str(red.folder / FILES["junit"]))
    cases = {case.name: case for suite in suites for case in suite}
    case = cases["red/SKILL#first-a-heading/2"]
    assert (case._elem.get("file"), case._elem.get("line")) == (RED_FILE, "14")
    assert "expected: -> 3" in case.result[0].text
    assert "again: " in case.result[0].text


def test_junit_skips_what_was_not_run(red: Run) -> None:
    suites = JUnitXml.fromfile(str(red.folder / FILES["junit"]))
    cases = {case.name: case for suite in suites for case in suite}
    assert cases["red/SKILL#first-a-heading/4"].result[0].message == "not run: needs a cluster"
    assert cases["red/SKILL#first-a-heading/1"].is_passed


def test_junit_can_hold_control_characters(red: Run) -> None:
    text = (red.folder / FILES["junit"]).read_text()
    assert "\\x1b[31m 100%, &lt;b&gt;" in text


def test_junit_never_counts_parsed_as_passed(bench: Bench, tmp_path: Path) -> None:
    write_skill(tmp_path / "skill", fence("session.commit()"))
    bench.run(["verify", "skill", "--run", "possible", "--junit", "junit.xml"], tmp_path)
    (suite,) = JUnitXml.fromfile(str(tmp_path / "junit.xml"))
    (_, case) = suite
    assert case.result[0].message == "parsed: nothing here defines session"
