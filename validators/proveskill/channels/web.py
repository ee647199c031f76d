"""A pack -> the root of a web site that offers its skills, as ``npx skills add URL`` finds them.

The format is version 0.2.0 of github.com/cloudflare/agent-skills-discovery-rfc. The index and its
archives are made together, into a folder that is not committed: a digest in the repository would
change with every word of a skill, and name an archive that is not there.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

from proveskill.channels.contents import Skill
from proveskill.model import ManifestError

INDEX = ".well-known/agent-skills"
SCHEMA = "https://schemas.agentskills.io/discovery/0.2.0/schema.json"


def web_files(skills: Sequence[Skill]) -> dict[str, bytes]:
    """Return path below the root of the site -> content.

    Beside the index and the archives lie the files of the skills, to which ``llms.txt`` links.
    Raises :class:`ManifestError` for a symbolic link in a skill.
    """
    files: dict[str, bytes] = {}
    entries = []
    for skill in skills:
        archive = pack(skill.folder)
        files[f"{INDEX}/{skill.name}.tar.gz"] = archive
        for file in travelling_files(skill.folder):
            inside = file.relative_to(skill.folder).as_posix()
            files[inside if skill.place == "." else f"{skill.place}/{inside}"] = file.read_bytes()
        entries.append(
            {
                "name": skill.name,
                "type": "archive",
                "description": skill.description,
                "url": f"{skill.name}.tar.gz",  # beside the index, wherever the site is
                "digest": f"sha256:{hashlib.sha256(archive).hexdigest()}",
            }
        )
    index = {"$schema": SCHEMA, "skills": entries}
    files[f"{INDEX}/index.json"] = (json.dumps(index, indent=2, ensure_ascii=False) + "\n").encode()
    return files


def travelling_files(folder: Path) -> list[Path]:
    """Return the files of a skill that travel, ``SKILL.md`` first: no caches, nothing hidden.

    Raises :class:`ManifestError` for a symbolic link, which installers drop or refuse.
    """
    found = []
    for path in sorted(folder.rglob("*"), key=lambda p: (p.name != "SKILL.md", p.as_posix())):
        inside = path.relative_to(folder).parts
        if any(part.startswith(".") or part == "__pycache__" for part in inside):
            continue
        if path.is_symlink():
            raise ManifestError(
                f"{path}: a symbolic link, which installers drop; put a copy in its place"
            )
        if path.is_file():
            found.append(path)
    return found


def pack(folder: Path) -> bytes:
    """Return a ``.tar.gz`` of a skill, ``SKILL.md`` at its root.

    The same files give the same bytes, with the same zlib: their order, owners, times and
    permissions (but for the right to be executed) are not those of this machine.
    """
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for file in travelling_files(folder):
            content = file.read_bytes()
            member = tarfile.TarInfo(file.relative_to(folder).as_posix())
            member.size = len(content)
            member.mode = 0o755 if file.stat().st_mode & 0o100 else 0o644
            archive.addfile(member, io.BytesIO(content))
    packed = io.BytesIO()
    # Not gzip.compress: the byte for the operating system depends on the version of Python.
    with gzip.GzipFile(fileobj=packed, mode="wb", filename="", compresslevel=9, mtime=0) as stream:
        stream.write(plain.getvalue())
    return packed.getvalue()
