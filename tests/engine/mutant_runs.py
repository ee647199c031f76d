"""Packs for ``proveskill mutants``, and runs of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
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


def write_listed_pack(
    root: Path, proofs: str | dict[str, str], text: str, *entries: dict[str, str], killed: float = 0
) -> Path:
    """Make a pack with a list of equivalent mutants, each with a reason, and a budget."""
    write_proof_pack(root, proofs, text, equivalents="proofs/equivalents.yaml")
    listed = [{"reason": "who cares", **entry} for entry in entries]
    (root / "proofs" / "equivalents.yaml").write_text(yaml.safe_dump(listed))
    set_budget(root, killed)
    return root


def set_budget(root: Path, killed: float) -> None:
    """Have a pack ask for a share of killed mutants."""
    manifest = root / "skill.yaml"
    fields = yaml.safe_load(manifest.read_text()) | {"budgets": {"killed": killed}}
    manifest.write_text(yaml.safe_dump(fields, sort_keys=False))
