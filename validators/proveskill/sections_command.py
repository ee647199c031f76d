"""``proveskill sections``: list the sections of a pack, or print one."""

from __future__ import annotations

import argparse
import difflib
import json
import os
from pathlib import Path

from proveskill.manifest import Manifest, find_manifest
from proveskill.markdown import read_document
from proveskill.model import ManifestError, Section


def sections(options: argparse.Namespace) -> int:
    """List or print sections; return the exit status. Raises ``ManifestError``."""
    manifest = find_manifest(Path(options.path))
    found = [
        section
        for file in manifest.files()
        for section in read_document(file, manifest.name_of(file)).sections
        if section.snippets or not section.id.endswith("#top")
    ]
    if options.section is not None:
        found = _choose(found, options.section)
        if not options.json:
            print(_text_of(found[0]), end="")
            return 0
    if options.json:
        print(json.dumps([_record(section, manifest) for section in found], indent=2))
        return 0
    width = max((len(section.id) for section in found), default=0)
    for section in found:
        print(f"{section.id:<{width}}  {len(section.snippets):>3} fences  {section.title}")
    return 0


def _choose(sections: list[Section], wanted: str) -> list[Section]:
    chosen = [section for section in sections if section.id == wanted]
    if not chosen:
        near = difflib.get_close_matches(wanted, [section.id for section in sections], 3, 0.3)
        hint = f"; near: {', '.join(near)}" if near else ""
        raise ManifestError(f"no section {wanted!r}{hint}; 'proveskill sections' lists them")
    return chosen


def _text_of(section: Section) -> str:
    lines = section.file.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    return "".join(lines[section.line - 1 : section.end_line])


def _record(section: Section, manifest: Manifest) -> dict[str, object]:
    return {
        "id": section.id,
        "title": section.title,
        "file": os.path.relpath(section.file, manifest.root),
        "line": section.line,
        "end_line": section.end_line,
        "snippets": [
            {"id": s.id, "line": s.line, "language": s.language} for s in section.snippets
        ],
    }
