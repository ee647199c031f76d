"""``proveskill receipt``: VERIFIED.json, what a run has proven of which bytes."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest
from engine_runs import PYTEST, Bench, passes, write_skill
from jsonschema import Draft202012Validator
from receipt_tools import (
    receipt_of,
    sha256,
)


def test_a_receipt_follows_the_schema(bench: Bench, pack: Path) -> None:
    schema = json.loads(files("proveskill").joinpath("receipt.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    assert list(Draft202012Validator(schema).iter_errors(receipt_of(bench, pack))) == []


def test_its_subject_is_every_file_of_the_skill_by_its_digest(bench: Bench, pack: Path) -> None:
    (pack / "skills" / "pack" / "__pycache__").mkdir()
    (pack / "skills" / "pack" / "__pycache__" / "made.pyc").write_bytes(b"")
    skill = pack / "skills" / "pack"
    assert receipt_of(bench, pack)["subject"] == [
        {"name": name, "digest": {"sha256": sha256(skill / name)}}
        for name in ("SKILL.md", "data.bin")
    ]


def test_it_says_when_and_on_what_it_was_proven(bench: Bench, pack: Path) -> None:
    report = json.loads((pack / "out.json").read_text())
    predicate = receipt_of(bench, pack)["predicate"]
    assert (predicate["pack"], predicate["version"]) == ("pack", "1.0.0")
    assert predicate["verified"] == report["started"]
    assert predicate["environment"]["python"] == report["environment"]["python"]
    assert predicate["environment"]["packages"] == {"pytest": pytest.__version__}
    assert predicate["totals"] == report["totals"]


def test_it_counts_the_verdicts_of_each_section_on_each_variant(bench: Bench, pack: Path) -> None:
    predicate = receipt_of(bench, pack)["predicate"]
    assert predicate["variants"] == ["stock", "cured"]
    assert predicate["sections"] == [
        {
            "id": "SKILL#answer",
            "fences": {"stock": {"passed": 2}, "cured": {"not_run": 1, "passed": 1}},
            "statements": {"stock": {"advice": 1, "proven": 1}, "cured": {"proven": 1}},
        },
        {
            "id": "SKILL#ask",
            "fences": {"stock": {"passed": 1}, "cured": {"passed": 1}},
            "statements": {"stock": {}, "cured": {}},
        },
    ]


def test_the_same_report_gives_the_same_bytes(bench: Bench, pack: Path) -> None:
    receipt_of(bench, pack)
    file = pack / "skills" / "pack" / "VERIFIED.json"
    before = file.read_bytes()
    file.unlink()
    receipt_of(bench, pack)
    assert file.read_bytes() == before


def test_sections_that_were_written_after_the_run_are_part_of_the_receipt(
    bench: Bench, pack: Path
) -> None:
    assert bench.run(["sections", ".", "--write"], pack).status == 0
    names = [entry["name"] for entry in receipt_of(bench, pack)["subject"]]
    assert names == ["SKILL.md", "data.bin", "sections.json"]


def test_a_skill_without_a_manifest_has_a_receipt_too(bench: Bench, tmp_path: Path) -> None:
    skill = write_skill(tmp_path / "alone", passes() + "Unproven.\n")
    report = tmp_path / "out.json"
    assert bench.run(["verify", ".", "--report", report], skill, report=report).status == 0
    assert bench.run(["receipt", ".", "--from", report], skill).status == 0
    receipt = json.loads((skill / "VERIFIED.json").read_text())
    assert [entry["name"] for entry in receipt["subject"]] == ["SKILL.md"]
    assert receipt["predicate"]["variants"] == []
    assert receipt["predicate"]["sections"] == [
        {
            "id": "SKILL#top",
            "fences": {"default": {"passed": 1}},
            "statements": {"default": {"unproven": 1}},
        }
    ]


def test_a_run_by_several_processes_gives_a_receipt(bench: Bench, pack: Path) -> None:
    (pack / "out.json").unlink()
    options = ("-n", "2", "-p", "xdist", "--proveskill-adapter=both")
    run = bench.run(["skills", "--proveskill-report=out.json", *options], pack, command=PYTEST)
    assert run.status == 0, run.text
    assert receipt_of(bench, pack)["predicate"]["variants"] == ["stock", "cured"]
