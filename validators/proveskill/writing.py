"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from proveskill.model import ManifestError


def write_whole(content: str | bytes, file: Path) -> None:
    """Put a text, or bytes, in a file's place, or leave that as it is. Raises ``OSError``.

    A link and the permissions of a file stay; a pipe or a device is written to, not replaced.
    """
    data = content.encode() if isinstance(content, str) else content
    place = file.resolve()
    is_there = place.exists()
    if is_there and not place.is_file():
        place.write_bytes(data)
        return
    mode = place.stat().st_mode & 0o777 if is_there else 0o666 & ~_umask()
    scratch = Path()
    try:
        with tempfile.NamedTemporaryFile(
            dir=place.parent, prefix=f".{place.name}-", delete=False
        ) as stream:
            scratch = Path(stream.name)
            stream.write(data)
        scratch.chmod(mode)  # a temporary file is for its owner alone
        scratch.replace(place)
    except BaseException:
        if scratch.name:
            scratch.unlink(missing_ok=True)
        raise


def write_file(content: str | bytes, file: Path) -> None:
    """Write as :func:`write_whole`. Raises ``ManifestError`` that says which file and why."""
    try:
        write_whole(content, file)
    except OSError as error:
        raise ManifestError(f"cannot write {file}: {error.strerror}") from None


def require_folder(what: str, file: str | None) -> None:
    """Raise ``ManifestError`` where a file that a run will end with could not be written."""
    if file and not Path(file).resolve().parent.is_dir():
        raise ManifestError(f"cannot write the {what} {file}: no such folder")


def add_to(text: str, file: Path) -> None:
    """Put a text behind what a file holds, which may not be there yet. Raises ``OSError``."""
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    write_whole(before + ("\n" if before and not before.endswith("\n") else "") + text, file)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
