"""Fifty values of the sentences are changed by chance, and each change must be found."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from guidance import ROOT, manifest, sections, skill_files
from proveskill.account import read_account
from proveskill.model import Statement

CHANGES = 50
SEED = 4
PROVEN = frozenset(read_account(manifest()).ledger.by_statement)
_VALUE = re.compile(
    r"(?<=`)[A-Za-z_][\w.]*(?=[`(])"  # a name in code: a key, a method, a class
    r"|\b[A-Z]\w+(?:Error|Violation)\b"
    r"|(?<![\w.#])\d[\d,]*(?:\.\d+)?(?![\w.])"
)


def changed_value(value: str) -> str:
    if value[0].isdigit():
        plain = value.replace(",", "")
        return str(float(plain) * 2 + 1) if "." in plain else str(int(plain) * 2 + 1)
    return value[:-1] if len(value) > 3 else f"{value}x"


def candidates() -> Iterator[tuple[Path, int, str]]:
    """Yield (file, line, value) of each value of a statement that is proven."""
    for file in skill_files():
        for section in sections(file):
            for statement in section.statements:
                if statement.id in PROVEN:
                    for match in _VALUE.finditer(statement.text):
                        yield file, statement.line, match[0]


def texts(root: Path) -> dict[str, Statement]:
    files = [root / file.relative_to(ROOT) for file in skill_files()]
    return {s.id: s for file in files for section in sections(file) for s in section.statements}


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The report of a copy of the pack with all changes, and the statements before and after."""
    root = tmp_path_factory.mktemp("changed")
    for name in ("skills", "tests", "examples"):
        ignored = shutil.ignore_patterns("assets", "__pycache__", ".pytest_cache")
        shutil.copytree(ROOT / name, root / name, ignore=ignored)
    shutil.copy(ROOT / "skill.yaml", root)
    of_a_line = {(file, line): (file, line, value) for file, line, value in candidates()}
    chosen = random.Random(SEED).sample(sorted(of_a_line.values()), CHANGES)
    for file, line, value in chosen:
        copy = root / file.relative_to(ROOT)
        lines = copy.read_text(encoding="utf-8").splitlines(keepends=True)
        pattern = rf"(?<![\w.#]){re.escape(value)}(?!\w)"
        for number in range(line - 1, min(line + 4, len(lines))):
            replaced = re.sub(pattern, changed_value(value), lines[number], count=1)
            if replaced != lines[number]:
                lines[number] = replaced
                break
        copy.write_text("".join(lines), encoding="utf-8")
    report = root / "report.json"
    command = [sys.executable, "-m", "proveskill", "verify", ".", "--report", str(report)]
    run = subprocess.run(
        [*command, "-k", "statement"], cwd=root, capture_output=True, text=True, timeout=500
    )
    before, after = texts(ROOT), texts(root)
    return {
        "status": run.returncode,
        "out": run.stdout,
        "report": json.loads(report.read_text()),
        "changed": [s for i, s in after.items() if i not in before or before[i].text != s.text],
    }


def test_as_many_statements_are_changed_as_were_chosen(changed: dict[str, Any]) -> None:
    assert len(changed["changed"]) >= CHANGES * 0.9


def test_every_changed_statement_is_red(changed: dict[str, Any]) -> None:
    verdicts = {s["id"]: s["verdict"] for s in changed["report"]["statements"]}
    unnoticed = [s for s in changed["changed"] if verdicts[s.id] not in ("failed", "unproven")]
    assert [f"{s.id}: {s.text}" for s in unnoticed] == []
    assert changed["status"] == 1


def test_every_message_has_the_changed_sentence(changed: dict[str, Any]) -> None:
    errors = {s["id"]: s["error"] for s in changed["report"]["statements"]}
    wrong = [s.id for s in changed["changed"] if errors[s.id]["values"]["sentence"] != s.text]
    assert wrong == []


def test_every_message_says_what_was_proven_or_observed(changed: dict[str, Any]) -> None:
    said = {"proven is", "states", "observed"}
    errors = {s["id"]: s["error"] for s in changed["report"]["statements"]}
    silent = [s.id for s in changed["changed"] if not said & errors[s.id]["values"].keys()]
    assert silent == []
