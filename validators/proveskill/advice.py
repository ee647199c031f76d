"""The list of statements that are advice: nothing can prove them, and nothing has to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from proveskill.model import ManifestError


@dataclass(frozen=True)
class Advice:
    """A statement that cannot be true or false, and why not."""

    says: str
    reason: str


def read_advice(file: Path | None) -> tuple[Advice, ...]:
    """Read the list of advice: ``- {says: ..., reason: ...}``. Raises :class:`ManifestError`."""
    if file is None:
        return ()
    try:
        entries = yaml.safe_load(file.read_text(encoding="utf-8")) or []
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ManifestError(f"{file}: {' '.join(str(error).split())}") from None
    if not isinstance(entries, list):
        raise ManifestError(f"{file}: not a list of advice: - {{says: ..., reason: ...}}")
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict) or {*entry} != {"says", "reason"} or not all(
            isinstance(text, str) and text.strip() for text in entry.values()
        ):  # fmt: skip
            raise ManifestError(
                f"{file}: entry {number} is not {{says: ..., reason: ...}}: {entry}"
            )
    return tuple(Advice(**entry) for entry in entries)
