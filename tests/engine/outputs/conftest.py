"""A run in which everything is wrong that can be, and a green one, with every output."""

from __future__ import annotations

import pytest
from engine_runs import (
    Bench,
    Run,
    passes,
    write_pack,
    write_skill,
)
from output_tools import OPTIONS, RED_TEXT

PROOF = """\
from proveskill import proves


@proves("It is | {n:d}.")
def test_it(n: int):
    assert n == 2
"""


@pytest.fixture(scope="session")
def red(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run in which everything is wrong that can be, in a folder of a repository."""
    repository = tmp_path_factory.mktemp("red")
    (repository / ".git").mkdir()
    root = repository / "packs"
    root.mkdir()
    write_skill(root / "skills" / "red", RED_TEXT, more="Nobody proves this.\n")
    (root / "skills" / "wrong-name" / "x").mkdir(parents=True)
    (root / "skills" / "wrong-name" / "SKILL.md").write_text("---\nname: x\n---\n")
    (root / "proofs").mkdir()
    (root / "proofs" / "test_red.py").write_text(PROOF)
    (root / "skill.yaml").write_text(
        "schema: 1\nname: red\nversion: 1.0.0\nskills: [skills/red, skills/wrong-name]\n"
        "proofs: {path: proofs}\nbudgets: {not_run: 0}\n"
    )
    return Bench(repository).run(
        ["verify", ".", *OPTIONS], root, report=root / "report.json", GITHUB_ACTIONS="true"
    )


@pytest.fixture(scope="session")
def green(tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = write_pack(tmp_path_factory.mktemp("green") / "green", text=passes() + passes(2))
    return Bench(root).run(["verify", ".", *OPTIONS], root, report=root / "report.json")
