"""The adapter that travels inside the skill is the one that is tested."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from guidance import ROOT

SOURCE = ROOT / "examples" / "psqlpy_adapter"
COPY = ROOT / "skills" / "sqlspec-psqlpy" / "assets" / "psqlpy_adapter"


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    }


def test_the_adapter_in_the_skill_is_the_one_in_examples() -> None:
    assert contents(COPY) == contents(SOURCE), "run: make assets"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The adapter's wheel, built without a network from what is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    process = subprocess.run(
        command, cwd=ROOT / "examples", capture_output=True, text=True, timeout=60, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_of_the_adapter_holds_the_adapter_and_beside_it_nothing_but_the_skill(
    wheel: zipfile.ZipFile,
) -> None:
    beside = ("psqlpy_adapter/.agents/skills/sqlspec-psqlpy/", "sqlspec_psqlpy_adapter-")
    files = {name for name in wheel.namelist() if not name.startswith(beside)}
    assert files == {f"psqlpy_adapter/{name}" for name in [*contents(SOURCE), "LICENSE"]}
