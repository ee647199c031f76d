"""What is made of a report: JUnit, SARIF, a summary, a badge, annotations."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from engine_runs import (
    PYTEST,
    Bench,
    Run,
    fence,
    notes,
    passes,
    wait_until,
    write_pack,
    write_skill,
)
from jsonschema import Draft7Validator
from junitparser import JUnitXml
from output_tools import FILES, OPTIONS, SARIF_SCHEMA, published_schema

FILE = "packs/skills/red/SKILL.md"
"""As it is named from the root of the repository."""
TEXT = (
    "It is | 3.\n\n## First, a heading\n\n" + fence("base = 1") + fence("base + 1  # -> 3")
    + fence("raise ValueError('\\x1b[31m 100%, <b> | `x` at\\nsecond: line')")
    + "<!-- not run: needs a cluster -->\n" + fence("cluster.connect()")
)  # fmt: skip
PROOF = """\
from proveskill import proves


@proves("It is | {n:d}.")
def test_it(n: int):
    assert n == 2
"""


@pytest.fixture(scope="session")
def red(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run in which everything is wrong that can be, in a folder of a repository."""
    repository = tmp_path_factory.mktemp("red")
    (repository / ".git").mkdir()
    root = repository / "packs"
    root.mkdir()
    write_skill(root / "skills" / "red", TEXT, more="Nobody proves this.\n")
    (root / "skills" / "wrong-name" / "x").mkdir(parents=True)
    (root / "skills" / "wrong-name" / "SKILL.md").write_text("---\nname: x\n---\n")
    (root / "proofs").mkdir()
    (root / "proofs" / "test_red.py").write_text(PROOF)
    (root / "skill.yaml").write_text(
        "schema: 1\nname: red\nversion: 1.0.0\nskills: [skills/red, skills/wrong-name]\n"
        "proofs: {path: proofs}\nbudgets: {not_run: 0}\n"
    )
    return Bench(repository).run(
        ["verify", ".", *OPTIONS], root, report=root / "report.json", GITHUB_ACTIONS="true"
    )


@pytest.fixture(scope="session")
def green(tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = write_pack(tmp_path_factory.mktemp("green") / "green", text=passes() + passes(2))
    return Bench(root).run(["verify", ".", *OPTIONS], root, report=root / "report.json")


def results(run: Run) -> list[dict[str, Any]]:
    return list(json.loads((run.folder / FILES["sarif"]).read_text())["runs"][0]["results"])


def places(run: Run) -> set[tuple[str, str, int]]:
    found = set()
    for result in results(run):
        place = result["locations"][0]["physicalLocation"]
        line = place["region"]["startLine"]
        found.add((result["ruleId"], place["artifactLocation"]["uri"], line))
    return found


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
        ("fence-failed", FILE, 14),
        ("fence-failed", FILE, 18),
        ("statement-failed", FILE, 5),
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
        ("one", TEXT),
        ("two", TEXT.replace("## First", "More.\n\n## First").replace("# -> 3", "# -> 4")),
    ):
        write_pack(tmp_path / place / "pack", {"budgets": {"not_run": 0}}, text)
        run = bench.run(["verify", "--sarif", FILES["sarif"]], tmp_path / place / "pack")
        prints.append({r["partialFingerprints"]["primaryLocationLineHash"] for r in results(run)})
    assert prints[0] == prints[1]
    assert len(prints[0]) == 3


def test_different_failures_have_different_fingerprints(red: Run) -> None:
    prints = [r["partialFingerprints"]["primaryLocationLineHash"] for r in results(red)]
    assert len(set(prints)) == len(prints)


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
    assert (case._elem.get("file"), case._elem.get("line")) == (FILE, "14")
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


def test_the_summary_tells_what_is_wrong_and_where(red: Run) -> None:
    text = (red.folder / FILES["summary"]).read_text()
    headline = (
        "## ❌ red: 2 fences failed, 1 statement failed, 1 statement unproven, 1 check failed"
    )
    assert text.startswith(headline + ", 1 problem of the pack\n")
    assert f"| `{FILE}:14` | **ExpectationFailed** expected -\\> 3" in text.replace("-&gt;", "-\\>")


def test_the_summary_cannot_be_broken_by_a_message(red: Run) -> None:
    text = (red.folder / FILES["summary"]).read_text()
    (row,) = [line for line in text.splitlines() if f"`{FILE}:18`" in line]
    assert "100%, &lt;b&gt; \\| \\`x\\` at second: line" in row
    assert len(re.findall(r"(?<!\\)\|", row)) == 3
    assert "\x1b" not in text


def test_the_summary_of_a_green_run_says_what_was_proven(green: Run) -> None:
    text = (green.folder / FILES["summary"]).read_text()
    assert text.startswith("## ✅ green: 2 fences proven\n")


def test_the_badge_says_the_same_to_eyes_and_ears(red: Run, green: Run) -> None:
    for run, says, colour in (
        (red, "2 fences failed, 1 statement failed", "#c62828"),
        (green, "2 fences proven", "#2e7d32"),
    ):
        root = ET.parse(run.folder / FILES["badge"]).getroot()
        texts = [element.text or "" for element in root.findall(".//{*}text")]
        title = root.find("{*}title")
        assert title is not None
        assert title.text == ": ".join(texts)
        assert (root.get("role"), root.get("aria-labelledby")) == ("img", title.get("id"))
        assert texts[1].startswith(says)
        assert colour in [rect.get("fill") for rect in root.findall(".//{*}rect")]


def test_the_badge_of_what_is_only_parsed_is_not_green(bench: Bench, tmp_path: Path) -> None:
    write_skill(tmp_path / "skill", fence("session.commit()"))
    bench.run(["verify", "skill", "--run", "possible", "--badge", "badge.svg"], tmp_path)
    text = (tmp_path / "badge.svg").read_text()
    assert ("1 fence parsed" in text, "#2e7d32" in text) == (True, False)


def test_annotations_name_the_file_from_the_root_of_the_repository(red: Run) -> None:
    found = [line for line in red.out.splitlines() if line.startswith("::")]
    assert f"::error file={FILE},line=14,title=ExpectationFailed::" in "\n".join(found)
    assert len(found) == len(results(red))


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


def test_the_step_summary_is_added_to_what_is_there(bench: Bench, tmp_path: Path) -> None:
    root = write_pack(tmp_path / "pack", text=passes())
    page = tmp_path / "page.md"
    page.write_text("before")
    bench.run(["verify"], root, GITHUB_STEP_SUMMARY=str(page))
    text = page.read_text()
    assert text.startswith("before\n## ✅ pack: 1 fence proven\n")
    assert list(tmp_path.glob(".page*")) == []


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


def test_a_file_that_cannot_be_read_is_a_finding(bench: Bench, tmp_path: Path) -> None:
    skill = write_skill(tmp_path / "skill", passes())
    (skill / "references" / "odd.md").write_bytes(b"# \xff\n")
    run = bench.run(["verify", "skill", "--sarif", FILES["sarif"]], tmp_path)
    assert places(run) == {("check-failed", "skill/references/odd.md", 1)}
    assert "'utf-8' codec can't decode" in results(run)[0]["message"]["text"]


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


def test_a_fence_that_is_proven_on_two_variants_is_one(bench: Bench, tmp_path: Path) -> None:
    adapters = {"adapters": {"stock": {}, "other": {}}}
    root = write_pack(tmp_path / "pack", adapters, passes())
    run = bench.run(["verify", "--adapter", "both", "--summary", "s.md"], root)
    assert "2 fences: 2 passed" in run.out
    assert (root / "s.md").read_text().startswith("## ✅ pack: 1 fence proven\n")
