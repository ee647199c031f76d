"""The skill follows the Agent Skills specification, as its reference validator reads it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from guidance import ROOT, SKILL, manifest
from proveskill.markdown import parse

KEYS = {"name", "description", "license", "compatibility", "allowed-tools", "metadata"}
PINS = {"sqlspec": "verified-sqlspec", "psqlpy": "verified-psqlpy"}


@pytest.fixture(scope="module")
def front_matter() -> dict[str, object]:
    token = parse((SKILL / "SKILL.md").read_text(encoding="utf-8"))[0]
    assert token.type == "front_matter"
    return dict(yaml.safe_load(token.content))


def test_the_reference_validator_accepts_the_skill() -> None:
    command = [Path(sys.executable).with_name("agentskills"), "validate", SKILL]
    process = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert process.returncode == 0, process.stdout + process.stderr


def test_the_front_matter_has_only_keys_of_the_specification(
    front_matter: dict[str, object],
) -> None:
    assert set(front_matter) - KEYS == set()


def test_the_front_matter_names_the_licence_of_the_repository(
    front_matter: dict[str, object],
) -> None:
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith(f"{front_matter['license']} ")


@pytest.mark.parametrize("package", PINS)
def test_the_metadata_repeats_the_pins_of_the_manifest(
    front_matter: dict[str, object], package: str
) -> None:
    metadata = front_matter["metadata"]
    assert isinstance(metadata, dict)
    assert metadata[PINS[package]] == manifest().versions[package]


def test_the_skill_has_the_version_of_the_manifest(front_matter: dict[str, object]) -> None:
    metadata = front_matter["metadata"]
    assert isinstance(metadata, dict)
    assert metadata["version"] == manifest().version
