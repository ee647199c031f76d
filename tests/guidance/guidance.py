"""The pack as its tests see it: where its files are, and what their sections say."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from mdit_py_plugins.front_matter import front_matter_plugin
from proveskill.manifest import Manifest, read_manifest
from proveskill.markdown import read_document, slugify
from proveskill.model import Section

ROOT = Path(__file__).parents[2]
SKILL = ROOT / "skills" / "sqlspec-psqlpy"
CURED = ROOT / "tests" / "promises" / "cured_fences.yaml"
"""The fences that need not hold on the drop-in, beside those that carry the mark WRONG."""
HUMAN_DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]

_INLINE = MarkdownIt("commonmark").enable("table").use(front_matter_plugin)


@cache
def manifest() -> Manifest:
    return read_manifest(ROOT / "skill.yaml")


def skill_files() -> list[Path]:
    return manifest().files()


def sections(file: Path) -> tuple[Section, ...]:
    """Return the sections of a file; the part above the first heading is ``top``."""
    return read_document(file, manifest().name_of(file)).sections


def section_text(section: Section) -> str:
    lines = section.file.read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(lines[section.line - 1 : section.end_line])


def slug(section: Section) -> str:
    return section.id.partition("#")[2]


def anchors(file: Path) -> set[str]:
    """Return the anchors of all headings of a file, of every level, as GitHub gives them."""
    found: dict[str, int] = {}
    tokens = _INLINE.parse(file.read_text(encoding="utf-8"))
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            name = slugify(re.sub(r"[`*]", "", tokens[index + 1].content))
            found[name] = found.get(name, -1) + 1
    return {f"{name}-{n}" if n else name for name, most in found.items() for n in range(most + 1)}


def links(file: Path) -> list[str]:
    """Return the targets of the links of a file that name no other site."""
    targets = [
        str(child.attrs["href"])
        for token in _INLINE.parse(file.read_text(encoding="utf-8"))
        for child in token.children or ()
        if child.type == "link_open"
    ]
    return [target for target in targets if not re.match(r"[a-z]+:", target)]
