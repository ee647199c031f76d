"""What ``proveskill mutants`` remembers of earlier runs, and what makes it try again."""

from __future__ import annotations

import os
from pathlib import Path

import yaml
from engine_runs import Bench
from mutant_runs import LOOKS, TEXT, mutants
from proof_runs import write_proof_pack


def test_what_was_tried_is_remembered_until_its_module_changes(
    bench: Bench, tmp_path: Path
) -> None:
    root = write_proof_pack(tmp_path / "p", LOOKS, TEXT)
    first, _ = mutants(bench, root)
    assert "9 known from earlier runs" not in first.out
    again, _ = mutants(bench, root)
    assert "9 known from earlier runs" in again.out
    fresh, _ = mutants(bench, root, "--fresh")
    assert "9 known from earlier runs" not in fresh.out
    (root / "proofs" / "test_it.py").write_text(LOOKS + "\n# changed\n")
    changed, _ = mutants(bench, root)
    assert "9 known from earlier runs" not in changed.out


def test_a_run_whose_time_is_up_says_how_to_go_on(bench: Bench, tmp_path: Path) -> None:
    run, found = mutants(bench, write_proof_pack(tmp_path / "p", LOOKS, TEXT), "--seconds", "0")
    assert run.status == 1
    assert {mutant["fate"] for mutant in found} == {"untried"}
    assert "run the command again to go on" in run.out


def test_a_changed_tool_of_the_proofs_makes_it_try_again(bench: Bench, tmp_path: Path) -> None:
    root = write_proof_pack(tmp_path / "p", LOOKS, TEXT)
    tools = root / "proofs" / "tools.py"
    tools.write_text("ANSWER = 42\n")
    mutants(bench, root)
    assert "9 known from earlier runs" in mutants(bench, root)[0].out
    tools.write_text("ANSWER = 43\n")
    assert "known from earlier runs" not in mutants(bench, root)[0].out


def test_another_version_of_what_the_pack_is_about_makes_it_try_again(
    bench: Bench, tmp_path: Path
) -> None:
    root = write_proof_pack(tmp_path / "p", LOOKS, TEXT)
    manifest = root / "skill.yaml"
    fields = yaml.safe_load(manifest.read_text())
    manifest.write_text(yaml.safe_dump(fields | {"versions": {"subject": "1.0"}}))
    installed = tmp_path / "installed" / "subject-1.dist-info" / "METADATA"
    installed.parent.mkdir(parents=True)
    path = os.pathsep.join([str(tmp_path / "installed"), os.environ.get("PYTHONPATH", "")])

    def remembers(version: str) -> bool:
        installed.write_text(f"Metadata-Version: 2.1\nName: subject\nVersion: {version}\n")
        run = bench.run(["mutants", "."], root, PYTHONPATH=path)
        assert run.status == 0, run.text
        return "9 known from earlier runs" in run.out

    assert [remembers(version) for version in ("1.0", "1.0", "2.0", "2.0")] == [
        False, True, False, True
    ]  # fmt: skip


def test_another_variant_of_the_pack_makes_it_try_again(bench: Bench, tmp_path: Path) -> None:
    root = write_proof_pack(tmp_path / "p", LOOKS, TEXT)
    manifest = root / "skill.yaml"
    fields = yaml.safe_load(manifest.read_text())
    manifest.write_text(yaml.safe_dump(fields | {"adapters": {"slow": {}, "fast": {}}}))
    mutants(bench, root, "--adapter", "slow")
    assert "known from" not in mutants(bench, root, "--adapter", "fast")[0].out
    assert "9 known from earlier runs" in mutants(bench, root, "--adapter", "slow")[0].out


SIDES = """\
from proveskill import proves
from tools import KNOWN


@proves("It has {sides} sides.")
def test_sides(sides: int) -> None:
    assert sides in KNOWN
"""


def test_modules_of_one_name_in_two_folders_are_told_apart(bench: Bench, tmp_path: Path) -> None:
    root = write_proof_pack(
        tmp_path / "p", {"strict/it": SIDES, "blind/it": SIDES}, "It has 4 sides.\n"
    )
    (root / "proofs" / "strict" / "tools.py").write_text("KNOWN = {4}\n")
    (root / "proofs" / "blind" / "tools.py").write_text("KNOWN = range(100)\n")
    for known in ("", "4 known from earlier runs"):
        run, found = mutants(bench, root)
        assert {(m["proof"], m["fate"]) for m in found} == {
            ("proofs/strict/test_it.py::test_sides", "killed"),
            ("proofs/blind/test_it.py::test_sides", "survived"),
        }
        assert "4 mutants of 2 proofs: " in run.out
        assert known in run.out
