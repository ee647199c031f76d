"""A pack that was verified, and a copy of it to be spoilt."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from engine_runs import Bench
from proof_runs import PROOF, write_proof_pack
from receipt_tools import (
    ADAPTERS,
    ADVICE,
    TEXT,
    verify,
)


@pytest.fixture(scope="session")
def proven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack with two variants, verified: ``out.json`` is its report."""
    root = write_proof_pack(tmp_path_factory.mktemp("receipt") / "pack", PROOF, TEXT, ADVICE)
    manifest = root / "skill.yaml"
    more = {"adapters": ADAPTERS, "path": ["modules"], "versions": {"pytest": "1.0"}}
    fields = yaml.safe_load(manifest.read_text()) | more
    manifest.write_text(yaml.safe_dump(fields, sort_keys=False))
    (root / "modules").mkdir()
    (root / "modules" / "one.py").write_text("NUMBER = 1\n")
    (root / "modules" / "two.py").write_text("NUMBER = 2\n")
    (root / "skills" / "pack" / "data.bin").write_bytes(b"\xff\x00")
    run = verify(Bench(root), root, "--adapter", "both")
    assert run.status == 0, run.text
    return root


@pytest.fixture
def pack(proven: Path, tmp_path: Path) -> Path:
    """A copy of that pack, to be spoilt."""
    shutil.copytree(proven, tmp_path / "pack", ignore=shutil.ignore_patterns(".pytest_cache"))
    return tmp_path / "pack"
