"""A skill folder -> what an index says of it: its pages, when to load them, their sections."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from proveskill.manifest import SKILL, Manifest
from proveskill.markdown import parse, read_document, title_of
from proveskill.model import ManifestError
from proveskill.reading import reading

_LOAD = re.compile(r"(?:Load|Read) this (?:file |page )?")


@dataclass(frozen=True)
class Page:
    """A Markdown file of a skill."""

    path: str
    """Relative to the skill, with slashes."""
    title: str
    when: str
    """Its first sentence, without the "Load this" that it begins with."""
    sections: tuple[str, ...]
    """The titles of its ``##`` sections."""
    text: str
    """All of it but the front matter."""


@dataclass(frozen=True)
class Skill:
    """A skill as its front matter and its pages describe it; ``SKILL.md`` is the first page."""

    folder: Path
    place: str
    """The folder relative to the pack, with slashes; ``.`` when it is the pack."""
    name: str
    description: str
    license: str | None
    pages: tuple[Page, ...]


def read_skill(folder: Path, manifest: Manifest) -> Skill:
    """Read a skill whose front matter has been checked.

    Raises :class:`ManifestError` when the folder is not below skill.yaml, or a file not UTF-8.
    """
    if not folder.is_relative_to(manifest.root):
        raise ManifestError(
            f"{manifest.file}: skills: {folder} is not below {manifest.root}, where installers look"
        )
    front = yaml.safe_load(parse(_text(folder / SKILL))[0].content)
    return Skill(
        folder=folder,
        place=folder.relative_to(manifest.root).as_posix(),
        name=front["name"],
        description=" ".join(front["description"].split()),
        license=front.get("license"),
        pages=tuple(
            _page(file, folder, manifest) for file in manifest.files() if folder in file.parents
        ),
    )


def _page(file: Path, folder: Path, manifest: Manifest) -> Page:
    text = _text(file)
    tokens = parse(text)
    top, *sections = read_document(file, manifest.name_of(file)).sections
    if tokens and tokens[0].type == "front_matter" and tokens[0].map:
        text = "".join(text.splitlines(keepends=True)[tokens[0].map[1] :])
    said = next((statement.text for statement in top.statements if not statement.table), "")
    return Page(
        path=file.relative_to(folder).as_posix(),
        title=title_of(text) or file.stem,
        when=_LOAD.sub("", said, count=1),
        sections=tuple(section.title for section in sections),
        text=text,
    )


def _text(file: Path) -> str:
    with reading(file):
        return file.read_text(encoding="utf-8-sig")
