"""``proveskill matrix``: sets of versions, what breaks in them, and since which release."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_runs import Bench, fence, wait_until, write_pack
from matrix_packs import (
    PINNED,
    Registry,
    change_matrix,
    firsts,
    verdicts,
    write_matrix_pack,
)

PIN, NEW = {"pinned": {}}, {"newest": {"packages": "newest"}}


def test_the_release_that_breaks_an_item_is_found_for_each_item(
    bench: Bench, tmp_path: Path, registry: Registry
) -> None:
    root = write_matrix_pack(tmp_path / "pack", PIN | NEW, "middle", "late", "always")
    run = registry.matrix(bench, root)
    assert run.status == 1
    assert verdicts(run) == {"pinned": "holds", "newest": "breaks"}
    assert firsts(run) == {
        "middle": {"toy": {"holds": PINNED, "breaks": "2.0"}},
        "late": {"toy": {"holds": "2.0", "breaks": "2.1"}},
    }
    assert "newest: breaks from toy 2.0 on, holds with 1.2" in run.out
    assert "expected -> 1, observed 0 (int)" in run.out
    assert (run.left_processes, run.left_files) == ((), ())


def test_an_item_that_breaks_in_an_older_release_holds_from_the_next_one_on(
    bench: Bench, tmp_path: Path, registry: Registry
) -> None:
    oldest = {"oldest": {"packages": {"toy": "1.0"}}}
    root = write_matrix_pack(tmp_path / "pack", PIN | oldest, "early", "always")
    run = registry.matrix(bench, root)
    assert run.status == 1
    assert firsts(run) == {"early": {"toy": {"holds": "1.1", "breaks": "1.0"}}}
    assert "oldest: holds from toy 1.1 on, not with 1.0" in run.out


def test_where_all_holds_the_exit_status_is_0(
    bench: Bench, tmp_path: Path, registry: Registry
) -> None:
    root = write_matrix_pack(tmp_path / "pack", PIN | NEW, "always")
    run = registry.matrix(bench, root)
    assert (run.status, run.report["ok"], run.report["breaks"]) == (0, True, [])
    assert verdicts(run) == {"pinned": "holds", "newest": "holds"}
    found = {record["name"]: record["packages"]["toy"] for record in run.report["sets"]}
    assert found == {"pinned": PINNED, "newest": "2.1"}


def test_only_the_sets_that_are_named_are_run_and_compared_with_the_first(
    bench: Bench, tmp_path: Path, registry: Registry
) -> None:
    root = write_matrix_pack(tmp_path / "pack", PIN | NEW, "middle")
    run = registry.matrix(bench, root, "--set", "newest")
    assert verdicts(run) == {"newest": "breaks"}
    assert firsts(run) == {"middle": {"toy": {"holds": PINNED, "breaks": "2.0"}}}


def test_without_bisection_an_item_just_breaks(
    bench: Bench, tmp_path: Path, registry: Registry
) -> None:
    root = write_matrix_pack(tmp_path / "pack", PIN | NEW, "middle")
    run = registry.matrix(bench, root, "--no-bisect")
    assert (run.status, firsts(run)) == (1, {"middle": None})


def test_an_item_that_breaks_in_the_first_set_is_said_to_break_there_too(
    bench: Bench, tmp_path: Path, registry: Registry
) -> None:
    root = write_matrix_pack(tmp_path / "pack", PIN | NEW, "always")
    skill = root / "skills" / "pack" / "SKILL.md"
    skill.write_text(skill.read_text() + fence("1  # -> 2"))
    run = registry.matrix(bench, root)
    assert run.status == 1
    assert [(b["set"], b["everywhere"]) for b in run.report["breaks"]] == [
        ("pinned", False), ("newest", True),
    ]  # fmt: skip
    assert "newest: breaks in the first set, too" in run.out


def test_what_fails_and_then_holds_alone_is_unsteady_and_no_break(
    bench: Bench, tmp_path: Path, registry: Registry
) -> None:
    root = write_matrix_pack(tmp_path / "pack", PIN, "always")
    mark = tmp_path / "mark"
    skill = root / "skills" / "pack" / "SKILL.md"
    once = f"import pathlib\nmark = pathlib.Path({str(mark)!r})\nseen = mark.exists()\n"
    skill.write_text(skill.read_text() + fence(f"{once}mark.touch()\nseen  # -> True"))
    run = registry.matrix(bench, root)
    assert (run.status, run.report["breaks"]) == (0, [])
    assert "unsteady in pinned, failed and then held alone: SKILL#always/2" in run.out


def test_a_set_that_cannot_be_installed_is_a_row_with_its_reason(
    bench: Bench, tmp_path: Path, registry: Registry
) -> None:
    sets = {
        "none": {"packages": {"toy": "9.9"}}, "old": {"python": "3.99"}, "pinned": {},
    }  # fmt: skip
    root = write_matrix_pack(tmp_path / "pack", sets, "always")
    run = registry.matrix(bench, root)
    assert run.status == 1
    assert verdicts(run) == {"none": "not_run", "old": "not_run", "pinned": "holds"}
    assert "none    not run: cannot be installed: " in run.out
    assert "toy==9.9" in run.report["sets"][0]["reason"]
    assert "3.99" in run.report["sets"][1]["reason"]


def test_an_optional_set_may_be_left_out(bench: Bench, tmp_path: Path, registry: Registry) -> None:
    sets = {**PIN, "none": {"packages": {"toy": "9.9"}, "optional": True}}
    root = write_matrix_pack(tmp_path / "pack", sets, "always")
    run = registry.matrix(bench, root)
    assert (run.status, verdicts(run)) == (0, {"pinned": "holds", "none": "not_run"})


def test_a_server_that_cannot_be_started_is_a_row_with_its_reason(
    bench: Bench, tmp_path: Path, registry: Registry
) -> None:
    here = {"server": "postgresql://nobody@127.0.0.1:1/nothing"}
    root = write_matrix_pack(tmp_path / "pack", {"pinned": {}, "there": here}, "always")
    skill = root / "skills" / "pack" / "SKILL.md"
    skill.write_text(skill.read_text() + fence("SELECT 1;", "sql"))
    run = registry.matrix(bench, root, "--set", "there")
    assert (run.status, verdicts(run)) == (1, {"there": "not_run"})
    assert "cannot be verified: " in run.report["sets"][0]["reason"]
    assert "127.0.0.1" in run.report["sets"][0]["reason"]


def test_the_lock_keeps_other_packages_and_their_release_that_breaks_an_item_is_found(
    bench: Bench, tmp_path: Path, registry: Registry
) -> None:
    sets = {**PIN, "free": {"lock": False}}
    root = write_matrix_pack(tmp_path / "pack", sets, "always", lock="lock.txt")
    (root / "lock.txt").write_text("toy-helper==1.0\n")
    skill = root / "skills" / "pack" / "SKILL.md"
    skill.write_text(skill.read_text() + fence("from toy_helper import number\nnumber()  # -> 1"))
    run = registry.matrix(bench, root)
    assert verdicts(run) == {"pinned": "holds", "free": "breaks"}
    assert firsts(run) == {"always": {"toy-helper": {"holds": None, "breaks": "1.1"}}}
    assert "free: breaks with toy-helper 1.1" in run.out


def test_the_report_is_a_page_too(bench: Bench, tmp_path: Path, registry: Registry) -> None:
    root = write_matrix_pack(tmp_path / "pack", PIN | NEW, "middle")
    registry.matrix(bench, root, "--markdown", "drift.md")
    page = (root / "drift.md").read_text()
    assert page.startswith("# pack 1.0.0: something breaks\n")
    assert "| set | Python | PostgreSQL | toy | fences | " in page
    assert "## newest: breaks from toy 2.0 on, holds with 1.2\n" in page
    assert "| `SKILL#middle/1` | skills/pack/SKILL.md:" in page


@pytest.mark.parametrize("moment", ["verifying", "installing"])
def test_ctrl_c_ends_a_run_and_nothing_is_left(
    bench: Bench, tmp_path: Path, registry: Registry, moment: str
) -> None:
    root = write_matrix_pack(tmp_path / "pack", PIN, "always")
    mark = tmp_path / "mark"
    skill = root / "skills" / "pack" / "SKILL.md"
    endless = f"open({str(mark)!r}, 'w').close()\nimport time\ntime.sleep(600)"
    skill.write_text(skill.read_text() + fence(endless) + fence("SELECT 1;", "sql"))
    environment = registry.environment
    if moment == "installing":
        environment |= {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    process, run_mark = bench.start(["matrix"], root, **environment)
    if moment == "installing":
        wait_until(lambda: list(tmp_path.glob("cache/proveskill/matrix/*.lock")), "an environment")
    else:
        wait_until(mark.exists, "the endless fence")
    process.send_signal(2)
    run = bench.finish(process, run_mark, root)
    assert (run.status, run.left_processes, run.left_files) == (130, (), ())
    assert "interrupted: nothing is reported" in run.err
    assert "Traceback" not in run.text


def test_a_pack_without_sets_is_a_usage_error(bench: Bench, tmp_path: Path) -> None:
    root = write_pack(tmp_path / "pack", text=fence("1  # -> 1"))
    run = bench.run(["matrix", "."], root)
    assert run.status == 2
    assert f"{root}/skill.yaml: there are no sets of versions (key 'matrix')" in run.err


def test_a_set_that_is_not_there_is_a_usage_error(bench: Bench, tmp_path: Path) -> None:
    root = write_matrix_pack(tmp_path / "pack", PIN | NEW, "always")
    run = bench.run(["matrix", ".", "--set", "new"], root)
    assert run.status == 2
    assert "skill.yaml: no set 'new'; known: pinned, newest" in run.err


WRONG = {
    "another type": ({"sets": {"a": {"python": 3.12}}}, "matrix.sets.a.python: 3.12"),
    "another key": ({"sets": {"a": {"pyhton": "3.12"}}}, "did you mean 'python'?"),
    "no set": ({"sets": {}}, "matrix.sets: "),
    "no requirement": ({"requires": ["a b"]}, "matrix.requires.0: 'a b' is no requirement"),
    "no version": (
        {"sets": {"a": {"packages": {"toy": "new"}}}}, "matrix.sets.a.packages.toy: 'toy==new'",
    ),
    "no lock": ({"lock": "lock.txt"}, "matrix.lock: no such file: lock.txt"),
    "no adapter": ({"adapter": "both"}, "no adapter 'both'"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_matrix_is_a_usage_error_at_its_line(
    bench: Bench, tmp_path: Path, name: str
) -> None:
    root = write_matrix_pack(tmp_path / "pack", PIN, "always")
    changes, says = WRONG[name]
    change_matrix(root, **changes)
    run = bench.run(["matrix", "."], root)
    assert (run.status, run.out) == (2, "")
    assert says in run.err
    assert "skill.yaml:" in run.err
