"""The map of the drop-in names every module of it, once, and nothing else."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import pytest
from guidance import ROOT

PACKAGE = ROOT / "examples" / "psqlpy_adapter"
README = ROOT / "examples" / "README.md"
TITLE = "## Where each cure is"
MODULES = {file.relative_to(PACKAGE).with_suffix("").as_posix() for file in PACKAGE.rglob("*.py")}


@cache
def rows() -> list[list[str]]:
    """The rows of the map: concern, modules, promises."""
    text = README.read_text(encoding="utf-8")
    assert text.count(f"\n{TITLE}\n") == 1
    section = text.split(f"\n{TITLE}\n")[1].split("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def named() -> Counter[str]:
    return Counter(name for row in rows() for name in re.findall(r"`([^`]+)`", row[1]))


@pytest.mark.parametrize("module", sorted(MODULES))
def test_the_map_names_a_module_once(module: str) -> None:
    assert named()[module] == 1


def test_the_map_names_no_other_module() -> None:
    assert named().keys() - MODULES == set()


def test_every_row_of_the_map_has_a_concern_modules_and_promises() -> None:
    for row in rows():
        concern, modules, promises = row
        assert concern
        assert re.fullmatch(r"`[^`]+`(, `[^`]+`)*", modules), modules
        assert re.fullmatch(r"-|P\d\d(, P\d\d)*", promises), promises


def test_every_promise_is_kept_somewhere() -> None:
    promises = {name for row in rows() for name in re.findall(r"P\d\d", row[2])}
    assert promises == {f"P{number:02}" for number in range(1, 29)}
