"""Ids, and the command ``proveskill sections``."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from engine_runs import (
    Bench,
    passes,
    write_pack,
    write_skill,
)


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack with equal headings, and equal file names in two skills."""
    root = write_pack(tmp_path_factory.mktemp("many") / "many")
    for name in ("first", "second"):
        write_skill(root / "skills" / name, "## Start\n\n" + passes(), same=passes())
    (root / "skills" / "first" / "references" / "twice.md").write_text(
        "Text.\n\n## Use `it`!\n\n" + passes(1) + "## Use it\n\nBetween.\n\n" + passes(2)
    )
    return write_pack(root, {"skills": ["skills/first", "skills/second"]})


def test_ids_are_unique_where_headings_and_file_names_are_not(bench: Bench, many: Path) -> None:
    report = many / "out.json"
    run = bench.run(["verify", "--report", report], many, report=report)
    assert sorted(run.verdicts) == [
        "first/SKILL#start/1",
        "first/references/same#top/1",
        "second/SKILL#start/1",
        "second/references/same#top/1",
        "twice#use-it-1/1",
        "twice#use-it/1",
    ]


def test_sections_lists_sections_with_their_fences(bench: Bench, many: Path) -> None:
    run = bench.run(["sections", "."], many)
    assert run.status == 0
    line = r"^twice#use-it +1 fences +0 statements +\d+ tokens +Use it!$"
    assert re.search(line, run.out, re.MULTILINE), run.out


def test_sections_prints_one_section(bench: Bench, many: Path) -> None:
    run = bench.run(["sections", ".", "twice#use-it-1"], many)
    assert (run.status, run.out) == (0, "## Use it\n\nBetween.\n\n" + passes(2))


def test_sections_speaks_json(bench: Bench, many: Path) -> None:
    run = bench.run(["sections", ".", "--json"], many)
    found = {record["id"]: record for record in json.loads(run.out)}
    section = found["twice#use-it-1"]
    assert section["file"] == "skills/first/references/twice.md"
    assert (section["line"], section["end_line"], section["title"]) == (9, 16, "Use it")
    assert section["snippets"] == [{"id": "twice#use-it-1/1", "line": 13, "language": "python"}]


def test_sections_suggests_near_ids_for_an_unknown_one(bench: Bench, many: Path) -> None:
    run = bench.run(["sections", ".", "twice#use"], many)
    assert (run.status, run.out) == (2, "")
    assert "no section 'twice#use'; near: " in run.err
    assert "twice#use-it" in run.err


@pytest.mark.parametrize("number", [1, 2000])
def test_sections_ends_quietly_when_its_reader_has_enough(
    bench: Bench, tmp_path: Path, number: int
) -> None:
    text = "".join(f"## Section {n} {'x' * 200}\n\n{passes()}" for n in range(number))
    root = write_pack(tmp_path / "pack", text=text)
    process, mark = bench.start(["sections", "."], root, PYTHONUNBUFFERED=None)
    assert process.stdout is not None
    if number > 1:  # else it has not begun to write
        process.stdout.readline()
    process.stdout.close()
    process.wait()
    assert process.stderr is not None
    assert (process.returncode, process.stderr.read()) == (0, "")
    process.stderr.close()
    assert bench.left(mark) == []
