"""Which fences a command runs."""

from __future__ import annotations

from pathlib import Path

from engine_runs import (
    PYTEST,
    Bench,
    fence,
    lines,
    notes,
    passes,
    write_pack,
    write_skill,
)


def test_a_fence_of_a_file_is_named_by_section_and_number(
    bench: Bench, logged: tuple[Path, Path]
) -> None:
    root, _ = logged
    report = root / "out.json"
    run = bench.run(
        ["verify", "skills/pack/SKILL.md::two::2", "--report", report], root, report=report
    )
    assert (run.status, run.verdicts) == (0, {"SKILL#two/2": "passed"})


def test_fences_that_are_not_selected_run_only_ahead_of_a_selected_one(
    bench: Bench, logged: tuple[Path, Path]
) -> None:
    root, log = logged
    bench.run(["verify", "skills/pack/SKILL.md::two::2"], root)
    assert lines(log) == ["Two 1", "Two 2"]


def test_several_fences_can_be_named(bench: Bench, logged: tuple[Path, Path]) -> None:
    root, log = logged
    file = "skills/pack/SKILL.md"
    assert bench.run(["verify", f"{file}::one::1", f"{file}::two::1"], root).status == 0
    assert lines(log) == ["One 1", "Two 1"]


def test_paths_of_two_packs_are_a_usage_error(bench: Bench, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_pack(tmp_path / name, text=passes())
    run = bench.run(["verify", "one", "two"], tmp_path)
    assert (run.status, run.out) == (2, "")
    assert f"{tmp_path}/one and {tmp_path}/two are packs of their own" in run.err


def test_a_section_is_selected_by_its_heading(bench: Bench, logged: tuple[Path, Path]) -> None:
    root, log = logged
    assert bench.run(["verify", "-k", "Two"], root).status == 0
    assert lines(log) == ["Two 1", "Two 2", "Two 3"]


def test_a_file_is_found_to_be_of_the_pack_above_it(
    bench: Bench, logged: tuple[Path, Path], tmp_path: Path
) -> None:
    root, log = logged
    run = bench.run(["verify", root / "skills" / "pack" / "SKILL.md"], tmp_path)
    assert (run.status, len(lines(log))) == (0, 6)
    assert run.out.startswith("pack 1.0.0")


def test_a_number_that_does_not_exist_is_a_usage_error(
    bench: Bench, logged: tuple[Path, Path]
) -> None:
    root, _ = logged
    run = bench.run(["verify", "skills/pack/SKILL.md::two::9"], root)
    assert run.status == 2
    assert "SKILL.md::two::9" in run.text


def test_an_expression_that_matches_nothing_is_a_usage_error(
    bench: Bench, logged: tuple[Path, Path]
) -> None:
    root, log = logged
    run = bench.run(["verify", "-k", "nonsense"], root)
    assert run.status == 2
    assert "nothing matches -k 'nonsense'" in run.err
    assert lines(log) == []


def test_collecting_runs_nothing(bench: Bench, logged: tuple[Path, Path]) -> None:
    root, log = logged
    run = bench.run([".", "--collect-only", "-q"], root, command=PYTEST)
    assert run.status == 0
    assert "SKILL.md::two::3" in run.out
    assert lines(log) == []


def test_the_first_failure_stops_a_run_on_request(bench: Bench, tmp_path: Path) -> None:
    root = write_pack(tmp_path / "pack", text=fence("1  # -> 2") + fence("1  # -> 3"))
    report = root / "out.json"
    run = bench.run(["verify", "-x", "--report", report], root, report=report)
    assert (run.status, run.verdicts) == (1, {"SKILL#top/1": "failed"})


def test_a_run_that_stops_does_not_wait_for_other_sections(bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "log"
    wait = f"import os\nwhile not os.path.exists({str(log)!r}):\n    pass\n1  # -> 2"
    endless = notes("B", log) + fence("import time\ntime.sleep(6000)")
    text = "## A\n\n" + fence(wait) + "## B\n\n" + endless
    root = write_pack(tmp_path / "pack", {"limits": {"seconds": 6000}}, text)
    run = bench.run(["verify", "-x", "--jobs", "2"], root)
    assert (run.status, run.left_processes, run.left_files) == (1, (), ())


def test_sections_run_in_the_order_of_the_text_with_one_job(
    bench: Bench, logged: tuple[Path, Path]
) -> None:
    root, log = logged
    assert bench.run(["verify", "--jobs", "1"], root).status == 0
    order = [f"{title} {n}" for title in ("One", "Two") for n in (1, 2, 3)]
    assert log.read_text().splitlines() == order


def test_only_what_failed_last_time_runs_again_on_request(bench: Bench, tmp_path: Path) -> None:
    root = write_pack(tmp_path / "pack", text=passes() + fence("1  # -> 2") + passes())
    report = root / "out.json"
    bench.run(["verify"], root)
    run = bench.run(["verify", "--lf", "--report", report], root, report=report)
    assert (run.status, run.verdicts) == (1, {"SKILL#top/2": "failed"})


def test_the_last_failures_of_a_skill_without_manifest_run_again_on_request(
    bench: Bench, tmp_path: Path
) -> None:
    skill = write_skill(tmp_path / "skill", passes() + fence("1  # -> 2"))
    report = tmp_path / "out.json"
    bench.run(["verify", "skill"], tmp_path)
    run = bench.run(["verify", "skill", "--lf", "--report", report], tmp_path, report=report)
    assert run.status == 1
    assert "SKILL#top/2" in run.verdicts
    assert skill.is_dir()


def test_a_skill_without_manifest_is_not_written_to(bench: Bench, tmp_path: Path) -> None:
    skill = write_skill(tmp_path / "skill", passes())
    before = sorted(skill.rglob("*"))
    assert bench.run(["verify", "skill"], tmp_path).status == 0
    assert sorted(skill.rglob("*")) == before
