"""What the installs share: a clean checkout, the wheels, and the tools that assistants use."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from installs import NO_NPM, ROOT, Tools, copy_checkout, install_tools, run


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean clone of what is committed here, or would be."""
    return copy_checkout(tmp_path_factory.mktemp("checkout") / "pack")


@pytest.fixture(scope="session")
def tools() -> Tools:
    """The commands of package.json, installed once into the environment."""
    return install_tools() or pytest.skip(NO_NPM)


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
