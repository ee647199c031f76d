"""The files of a pack -> pages: their names, their order, and their text with marks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml
from markdown_it import MarkdownIt

from proveskill.manifest import SKILL, Manifest
from proveskill.markdown import parse, read_document
from proveskill.model import Section, Snippet, Statement
from proveskill.prose import statements
from proveskill.reading import reading

MARK = re.compile(r"<!--statement (?P<id>[^ ]+)-->\Z")
"""What stands behind a statement in the text of a page; a comment, so no reader sees it."""


@dataclass(frozen=True)
class Page:
    """A Markdown file of a pack."""

    docname: str
    """Its path in the site, without a suffix: ``my-skill/references/pool``."""
    file: Path
    sections: tuple[Section, ...]
    purpose: str
    """The first sentence, of a SKILL.md that of its description."""

    @property
    def snippets(self) -> list[Snippet]:
        """Its fences, in the order of the text."""
        return [snippet for section in self.sections for snippet in section.snippets]

    @property
    def statements(self) -> list[Statement]:
        """Its statements, in the order of the text."""
        return [statement for section in self.sections for statement in section.statements]


def read_pages(manifest: Manifest) -> dict[str, Page]:
    """Return the pages by docname: each SKILL.md, then what it links to, then the others.

    Raises ``OSError`` and ``UnicodeDecodeError``.
    """
    pages = {}
    for file in _reading_order(manifest):
        skill = next(skill for skill in manifest.skills if skill in file.parents)
        docname = f"{skill.name}/{file.relative_to(skill).with_suffix('').as_posix()}"
        with reading(file):
            sections = read_document(file, manifest.name_of(file)).sections
        pages[docname] = Page(docname, file, sections, _purpose(file))
    return pages


def marked_text(page: Page) -> str:
    """Return the text of a page, with a mark behind each statement and without its front matter.

    Every line stays where it is.
    """
    text = page.file.read_text(encoding="utf-8-sig")
    lines = text.split("\n")
    for token in parse(text):
        if token.type == "front_matter" and token.map is not None:
            lines[slice(*token.map)] = [""] * (token.map[1] - token.map[0])
    for statement in sorted(page.statements, key=lambda s: s.end, reverse=True):
        number, column = statement.end
        line = lines[number - 1]
        lines[number - 1] = f"{line[:column]}<!--statement {statement.id}-->{line[column:]}"
    return "\n".join(lines)


def _reading_order(manifest: Manifest) -> Iterable[Path]:
    files = manifest.files()
    order = []
    for file in files:
        if file.name == SKILL:
            order += [file, *(target for target in _links(file) if target in files)]
    return dict.fromkeys([*order, *files])


def _links(file: Path) -> list[Path]:
    """Return the files that a file links to."""
    tokens = MarkdownIt("commonmark").parse(file.read_text(encoding="utf-8-sig"))
    targets = [
        str(child.attrs["href"]).partition("#")[0]
        for token in tokens
        for child in token.children or ()
        if child.type == "link_open"
    ]
    return [(file.parent / target).resolve() for target in targets if target]


def _purpose(file: Path) -> str:
    text = file.read_text(encoding="utf-8-sig")
    if file.name == SKILL and (description := _description(text)):
        return description.partition(". ")[0].rstrip(".") + "."
    found = next(statements(parse(text), file, "", text.split("\n")), None)
    return found.text if found else ""


def _description(text: str) -> str:
    """Return what the front matter says of a skill; "" where it cannot be read."""
    for token in parse(text):
        if token.type == "front_matter":
            with suppress(yaml.YAMLError):
                fields = yaml.safe_load(token.content)
                return str(fields.get("description", "")) if isinstance(fields, dict) else ""
    return ""
