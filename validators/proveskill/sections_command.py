"""``proveskill sections``: list the sections of a pack, search them, print one, write them down."""

from __future__ import annotations

import argparse
import difflib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from proveskill.exit_status import OK, WRONG
from proveskill.manifest import Manifest, find_manifest
from proveskill.model import ManifestError
from proveskill.section_records import FileRecord, SectionRecord, read_records, token_counter
from proveskill.section_search import SectionSearch
from proveskill.sections_file import differences, sections_text
from proveskill.skill_files import SECTIONS
from proveskill.writing import write_file

_MOST_DIFFERENCES = 10


def sections(options: argparse.Namespace) -> int:
    """Do what the options say; return the exit status. Raises ``ManifestError``."""
    manifest = find_manifest(Path(options.path))
    files = read_records(manifest)
    if options.write or options.check:
        return _write_or_check(manifest, files, write=options.write)
    found = [record for file in files for record in file.records]
    if options.section is not None:
        found = [choose(found, options.section)]
        if not options.json:
            print(found[0].text, end="")
            return OK
    elif options.search is not None:
        found = [record for record, _ in SectionSearch(found).find(options.search)]
        if not found:
            print(f"no section has any of these words: {options.search}", file=sys.stderr)
            return WRONG
    count = _counter_or_none()
    if options.json:
        entries = [_entry(record, manifest, count) for record in found]
        print(json.dumps(entries, indent=2, ensure_ascii=False))
        return OK
    _print_table(found, count)
    return OK


def choose(records: list[SectionRecord], wanted: str) -> SectionRecord:
    """Return the section of an id. Raises :class:`ManifestError` with ids that are like it."""
    for record in records:
        if record.section.id == wanted:
            return record
    near = difflib.get_close_matches(wanted, [record.section.id for record in records], 3, 0.3)
    hint = f"; near: {', '.join(near)}" if near else ""
    raise ManifestError(f"no section {wanted!r}{hint}; 'proveskill sections' lists them")


def outdated(manifest: Manifest, files: list[FileRecord], skill: Path) -> list[str]:
    """Return what differs in a skill's ``sections.json`` from its text."""
    return differences(skill, sections_text(manifest, skill, files, token_counter()))


def _write_or_check(manifest: Manifest, files: list[FileRecord], *, write: bool) -> int:
    status = OK
    count = token_counter()
    for skill in manifest.skills:
        file = skill / SECTIONS
        text = sections_text(manifest, skill, files, count)
        shown = os.path.relpath(file)
        different = differences(skill, text)
        if not different:
            print(f"{shown}: {sum(len(f.records) for f in files if f.skill == skill)} sections")
        elif write:
            write_file(text, file)
            print(f"{shown}: written, {len(text.encode()):,} bytes")
        else:
            status = WRONG
            print(f"error: {shown} is not what the text says:", file=sys.stderr)
            for difference in different[:_MOST_DIFFERENCES]:
                print(f"  {difference}", file=sys.stderr)
            if (more := len(different) - _MOST_DIFFERENCES) > 0:
                print(f"  and {more} more", file=sys.stderr)
            where = os.path.relpath(manifest.root)
            print(f"write it anew: proveskill sections {where} --write", file=sys.stderr)
    return status


def _counter_or_none() -> Callable[[str], int] | None:
    try:
        return token_counter()
    except ManifestError:  # a list is useful without the numbers of tokens
        return None


def _entry(
    record: SectionRecord, manifest: Manifest, count: Callable[[str], int] | None
) -> dict[str, object]:
    return record.as_json(count) | {"file": os.path.relpath(record.section.file, manifest.root)}


def _print_table(records: list[SectionRecord], count: Callable[[str], int] | None) -> None:
    width = max((len(record.section.id) for record in records), default=0)
    for record in records:
        section = record.section
        tokens = f"  {count(record.text):>5} tokens" if count else ""
        print(
            f"{section.id:<{width}}  {len(section.snippets):>3} fences  "
            f"{len(section.statements):>3} statements{tokens}  {record.title}"
        )
