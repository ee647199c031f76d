"""The variants of a pack ("adapters"): what is put in place of an import, and what may differ."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from proveskill.model import ManifestError, Snippet, Verdict

BOTH = "both"
"""What ``--adapter`` takes for all variants of a pack, one after the other."""


@dataclass(frozen=True)
class Variant:
    """What a fence imports in place of what it names, and which fences cannot hold then.

    A fence that shows a fault of the default variant does not hold on one that has cured it.
    """

    replace: dict[str, str] = field(default_factory=dict)
    fault_mark: str | None = None
    """Regular expression that the text of such a fence contains."""
    faults: dict[str, str] = field(default_factory=dict)
    """Fences without the mark that do not hold either: id -> reason."""

    def excuses(self, snippet: Snippet) -> str | None:
        """Return why a fence need not hold on this variant, or None when it must."""
        if snippet.id in self.faults:
            return self.faults[snippet.id]
        if self.fault_mark and re.search(self.fault_mark, snippet.source):
            return "it shows a fault that this variant does not have"
        return None

    def judge(self, snippet: Snippet, verdict: Verdict) -> Verdict:
        """Turn the failure of an excused fence into ``not_run``."""
        if snippet.not_run is not None:
            return verdict
        reason = self.excuses(snippet)
        if reason is None or verdict.failure is None:
            return verdict
        reason = f"{reason}: {verdict.failure.message}"
        return Verdict("not_run", verdict.seconds, reason=reason, output=verdict.output)


def read_variant(fields: dict[str, Any], name: str, existing: Callable[..., Path]) -> Variant:
    """Return the variant of an entry in the manifest. Raises :class:`ManifestError`.

    ``existing(value, *keys)`` makes a path of a value of the manifest that stands under those keys.
    """
    if "faults" not in fields:
        return Variant(**fields)
    file = existing(fields["faults"], "adapters", name, "faults")
    try:
        faults = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ManifestError(f"{file}: {' '.join(str(error).split())}") from None
    if not isinstance(faults, dict) or not all(
        isinstance(text, str) for pair in faults.items() for text in pair
    ):
        raise ManifestError(f"{file}: not a mapping of fence ids to reasons")
    return Variant(**{**fields, "faults": faults})


def choose_variants(
    known: Mapping[str, Variant], wanted: str | None, where: Path
) -> list[str | None]:
    """Return the names to run: the first by default. Raises :class:`ManifestError`."""
    if wanted is None:
        return [next(iter(known), None)]
    if wanted == BOTH and known:
        return list(known)
    if wanted not in known:
        names = ", ".join([*known, BOTH]) if known else "none"
        raise ManifestError(f"{where}: no adapter {wanted!r}; known: {names}")
    return [wanted]
