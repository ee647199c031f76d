"""What is installed, pinned and promised fits together."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from guidance import ROOT, manifest
from jsonschema import Draft202012Validator
from proveskill.markdown import parse
from proveskill.servers import VARIABLES

SCHEMA = ROOT / "validators" / "proveskill" / "skill.schema.json"
PINNED = dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", (ROOT / "requirements.lock").read_text(), re.M))
DOCUMENTED = sorted(
    {
        target
        for name in ("README.md", "CONTRIBUTING.md")
        for line in re.findall(r"(?:^|`)make ([^`\n#]*)", (ROOT / name).read_text(), re.M)
        for target in re.findall(r"(?<!\S)[a-z][a-z-]*(?!\S)", line)
    }
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built without a network from what is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    process = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_holds_every_module_and_data_file(wheel: zipfile.ZipFile) -> None:
    source = ROOT / "validators"
    files = {
        str(file.relative_to(source))
        for file in (source / "proveskill").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert {"proveskill/skill.schema.json", "proveskill/py.typed"} <= files
    assert files - set(wheel.namelist()) == set()


def test_the_wheel_installs_nothing_beside_the_engine(wheel: zipfile.ZipFile) -> None:
    folders = {name.partition("/")[0] for name in wheel.namelist()}
    assert folders == {"proveskill", f"proveskill-{version('proveskill')}.dist-info"}


def test_the_wheel_declares_the_command_and_the_pytest_plugin(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    text = wheel.read(name).decode()
    assert "proveskill = proveskill.cli:main" in text
    assert "[pytest11]\nproveskill = proveskill.plugin" in text


def test_the_manifest_is_valid() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    data = yaml.safe_load((ROOT / "skill.yaml").read_text(encoding="utf-8"))
    assert list(Draft202012Validator(schema).iter_errors(data)) == []


@pytest.mark.parametrize("package", manifest().versions)
def test_a_version_in_the_manifest_is_the_locked_one(package: str) -> None:
    assert PINNED.get(package) == manifest().versions[package]


def test_the_pack_has_the_version_of_the_engine() -> None:
    assert manifest().version == version("proveskill")


def test_the_changelog_has_the_version() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[?{re.escape(version('proveskill'))}\b", changes, re.M)


@pytest.mark.parametrize("target", DOCUMENTED)
def test_a_documented_make_target_is_listed_by_make_help(target: str) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    process = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert re.search(rf"^ *make {re.escape(target)} ", process.stdout, re.M), process.stdout


@pytest.mark.parametrize("target", ["verify", "test", "lint", "lock", "bench-engine"])
def test_the_documents_name_a_make_target(target: str) -> None:
    assert target in DOCUMENTED


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_a_document_names_no_path_of_a_machine(document: str) -> None:
    text = Path(ROOT / document).read_text(encoding="utf-8")
    assert re.findall(r"(?<![\w.~])/(?:work|root|home/\w+|opt)/\S*", text) == []


def test_the_readme_describes_every_key_of_the_manifest() -> None:
    keys = json.loads(SCHEMA.read_text(encoding="utf-8"))["properties"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [key for key in keys if f"`{key}`" not in readme] == []


def test_the_readme_describes_every_server_variable() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in VARIABLES if f"`{name}`" not in readme] == []


def test_the_manifest_in_the_readme_is_valid_and_so_are_the_keys_that_can_be_added() -> None:
    readme = parse((ROOT / "README.md").read_text(encoding="utf-8"))
    example, *more = [yaml.safe_load(token.content) for token in readme if token.info == "yaml"]
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    for keys in ({}, *more):
        assert list(Draft202012Validator(schema).iter_errors({**example, **keys})) == []


def test_the_map_of_the_modules_is_complete() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    modules = {
        file.stem
        for file in (ROOT / "validators" / "proveskill").rglob("*.py")
        if not file.stem.startswith("__")
    }
    assert named == modules
