"""sections.json and VERIFIED.json, which travel inside the skill, fit the text that is there."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files
from typing import Any

import pytest
from guidance import ROOT, SKILL, manifest
from jsonschema import Draft202012Validator


def proveskill(*arguments: str) -> None:
    """Run the command; fail with what it says."""
    command = [sys.executable, "-m", "proveskill", *arguments]
    process = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert process.returncode == 0, process.stderr


def read(name: str) -> dict[str, Any]:
    return dict(json.loads((SKILL / name).read_text(encoding="utf-8")))


def test_the_sections_as_data_are_those_of_the_text() -> None:
    proveskill("sections", ".", "--check")


def test_every_file_of_the_skill_is_as_it_was_when_it_was_proven() -> None:
    try:
        proveskill("receipt", ".", "--check")
    except AssertionError as error:
        pytest.fail(f"{error}\nrenew it: make receipt", pytrace=False)


@pytest.mark.parametrize(
    ("name", "schema"),
    [("sections.json", "sections.schema.json"), ("VERIFIED.json", "receipt.schema.json")],
)
def test_what_travels_follows_its_schema(name: str, schema: str) -> None:
    rules = json.loads(files("proveskill").joinpath(schema).read_text())
    assert list(Draft202012Validator(rules).iter_errors(read(name))) == []


def test_the_receipt_is_of_both_adapters() -> None:
    assert read("VERIFIED.json")["predicate"]["variants"] == list(manifest().adapters)


def test_the_receipt_is_of_the_pinned_versions() -> None:
    assert read("VERIFIED.json")["predicate"]["environment"]["packages"] == manifest().versions


def test_the_receipt_has_a_verdict_of_every_section() -> None:
    sections = [entry["id"] for entry in read("sections.json")["sections"]]
    assert [entry["id"] for entry in read("VERIFIED.json")["predicate"]["sections"]] == sections
