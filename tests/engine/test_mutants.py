"""``proveskill mutants``: values that a proof looks at, and values that it does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from engine_runs import Bench, Run
from proof_runs import write_proof_pack

LOOKS = """\
from proveskill import proves


@proves("The answer is {answer}.")
def test_answer(answer: int) -> None:
    assert answer == 42


@proves("{name} is raised, {really}, since {version}.")
def test_words(name: str, really: bool, version: str) -> None:
    assert (name, really, version) == ("KeyError", True, "1.2.3")


@proves("`{key}` | {value}")
def test_rows(key: str, value: str) -> None:
    assert {"a": "fast", "b": "slow"}[key] == value
"""
TEXT = """\
The answer is 42. KeyError is raised, yes, since 1.2.3.

| key | value |
|---|---|
| `a` | fast |
| `b` | slow |
"""
BLIND = """\
from proveskill import proves


@proves("There are {count} of {total}.")
def test_count(count: int, total: int) -> None:
    assert count == 3
"""


def mutants(bench: Bench, root: Path, *more: str) -> tuple[Run, list[dict[str, Any]]]:
    report = root / "mutants.json"
    run = bench.run(["mutants", ".", "--report", report, *more], root, report=report)
    return run, run.report.get("mutants", [])


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


def test_a_value_that_nobody_looks_at_survives_and_is_named(bench: Bench, tmp_path: Path) -> None:
    run, found = mutants(bench, write_proof_pack(tmp_path / "p", BLIND, "There are 3 of 9.\n"))
    assert run.status == 1
    survivors = [(m["field"], m["new"]) for m in found if m["fate"] == "survived"]
    assert survivors == [("total", "10"), ("total", "18")]
    assert "SKILL.md:5: SURVIVED: total '9' -> '10' (number)" in run.out
    assert "There are 3 of 9." in run.out
    assert "4 mutants of 1 proofs: 2 killed (50.0%), 2 survived, 2 of them without" in run.out


def test_a_survivor_with_a_reason_is_equivalent(bench: Bench, tmp_path: Path) -> None:
    root = write_proof_pack(
        tmp_path / "p", BLIND, "There are 3 of 9.\n", equivalents="proofs/equivalents.yaml"
    )
    entries = [
        {"proof": "test_count", "field": "total", "old": "9", "new": new, "reason": "who cares"}
        for new in ("10", "18")
    ]
    (root / "proofs" / "equivalents.yaml").write_text(json.dumps(entries))
    run, _ = mutants(bench, root)
    assert run.status == 0
    assert "equivalent: who cares" in run.out


def test_a_listed_mutant_that_is_killed_is_stale(bench: Bench, tmp_path: Path) -> None:
    root = write_proof_pack(tmp_path / "p", LOOKS, TEXT, equivalents="proofs/equivalents.yaml")
    entry = {"proof": "test_answer", "field": "answer", "old": "42", "new": "43", "reason": "no"}
    (root / "proofs" / "equivalents.yaml").write_text(json.dumps([entry]))
    run, _ = mutants(bench, root)
    assert run.status == 1
    assert "remove test_answer, answer: '42' -> '43': it is killed" in run.out


def test_a_proof_that_does_not_hold_alone_is_told(bench: Bench, tmp_path: Path) -> None:
    run, _ = mutants(bench, write_proof_pack(tmp_path / "p", BLIND, "There are 4 of 9.\n"))
    assert run.status == 1
    assert "proofs/test_it.py::test_count does not hold when it is run alone: assert 4 == 3" in (
        run.out
    )


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
