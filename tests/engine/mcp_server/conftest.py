"""A pack that is served."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_runs import write_pack, write_skill
from mcp_tools import FIXTURES, REFERENCE


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_pack(tmp_path_factory.mktemp("mcp") / "pack", {"fixtures": "fixtures.py"})
    skill = write_skill(root / "skills" / "pack", "## Start\n\nBegin here.\n", rows=REFERENCE)
    (root / "fixtures.py").write_text(FIXTURES)
    (skill / "data.bin").write_bytes(b"\xff\x00")
    (skill / "references" / "dos.md").write_bytes(b"\xef\xbb\xbf# DOS\r\n\r\nLines.\r\n")
    return root
