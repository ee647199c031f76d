"""Packs that nobody wrote for this engine; every file of ``foreign_cases/`` is a case."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from engine_cases import Case, check_case
from engine_runs import SQL, Bench, Run, fence, lines, notes, passes, write_pack, write_skill


def test_foreign_case(foreign_case: Case, foreign_runs: dict[str, Run]) -> None:
    check_case(foreign_case, foreign_runs[foreign_case.run])


def test_nothing_that_is_only_parsed_is_passed(foreign_runs: dict[str, Run]) -> None:
    totals = foreign_runs["parse"].report["totals"]["snippets"]
    assert (totals["passed"], totals["parsed"] > 0) == (0, True)


def test_every_foreign_fence_has_one_verdict(foreign_runs: dict[str, Run]) -> None:
    for run in foreign_runs.values():
        totals = run.report["totals"]
        ids = [record["id"] for record in run.records]
        assert len(set(ids)) == len(ids) == totals["fences"] == sum(totals["snippets"].values())


def test_nothing_is_left_behind(foreign_runs: dict[str, Run]) -> None:
    for run in foreign_runs.values():
        assert (run.left_processes, run.left_files) == ((), ())


def test_the_table_and_the_summary_count_what_is_parsed(bench: Bench, tmp_path: Path) -> None:
    needs = fence("session.commit()")
    write_skill(tmp_path / "skill", "## One\n\n" + passes() + needs + needs)
    run = bench.run(["verify", "skill", "--run", "possible"], tmp_path)
    assert run.status == 0, run.text
    assert re.search(r"^section +passed +parsed +failed +not run +seconds$", run.out, re.M), run.out
    assert re.search(r"^SKILL#one +1 +2 +0 +0 +\d\.\d\d$", run.out, re.M), run.out
    assert "3 fences: 1 passed, 2 parsed, 0 failed, 0 not run" in run.out
    assert "  2 parsed: nothing here defines session" in run.out


def test_a_variable_of_the_environment_that_is_used_as_a_name_is_explained(
    bench: Bench, tmp_path: Path
) -> None:
    write_skill(tmp_path / "skill", fence("print(DATABASE_URL)"))
    run = bench.run(["verify", "skill", "--run", "possible"], tmp_path)
    assert (
        "nothing here defines DATABASE_URL "
        '(a variable of the environment: os.environ["DATABASE_URL"])'
    ) in run.out


def test_pytest_counts_what_is_parsed_apart(bench: Bench, tmp_path: Path) -> None:
    write_skill(tmp_path / "skill", fence("session.commit()"))
    run = bench.run(["verify", "skill", "--run", "possible"], tmp_path)
    assert re.search(r"1 passed, 1 parsed in", run.out), run.out  # the front matter has passed


@pytest.mark.parametrize("option", [[], ["--run", "all"]], ids=["skill.yaml", "--run all"])
def test_a_pack_must_run_unless_it_is_told_not_to(
    bench: Bench, tmp_path: Path, option: list[str]
) -> None:
    run_key = {"run": "parse"} if option else {}
    root = write_pack(tmp_path / "pack", run_key, fence("session.commit()"))
    report = root / "out.json"
    run = bench.run(["verify", *option, "--report", report], root, report=report)
    assert (run.status, run.verdicts) == (1, {"SKILL#top/1": "failed"})
    assert "name 'session' is not defined" in run.out


def test_a_manifest_can_say_that_nothing_is_executed(bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "log"
    text = notes("python", log) + fence(f"echo bash >> {log}", "bash")
    root = write_pack(tmp_path / "pack", {"run": "parse"}, text)
    report = root / "out.json"
    run = bench.run(["verify", "--report", report], root, report=report)
    assert (run.status, set(run.verdicts.values()), lines(log)) == (0, {"parsed"}, [])


def test_sql_that_is_parsed_is_not_executed(bench: Bench, tmp_path: Path) -> None:
    create = fence("CREATE TABLE t (id int);", "sql")
    write_skill(tmp_path / "skill", create + create)
    report = tmp_path / "out.json"
    run = bench.run(
        ["verify", "skill", "--run", "parse", "--report", report], tmp_path, report=report
    )
    # Executed, the second one would fail.
    assert (run.status, list(run.verdicts.values())) == (0, ["parsed", "parsed"])


def test_a_fixture_supplies_a_name(bench: Bench, tmp_path: Path) -> None:
    root = write_pack(
        tmp_path / "pack",
        {"run": "possible", "fixtures": "fixtures.py"},
        fence("answer  # -> 42") + fence("other + answer"),
    )
    fixture = "import pytest\n\n@pytest.fixture\ndef answer():\n    return 42\n"
    (root / "fixtures.py").write_text(fixture)
    report = root / "out.json"
    run = bench.run(["verify", "--report", report], root, report=report)
    assert list(run.verdicts.values()) == ["passed", "parsed"]


def test_what_is_not_executed_needs_no_server(bench: Bench, tmp_path: Path) -> None:
    text = fence("import os\nos.environ['DATABASE_URL']")
    write_skill(tmp_path / "skill", text)
    url = "postgresql://127.0.0.1:1/x"
    run = bench.run(["verify", "skill", "--run", "parse", "--server", url], tmp_path)
    assert run.status == 0, run.text


def test_sql_is_not_parsed_without_a_server(bench: Bench, tmp_path: Path) -> None:
    write_skill(tmp_path / "skill", SQL)
    url = "postgresql://127.0.0.1:1/x"
    run = bench.run(["verify", "skill", "--run", "parse", "--server", url], tmp_path)
    assert run.status == 3, run.text


def test_another_value_of_run_is_a_usage_error(bench: Bench, tmp_path: Path) -> None:
    root = write_pack(tmp_path / "pack", {"run": "some"}, passes())
    run = bench.run(["verify"], root)
    assert run.status == 2
    assert "skill.yaml:6: run: 'some' is not one of ['all', 'possible', 'parse']" in run.err


def test_the_printed_command_keeps_what_is_executed(bench: Bench, tmp_path: Path) -> None:
    write_skill(tmp_path / "skill", fence("def"))
    run = bench.run(["verify", "skill", "--run", "parse"], tmp_path)
    assert "verify skill/SKILL.md::top::1 --run parse" in run.out


def test_fences_in_another_language_do_not_count_against_the_budget(
    bench: Bench, tmp_path: Path
) -> None:
    manifest = {"run": "possible", "budgets": {"not_run": 0}}
    root = write_pack(tmp_path / "pack", manifest, passes() + fence("let x = 1", "js"))
    run = bench.run(["verify"], root)
    assert (run.status, "budget" in run.text) == (0, False)


def test_skills_beside_each_other_are_all_checked(bench: Bench, tmp_path: Path) -> None:
    root = write_pack(tmp_path / "pack", text=passes())
    for name in ("first", "second", "third"):
        write_skill(root / "skills" / name, passes())
    write_pack(root, {"skills": [f"skills/{name}" for name in ("first", "second", "third")]})
    run = bench.run(["verify"], root)
    assert (run.status, "Traceback" in run.text, "3 fences: 3 passed" in run.out) == (
        0,
        False,
        True,
    )
