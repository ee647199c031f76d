"""``proveskill site``: a site of the pack's Markdown with what a run has found."""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path

from proveskill.exit_status import OK, WRONG
from proveskill.manifest import find_manifest
from proveskill.model import ManifestError
from proveskill.site.evidence import read_evidence

_NEEDED = ("sphinx", "furo", "myst_parser")


def site(options: argparse.Namespace) -> int:
    """Build a site; return the exit status. Raises ``ManifestError``."""
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        raise ManifestError(
            f"{', '.join(missing)}: not installed; pip install 'proveskill[site]' brings what "
            "makes pages"
        )
    from proveskill.site.build import build_site

    manifest = find_manifest(Path(options.path))
    docs = Path(options.docs).resolve() if options.docs else None
    if docs is not None and not docs.is_dir():
        raise ManifestError(f"{options.docs}: no such folder")
    report, out = Path(options.report), Path(options.out)
    evidence = read_evidence(manifest, report)
    warnings = build_site(manifest, report, docs, out.resolve())
    for name in evidence.changed:
        print(f"note: {name} has changed since the run of {evidence.started} in {report}")
    for warning in warnings:
        print(f"error: {warning}", file=sys.stderr)
    pages = sum(1 for _ in out.rglob("*.html"))
    print(f"{pages} pages: {out / 'index.html'}")
    return WRONG if warnings else OK
