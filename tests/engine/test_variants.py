"""Packs with variants: one text, run on each of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from engine_cases import failure_blocks
from engine_runs import Bench, Run, fence, write_pack

TEXT = (
    "## One\n\n"
    + fence("import colours\n\ncolours.red()  # -> 1")
    + fence("import colours\n\n# WRONG: says 2\ncolours.blue()  # -> 2")
    + fence("import colours\n\ncolours.green()  # -> 3")
)
STOCK = "def red(): return 1\ndef blue(): return 2\ndef green(): return 3\n"
OURS = "def red(): return 1\ndef blue(): return 20\ndef green(): return 30\n"
EXCUSED = {"fault_mark": "# WRONG", "faults": {"SKILL#one/3": "green is cured too"}}


def run_variants(
    bench: Bench, root: Path, variant: dict[str, Any], *options: str, ours: str = OURS
) -> Run:
    (root / "lib").mkdir(parents=True)
    (root / "lib" / "colours.py").write_text(STOCK)
    (root / "lib" / "our_colours.py").write_text(ours)
    adapters = {"stock": {}, "ours": {"replace": {"colours": "our_colours"}, **variant}}
    if "faults" in variant:
        (root / "faults.yaml").write_text(yaml.safe_dump(variant["faults"]))
        adapters["ours"] |= {"faults": "faults.yaml"}
    write_pack(root, {"adapters": adapters, "path": ["lib"]}, TEXT)
    report = root / "out.json"
    return bench.run(["verify", ".", *options, "--report", report], root, report=report)


def verdicts(run: Run) -> dict[tuple[str, str], str]:
    return {(r["adapter"], r["id"]): r["verdict"] for r in run.records}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "pack"


def test_both_runs_every_fence_on_every_variant(bench: Bench, root: Path) -> None:
    run = run_variants(bench, root, {}, "--adapter", "both", ours=STOCK)
    assert run.status == 0
    assert verdicts(run) == {
        (adapter, f"SKILL#one/{n}"): "passed" for adapter in ("stock", "ours") for n in (1, 2, 3)
    }


def test_the_table_has_a_column_for_each_variant(bench: Bench, root: Path) -> None:
    run = run_variants(bench, root, EXCUSED, "--adapter", "both")
    (row,) = (line.split() for line in run.out.splitlines() if line.startswith("SKILL#one"))
    assert (row[1:4], row[5:8]) == (["3", "0", "0"], ["1", "0", "2"])


def test_a_fence_with_the_mark_of_a_fault_need_not_hold_on_the_variant(
    bench: Bench, root: Path
) -> None:
    run = run_variants(bench, root, EXCUSED, "--adapter", "ours")
    assert (run.status, list(run.verdicts.values())) == (0, ["passed", "not_run", "not_run"])
    reasons = [record["reason"] for record in run.records]
    assert reasons[1].startswith("it shows a fault that this variant does not have: expected -> 2")
    assert reasons[2].startswith("green is cured too: expected -> 3, observed 30")


def test_what_is_excused_on_one_variant_must_hold_on_the_other(bench: Bench, root: Path) -> None:
    run = run_variants(bench, root, EXCUSED, "--adapter", "both")
    assert [v for (adapter, _), v in verdicts(run).items() if adapter == "stock"] == ["passed"] * 3


def test_a_fence_without_an_excuse_fails_on_the_variant_and_says_which(
    bench: Bench, root: Path
) -> None:
    run = run_variants(bench, root, {"fault_mark": "# WRONG"}, "--adapter", "both")
    assert run.status == 1
    block = failure_blocks(run.out)["SKILL#one/3@ours"]
    assert "again: " in block
    assert block.endswith("skills/pack/SKILL.md::one@ours::3 --adapter both")


def test_the_command_that_a_failure_shows_runs_that_fence_on_that_variant(
    bench: Bench, root: Path
) -> None:
    run_variants(bench, root, {"fault_mark": "# WRONG"}, "--adapter", "both")
    report = root / "again.json"
    arguments = ["verify", "skills/pack/SKILL.md::one@ours::3", "--adapter", "both"]
    again = bench.run([*arguments, "--report", report], root, report=report)
    assert verdicts(again) == {("ours", "SKILL#one/3"): "failed"}


def test_a_listed_fault_that_holds_after_all_is_an_error(bench: Bench, root: Path) -> None:
    run = run_variants(bench, root, EXCUSED, "--adapter", "ours", ours=STOCK)
    assert run.status == 1
    assert "adapters.ours.faults: SKILL#one/3: it holds: remove the entry" in run.out


def test_a_listed_fault_of_no_fence_is_an_error(bench: Bench, root: Path) -> None:
    excused = {"fault_mark": "# WRONG", "faults": {"SKILL#one/3": "cured", "SKILL#one/9": "gone"}}
    run = run_variants(bench, root, excused, "--adapter", "ours")
    assert run.status == 1
    assert "adapters.ours.faults: SKILL#one/9: there is no such fence" in run.out


def test_excused_fences_do_not_count_against_the_budget(bench: Bench, root: Path) -> None:
    run = run_variants(bench, root, EXCUSED, "--adapter", "ours")
    assert run.report["problems"] == []


def test_a_list_of_faults_that_is_no_mapping_is_a_usage_error(bench: Bench, root: Path) -> None:
    run = run_variants(bench, root, {"faults": ["SKILL#one/3"]}, "--adapter", "ours")
    assert run.status == 2
    assert "faults.yaml: not a mapping of fence ids to reasons" in run.text


def test_the_submodules_of_a_replaced_package_can_still_be_imported(
    bench: Bench, root: Path
) -> None:
    package = root / "lib" / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("NAME = 'stock'\n")
    (package / "till.py").write_text("from shop import NAME\n")
    (root / "lib" / "our_shop.py").write_text("NAME = 'ours'\n")
    text = "## One\n\n" + fence("import shop\nimport shop.till\nshop.till.NAME  # -> 'ours'")
    adapters = {"ours": {"replace": {"shop": "our_shop"}}}
    write_pack(root, {"adapters": adapters, "path": ["lib"]}, text)
    assert bench.run(["verify", "."], root).status == 0
