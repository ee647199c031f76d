"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(content: str | bytes, file: Path) -> None:
    """Put a text, or bytes, in a file's place, or leave that as it is. Raises ``OSError``."""
    scratch = Path()
    try:
        with tempfile.NamedTemporaryFile(
            dir=file.resolve().parent, prefix=f".{file.name}-", delete=False
        ) as stream:
            scratch = Path(stream.name)
            stream.write(content.encode() if isinstance(content, str) else content)
        scratch.chmod(0o666 & ~_umask())  # a temporary file is for its owner alone
        scratch.replace(file)
    except BaseException:
        if scratch.name:
            scratch.unlink(missing_ok=True)
        raise


def add_to(text: str, file: Path) -> None:
    """Put a text behind what a file holds, which may not be there yet. Raises ``OSError``."""
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    write_whole(before + ("\n" if before and not before.endswith("\n") else "") + text, file)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
