"""``sections.json``: the sections of a skill as data, written from its text, compared with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from proveskill.fixture_index import read_fixtures
from proveskill.json_lines import json_lines
from proveskill.manifest import Manifest
from proveskill.section_records import ENCODING, FileRecord
from proveskill.skill_files import SECTIONS

SCHEMA = 1


def sections_text(
    manifest: Manifest, skill: Path, files: list[FileRecord], count: Callable[[str], int]
) -> str:
    """Return the text of a skill's ``sections.json``: the same bytes for the same skill."""
    ours = [file for file in files if file.skill == skill]
    records = [record for file in ours for record in file.records]
    brought = sorted({name for record in records for name in record.brings})
    explained = read_fixtures(manifest.fixtures).explained
    return json_lines(
        {
            "schema": SCHEMA,
            "pack": manifest.name,
            "version": manifest.version,
            "skill": skill.name,
            "encoding": ENCODING,
            "names": {name: explained[name] for name in brought},
            "files": [file.as_json(count) for file in ours],
            "sections": [record.as_json(count) for record in records],
        }
    )


def differences(skill: Path, wanted: str) -> list[str]:
    """Return what is not in a skill's ``sections.json`` as it must be; nothing when it is right."""
    file = skill / SECTIONS
    try:
        found = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ["it is missing"]
    except (OSError, UnicodeDecodeError) as error:
        return [str(error)]
    if found == wanted:
        return []
    try:
        return list(_differences(json.loads(found), json.loads(wanted))) or ["its format differs"]
    except (ValueError, TypeError, AttributeError, KeyError):
        return ["it is not the JSON of sections"]


def _differences(found: dict[str, Any], wanted: dict[str, Any]) -> Iterator[str]:
    for key in ("files", "sections"):
        name = "file" if key == "files" else "id"
        old = {entry[name]: entry for entry in found.pop(key)}
        new = {entry[name]: entry for entry in wanted.pop(key)}
        kind = key.removesuffix("s")
        yield from (f"{kind} {entry} is missing" for entry in new if entry not in old)
        yield from (f"{kind} {entry} is no longer there" for entry in old if entry not in new)
        for entry in [entry for entry in new if entry in old and old[entry] != new[entry]]:
            yield f"{kind} {entry}: {', '.join(_changed(old[entry], new[entry]))} changed"
        if list(old) != list(new) and old.keys() == new.keys():
            yield f"the order of {key} changed"
    if changed := _changed(found, wanted):
        yield f"{', '.join(changed)} changed"


def _changed(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    keys = dict.fromkeys([*new, *old])
    return [key for key in keys if key not in old or key not in new or old[key] != new[key]]
