"""``proveskill receipt``: write down in the skill what a run has proven, or check it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from proveskill.exit_status import OK, WRONG
from proveskill.manifest import Manifest, find_manifest
from proveskill.receipt import REPORT_KEYS, NotProven, changes, receipt_text
from proveskill.section_records import read_records
from proveskill.sections_command import outdated
from proveskill.skill_files import RECEIPT, SECTIONS
from proveskill.stored_report import read_report, reading_entries
from proveskill.writing import write_file


def receipt(options: argparse.Namespace) -> int:
    """Write or check; return the exit status. Raises ``ManifestError``."""
    manifest = find_manifest(Path(options.path))
    if options.check:
        return _check(manifest)
    return _write(manifest, Path(options.report))


def _write(manifest: Manifest, report_file: Path) -> int:
    report = read_report(report_file, REPORT_KEYS)
    files = read_records(manifest)
    texts: dict[Path, str] = {}
    for skill in manifest.skills:
        if (skill / SECTIONS).exists() and outdated(manifest, files, skill):
            where = os.path.relpath(manifest.root)
            print(
                f"error: {os.path.relpath(skill / SECTIONS)} is not what the text says; write it "
                f"anew first: proveskill sections {where} --write",
                file=sys.stderr,
            )
            return WRONG
        ours = [record for file in files if file.skill == skill for record in file.records]
        try:
            with reading_entries(report_file):
                texts[skill] = receipt_text(manifest, skill, ours, report)
        except NotProven as error:
            print(f"error: no receipt from {report_file}: {error}", file=sys.stderr)
            return WRONG
    for skill, text in texts.items():
        write_file(text, skill / RECEIPT)
        print(f"{os.path.relpath(skill / RECEIPT)}: written, {len(text.encode()):,} bytes")
    return OK


def _check(manifest: Manifest) -> int:
    status = OK
    for skill in manifest.skills:
        file = skill / RECEIPT
        try:
            differences = changes(skill, json.loads(file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            differences = [f"{RECEIPT}: missing"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            differences = [f"{RECEIPT}: not a receipt: {error!r}"]
        for difference in differences:
            print(f"error: {os.path.relpath(skill)}/{difference}", file=sys.stderr)
        if differences:
            status = WRONG
            where = os.path.relpath(manifest.root)
            print(
                f"verify the pack, then: proveskill receipt {where} --from REPORT", file=sys.stderr
            )
        else:
            print(f"{os.path.relpath(file)}: every file is as it was when it was proven")
    return status
