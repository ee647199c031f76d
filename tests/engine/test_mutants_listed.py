"""How ``proveskill mutants`` judges survivors: the list of equivalents, and the budget."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from engine_runs import Bench
from mutant_runs import BLIND, LOOKS, TEXT, mutants, set_budget, write_listed_pack
from proof_runs import write_proof_pack

SAYS = "There are 3 of 9.\n"
SURVIVORS = [
    {"proof": "test_it.py::test_count", "field": "total", "old": "9", "new": new}
    for new in ("10", "18")
]
KILLED = {"proof": "test_it.py::test_answer", "field": "answer", "old": "42", "new": "43"}
STALE = "equivalents.yaml: remove test_it.py::test_answer, answer: "


def test_a_survivor_with_a_reason_is_equivalent(bench: Bench, tmp_path: Path) -> None:
    root = write_listed_pack(tmp_path / "p", BLIND, SAYS, *SURVIVORS)
    run, _ = mutants(bench, root)
    assert run.status == 0, run.text
    assert run.out.count("equivalent: who cares") == 2


def test_a_survivor_is_excused_in_the_module_that_is_named_only(
    bench: Bench, tmp_path: Path
) -> None:
    modules = {"it": BLIND, "inner/it": BLIND}
    inner = [{**entry, "proof": f"inner/{entry['proof']}"} for entry in SURVIVORS]
    root = write_listed_pack(tmp_path / "p", modules, SAYS, *inner)
    run, _ = mutants(bench, root)
    assert run.status == 1
    assert (run.out.count("equivalent: who cares"), run.out.count("SURVIVED")) == (2, 2)
    assert "4 survived, 2 of them without a reason" in run.out


def test_too_few_killed_mutants_fail_though_all_survivors_have_a_reason(
    bench: Bench, tmp_path: Path
) -> None:
    root = write_listed_pack(tmp_path / "p", BLIND, SAYS, *SURVIVORS, killed=0.6)
    run, _ = mutants(bench, root)
    assert run.status == 1
    assert (run.report["ok"], "0 of them without a reason" in run.out) == (False, True)
    assert "error: 2 of 4 mutants are killed (50.0%), fewer than 60.0% (budgets.killed" in run.out
    set_budget(root, 0.5)
    run, _ = mutants(bench, root)
    assert (run.status, run.report["ok"]) == (0, True)


def test_95_of_100_mutants_must_be_killed_by_default(bench: Bench, tmp_path: Path) -> None:
    root = write_listed_pack(tmp_path / "p", BLIND, SAYS, *SURVIVORS)
    manifest = root / "skill.yaml"
    fields = yaml.safe_load(manifest.read_text())
    del fields["budgets"]
    manifest.write_text(yaml.safe_dump(fields))
    run, _ = mutants(bench, root)
    assert run.status == 1
    assert "fewer than 95.0%" in run.out


def test_the_budget_is_of_the_whole_pack(bench: Bench, tmp_path: Path) -> None:
    root = write_listed_pack(tmp_path / "p", BLIND, SAYS, *SURVIVORS, killed=0.6)
    run, _ = mutants(bench, root, "-k", "test_count")
    assert run.status == 0, run.text


@pytest.mark.parametrize("share", ["2", "-0.1", "most"])
def test_a_budget_that_is_no_share_is_a_usage_error(
    bench: Bench, tmp_path: Path, share: str
) -> None:
    root = write_proof_pack(tmp_path / "p", LOOKS, TEXT)
    manifest = root / "skill.yaml"
    manifest.write_text(manifest.read_text() + f"budgets:\n  killed: {share}\n")
    run = bench.run(["mutants", "."], root)
    assert run.status == 2
    line = manifest.read_text().count("\n")
    assert f"skill.yaml:{line}: budgets.killed: " in run.err


def test_a_listed_mutant_that_is_killed_is_stale(bench: Bench, tmp_path: Path) -> None:
    root = write_listed_pack(tmp_path / "p", LOOKS, TEXT, KILLED)
    run, _ = mutants(bench, root)
    assert run.status == 1
    assert f"{STALE}'42' -> '43': it is killed" in run.out


@pytest.mark.parametrize("selection", [(), ("-k", "test_rows")], ids=["all", "others"])
def test_a_listed_mutant_that_was_killed_in_an_earlier_run_is_stale(
    bench: Bench, tmp_path: Path, selection: tuple[str, ...]
) -> None:
    root = write_listed_pack(tmp_path / "p", LOOKS, TEXT, KILLED)
    mutants(bench, root)
    run, found = mutants(bench, root, *selection)
    assert run.status == 1
    assert f"{len(found)} known from earlier runs" in run.out
    assert f"{STALE}'42' -> '43': it is killed" in run.out


@pytest.mark.parametrize(
    "entry",
    [
        {**KILLED, "new": "44"},
        {**KILLED, "field": "reply"},
        {**KILLED, "proof": "test_it.py::test_reply"},
        {**KILLED, "proof": "test_that.py::test_answer"},
    ],
    ids=lambda entry: "-".join(entry.values()),
)
def test_a_listed_mutant_that_does_not_exist_is_stale(
    bench: Bench, tmp_path: Path, entry: dict[str, str]
) -> None:
    run, _ = mutants(bench, write_listed_pack(tmp_path / "p", LOOKS, TEXT, entry))
    assert run.status == 1
    assert f"remove {entry['proof']}, {entry['field']}: '42' -> '{entry['new']}': " in run.out
    assert "there is no such mutant" in run.out


@pytest.mark.parametrize(
    "selection", [("-k", "test_rows"), ("--adapter", "fast")], ids=["others", "another variant"]
)
def test_a_listed_mutant_that_nobody_has_tried_is_not_stale(
    bench: Bench, tmp_path: Path, selection: tuple[str, ...]
) -> None:
    source = LOOKS.replace('answer}."', 'answer}.", adapter="slow"')
    root = write_listed_pack(tmp_path / "p", source, TEXT, KILLED)
    manifest = root / "skill.yaml"
    fields = yaml.safe_load(manifest.read_text()) | {"adapters": {"slow": {}, "fast": {}}}
    manifest.write_text(yaml.safe_dump(fields))
    run, _ = mutants(bench, root, *selection)
    assert run.status == 0, run.text


def test_a_listed_mutant_of_a_proof_that_does_not_hold_is_not_stale(
    bench: Bench, tmp_path: Path
) -> None:
    root = write_listed_pack(tmp_path / "p", BLIND, "There are 4 of 9.\n", *SURVIVORS)
    run, _ = mutants(bench, root)
    assert run.status == 1
    assert "does not hold when it is run alone" in run.out
    assert "remove" not in run.out


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        ("- {proof: test_it.py::test_count, field: total}", "entry 1 is not {proof, field, old, "),
        ("- {proof: a.py::b, field: c, old: d, new: e, reason: ' '}", "entry 1 is not {proof, "),
        ("- {proof: test_count, field: c, old: d, new: e, reason: f}", "named MODULE.py::TEST"),
        ("- test_count", "entry 1 is not {proof, field, old, new, reason}: test_count"),
        ("proof: test_count", "not a list of mutants"),
        ("- [", "equivalents.yaml"),
    ],
)
def test_a_list_that_cannot_be_read_is_a_usage_error(
    bench: Bench, tmp_path: Path, listed: str, message: str
) -> None:
    root = write_listed_pack(tmp_path / "p", BLIND, SAYS)
    (root / "proofs" / "equivalents.yaml").write_text(listed)
    run = bench.run(["mutants", "."], root)
    assert run.status == 2
    assert message in run.err
    assert "Traceback" not in run.err
