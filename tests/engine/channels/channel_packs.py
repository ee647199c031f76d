"""Small packs with the key ``channels``, and what the command wrote of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine_runs import write_pack, write_skill

OWNER = {"channels": {"owner": {"name": "Ada Example", "email": "ada@example.org"}}}
PAGE = """\
# Bulk loading

Load this before you write many rows. It has two sections.

## Choose a way

Text.

## Load `vectors`

Text.
"""


def make_pack(root: Path, **manifest: Any) -> Path:
    write_pack(root, OWNER | manifest, "# Hello\n\nSome text.\n")
    write_skill(root / "skills" / root.name, "# Hello\n\nSome text.\n", bulk=PAGE)
    return root


def written(root: Path) -> dict[str, bytes]:
    files = {str(file.relative_to(root)): file.read_bytes() for file in sorted(root.rglob("*"))
             if file.is_file()}  # fmt: skip
    return {name: content for name, content in files.items() if not name.startswith("skill")}
