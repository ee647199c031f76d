"""Where a pack must tell its readers from which version on something holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from engine_runs import Bench, Run, passes, write_pack

SAYS = "needs toy 2.0"
SENTENCE = f"This {SAYS}.\n\n"


def write_told_pack(root: Path, text: str, more: str = "", **changes: Any) -> Path:
    """Make a pack with a reference, ``more.md``; its section ``new`` is known to break."""
    entry = {"items": ["more#new/1"], "sets": ["old"], "reason": "it came later"}
    entry |= {"holds": "toy>=2.0", "says": SAYS} | changes
    sets = {"new": {"packages": {"toy": "2.0"}}, "old": {"packages": {"toy": "1.0"}}}
    matrix = {"sets": sets, "breaks": [entry]}
    write_pack(root, {"matrix": matrix}, text)
    reference = root / "skills" / root.name / "references" / "more.md"
    reference.parent.mkdir(exist_ok=True)
    reference.write_text(f"# More\n\n{more}")
    return root


def verify(bench: Bench, root: Path, *more: str) -> Run:
    report = root / "report.json"
    return bench.run(["verify", ".", "--report", report, *more], root, report=report)


NEW, OTHER = f"## New\n\n{passes()}", f"## Other\n\n{passes()}"
TOLD = {
    "in its section": ("", f"{OTHER}{NEW}{SENTENCE}"),
    "at the top of its file": ("", f"{SENTENCE}{OTHER}{NEW}"),
    "in SKILL.md": (SENTENCE, f"{OTHER}{NEW}"),
    "in a section of SKILL.md": (f"## Versions\n\n{SENTENCE}", NEW),
}


@pytest.mark.parametrize("place", TOLD)
def test_a_version_may_be_said_where_a_reader_of_the_item_comes_by(
    bench: Bench, tmp_path: Path, place: str
) -> None:
    run = verify(bench, write_told_pack(tmp_path / "pack", *TOLD[place]))
    assert (run.status, run.report["problems"]) == (0, [])


def test_a_version_that_only_another_section_says_fails_the_run(
    bench: Bench, tmp_path: Path
) -> None:
    root = write_told_pack(tmp_path / "pack", "", f"{NEW}{OTHER}{SENTENCE}")
    run = verify(bench, root)
    assert run.status == 1
    (problem,) = run.report["problems"]
    assert problem.startswith(f"{root}/skill.yaml:")
    assert "matrix.breaks.0.says: more#new/1 holds with toy>=2.0 only, but neither" in problem
    assert problem in run.out


def test_each_section_with_such_an_item_must_say_its_version(bench: Bench, tmp_path: Path) -> None:
    more = f"{NEW}{SENTENCE}{OTHER}"
    root = write_told_pack(tmp_path / "pack", "", more, items=["more#*/1"])
    (problem,) = verify(bench, root).report["problems"]
    assert "more#other/1 holds with toy>=2.0 only" in problem


def test_a_version_that_no_sentence_says_fails_the_run(bench: Bench, tmp_path: Path) -> None:
    root = write_told_pack(tmp_path / "pack", f"## Title: {SAYS}\n\n{passes()}", NEW)
    run = verify(bench, root)
    (problem,) = run.report["problems"]
    assert run.status == 1
    assert f"no statement of the pack says {SAYS!r}" in problem


def test_an_item_that_does_not_exist_fails_the_run(bench: Bench, tmp_path: Path) -> None:
    items = ["more#new/1", "more#old/*"]
    run = verify(bench, write_told_pack(tmp_path / "pack", SENTENCE, NEW, items=items))
    (problem,) = run.report["problems"]
    assert run.status == 1
    assert "matrix.breaks.0.items.1: no fence or statement is 'more#old/*'" in problem


def test_a_sentence_that_says_a_version_is_no_advice(bench: Bench, tmp_path: Path) -> None:
    root = write_told_pack(tmp_path / "pack", SENTENCE, NEW)
    (root / "proofs").mkdir()
    advice = [{"says": f"This {SAYS}.", "reason": "a matter of taste"}]
    (root / "proofs" / "advice.yaml").write_text(yaml.safe_dump(advice))
    manifest = yaml.safe_load((root / "skill.yaml").read_text())
    manifest |= {"proofs": {"path": "proofs", "advice": "proofs/advice.yaml"}}
    manifest |= {"budgets": {"advice": 1.0}}
    (root / "skill.yaml").write_text(yaml.safe_dump(manifest))
    (problem,) = verify(bench, root).report["problems"]
    assert f"SKILL#top/s1, which says {SAYS!r}, is listed as advice: prove it" in problem


def test_a_sentence_that_says_a_version_must_hold_without_it(bench: Bench, tmp_path: Path) -> None:
    items = ["more#new/*"]
    root = write_told_pack(tmp_path / "pack", "", f"{NEW}{SENTENCE}", items=items)
    (problem,) = verify(bench, root).report["problems"]
    assert f"more#new/s1, which says {SAYS!r}, is one of the items itself" in problem


def test_a_wrong_list_of_known_breaks_fails_the_run(bench: Bench, tmp_path: Path) -> None:
    root = write_told_pack(tmp_path / "pack", SENTENCE, NEW, holds="toy")
    run = verify(bench, root)
    (problem,) = run.report["problems"]
    assert run.status == 1
    assert "matrix.breaks.0.holds: 'toy' has no version" in problem


def test_a_run_of_a_part_does_not_ask_what_the_whole_pack_says(
    bench: Bench, tmp_path: Path
) -> None:
    root = write_told_pack(tmp_path / "pack", "", f"{NEW}{OTHER}")
    assert verify(bench, root, "-k", "new").report["problems"] == []
