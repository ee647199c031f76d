"""A skill's folder -> the files that installers copy, and their digests."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proveskill.manifest import Manifest

SECTIONS = "sections.json"
"""What the sections of a skill are; made from its text."""
RECEIPT = "VERIFIED.json"
"""What was proven of a skill, and on which versions; made from the report of a run."""


def skill_files(skill: Path) -> dict[str, Path]:
    """Return every file of a skill by its name inside it, with ``/``, in the order of the names.

    Python's own caches are left out: importing a module of the skill makes them.
    """
    files = {
        file.relative_to(skill).as_posix(): file
        for file in skill.rglob("*")
        if file.is_file() and "__pycache__" not in file.relative_to(skill).parts
    }
    return dict(sorted(files.items()))


def digest_of(content: bytes) -> str:
    """Return the SHA-256 digest in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def source_digests(skill: Path) -> dict[str, str]:
    """Return the digest of each file of a skill that is not generated: what a run depends on."""
    return {
        name: digest_of(file.read_bytes())
        for name, file in skill_files(skill).items()
        if name not in (SECTIONS, RECEIPT)
    }


def pack_digests(manifest: Manifest) -> dict[str, str]:
    """Return the digests of what a run depends on, skills and proofs, by path from the root."""
    digests = {
        os.path.relpath(skill / name, manifest.root): digest
        for skill in manifest.skills
        for name, digest in source_digests(skill).items()
    }
    for proof in sorted(manifest.proofs.rglob("*.py")) if manifest.proofs else ():
        digests[os.path.relpath(proof, manifest.root)] = digest_of(proof.read_bytes())
    return digests
