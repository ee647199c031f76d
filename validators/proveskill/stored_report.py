"""A report that ``proveskill verify --report`` has written -> its data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from proveskill.model import ManifestError
from proveskill.report import SCHEMA


def read_report(file: Path, keys: Iterable[str]) -> dict[str, Any]:
    """Read a report that has some keys. Raises :class:`ManifestError` for what is none."""
    try:
        report = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ManifestError(f"cannot read {file}: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise ManifestError(f"{file}:{error.lineno}: not JSON: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise ManifestError(f"{file}: not JSON: {error}") from None
    found = report.get("schema") if isinstance(report, dict) else None
    if found != SCHEMA:
        raise ManifestError(
            f"{file}: no report of proveskill verify --report: schema is {found!r}, not {SCHEMA}"
        )
    if missing := [key for key in keys if key not in report]:
        raise ManifestError(f"{file}: no {missing[0]!r}: not what verify --report writes")
    return dict(report)


@contextmanager
def reading_entries(file: Path) -> Iterator[None]:
    """Raise :class:`ManifestError` for an entry of a report that lacks what is read of it."""
    try:
        yield
    except (KeyError, TypeError, AttributeError) as error:
        raise ManifestError(
            f"{file}: an entry is not as verify --report writes it: {error}"
        ) from None
