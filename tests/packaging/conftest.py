"""What the installs share: a clean checkout, the wheels, and the tools that assistants use."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from installs import ROOT, Tools, run

HERE = Path(__file__).parent
NPM_TOOLS = Path(sys.prefix) / "npm"
"""Beside the packages of the environment: a gigabyte that `make clean` removes."""


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean clone of what is committed here, or would be: no .venv, no caches."""
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], ROOT)
    folder = tmp_path_factory.mktemp("checkout") / "pack"
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    run(["git", "init", "--quiet", "."], folder)
    return folder


@pytest.fixture(scope="session")
def tools() -> Tools:
    """The commands of package.json, installed once into the environment."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is missing: apt-get install npm, or https://nodejs.org")
    wanted = (HERE / "package.json").read_bytes()
    done = NPM_TOOLS / "installed.json"
    if not done.is_file() or done.read_bytes() != wanted:
        NPM_TOOLS.mkdir(exist_ok=True)
        (NPM_TOOLS / "package.json").write_bytes(wanted)
        run(
            [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--prefer-offline"],
            NPM_TOOLS,
            seconds=600,
        )
        done.write_bytes(wanted)
    return Tools(NPM_TOOLS / "node_modules" / ".bin")


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Both wheels, built without a network from what is installed."""
    folder = tmp_path_factory.mktemp("wheels")
    for source in (ROOT, ROOT / "examples"):
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
        run(command, source)
    return sorted(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def project(wheels: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty project whose .venv has nothing but the wheels and what they require."""
    folder = tmp_path_factory.mktemp("project")
    run([sys.executable, "-m", "venv", ".venv"], folder, seconds=120)
    # The versions of the lock, so that an upstream release does not break this test.
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^[a-z0-9-]+==[^ ]+(?: ; [^\\\n]*)?", lock, re.M)
    (folder / "pins.txt").write_text("\n".join(pins) + "\n")
    pip = [".venv/bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    run([*pip, "--no-compile", "--constraint", "pins.txt", *map(str, wheels)], folder, seconds=600)
    yield folder
    shutil.rmtree(folder)  # half a gigabyte, which pytest would keep for three runs
