"""``proveskill mutants``: values that a proof looks at, and values that it does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_runs import Bench
from mutant_runs import BLIND, LOOKS, TEXT, mutants
from proof_runs import write_proof_pack


def test_values_that_are_looked_at_are_killed(bench: Bench, tmp_path: Path) -> None:
    run, found = mutants(bench, write_proof_pack(tmp_path / "p", LOOKS, TEXT))
    assert run.status == 0, run.text
    assert {mutant["fate"] for mutant in found} == {"killed"}
    assert "killed (100.0%), 0 survived" in run.out
    assert run.left_processes == run.left_files == ()


def test_each_kind_of_value_is_changed_in_its_way(bench: Bench, tmp_path: Path) -> None:
    _, found = mutants(bench, write_proof_pack(tmp_path / "p", LOOKS, TEXT))
    changes = {(m["kind"], m["old"], m["new"]) for m in found}
    assert changes == {
        ("number", "42", "43"),
        ("number", "42", "84"),
        ("error class", "KeyError", "LookupError"),
        ("boolean", "yes", "no"),
        ("version", "1.2.3", "1.2.4"),
        ("word", "a", "b"),
        ("word", "b", "a"),
        ("word", "fast", "slow"),
        ("word", "slow", "fast"),
    }


def test_numbers_stay_written_as_they_are(bench: Bench, tmp_path: Path) -> None:
    source = BLIND.replace("{count} of {total}", "{count}, {total}, {rest}").replace(
        "total: int)", "total: float, rest: int)"
    )
    root = write_proof_pack(tmp_path / "p", source, "There are 1,000, 0.25, 2_000.\n")
    (root / "proofs" / "test_it.py").write_text(source.replace("count == 3", "count == 1000"))
    _, found = mutants(bench, root)
    assert [m["new"] for m in found] == ["1,001", "2,000", "0.26", "0.50", "2_001", "4_000"]


def test_a_report_that_could_not_be_written_is_refused_before_anything_is_tried(
    bench: Bench, tmp_path: Path
) -> None:
    root = write_proof_pack(tmp_path / "p", LOOKS, TEXT)
    run = bench.run(["mutants", "--report", "nowhere/mutants.json"], root)
    assert (run.status, run.out) == (2, "")
    assert run.err == "error: cannot write the report nowhere/mutants.json: no such folder\n"


def test_a_value_that_nobody_looks_at_survives_and_is_named(bench: Bench, tmp_path: Path) -> None:
    run, found = mutants(bench, write_proof_pack(tmp_path / "p", BLIND, "There are 3 of 9.\n"))
    assert run.status == 1
    survivors = [(m["field"], m["new"]) for m in found if m["fate"] == "survived"]
    assert survivors == [("total", "10"), ("total", "18")]
    assert "SKILL.md:5: SURVIVED: total '9' -> '10' (number)" in run.out
    assert "There are 3 of 9." in run.out
    assert "4 mutants of 1 proofs: 2 killed (50.0%), 2 survived, 2 of them without" in run.out


def test_a_proof_that_does_not_hold_alone_is_told(bench: Bench, tmp_path: Path) -> None:
    run, _ = mutants(bench, write_proof_pack(tmp_path / "p", BLIND, "There are 4 of 9.\n"))
    assert run.status == 1
    assert "proofs/test_it.py::test_count does not hold when it is run alone: assert 4 == 3" in (
        run.out
    )


def test_k_tries_only_matching_proofs(bench: Bench, tmp_path: Path) -> None:
    run, found = mutants(bench, write_proof_pack(tmp_path / "p", LOOKS, TEXT), "-k", "answer")
    assert run.status == 0
    assert {mutant["proof"] for mutant in found} == {"proofs/test_it.py::test_answer"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mutants", ".", "-k", "nowhere"], "no proof matches -k 'nowhere'"),
        (["mutants", "elsewhere"], "no such file or folder"),
        (["mutants", ".", "--adapter", "x"], "no adapter 'x'"),
    ],
)
def test_wrong_use_is_explained(
    bench: Bench, tmp_path: Path, arguments: list[str], message: str
) -> None:
    run = bench.run(arguments, write_proof_pack(tmp_path / "p", LOOKS, TEXT))
    assert run.status == 2
    assert message in run.err


def test_a_pack_without_proofs_has_no_mutants(bench: Bench, tmp_path: Path) -> None:
    root = write_proof_pack(tmp_path / "p", LOOKS, TEXT)
    (root / "skill.yaml").unlink()
    run = bench.run(["mutants", "skills/p"], root)
    assert run.status == 2
    assert "there are no proofs" in run.err


def test_a_module_that_cannot_be_preloaded_is_explained(bench: Bench, tmp_path: Path) -> None:
    root = write_proof_pack(tmp_path / "p", LOOKS, TEXT)
    manifest = root / "skill.yaml"
    manifest.write_text(manifest.read_text() + "preload: [no_such_module_here]\n")
    run = bench.run(["mutants", "."], root)
    assert run.status == 2
    assert "error: cannot prepare the workers: " in run.err
    assert "No module named 'no_such_module_here'" in run.err
    assert "Traceback" not in run.text
    assert run.left_processes == run.left_files == ()
