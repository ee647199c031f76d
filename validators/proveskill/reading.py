"""Files of a pack that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from proveskill.model import ManifestError


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Raise :class:`ManifestError` that names the file, where it is unreadable or not UTF-8."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise ManifestError(f"{file}: not UTF-8: {error}") from None
    except OSError as error:
        raise ManifestError(f"cannot read {file}: {error.strerror}") from None
