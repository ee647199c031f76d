"""Sections -> records: what a reader, or a program, must know before a section is loaded."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from proveskill.fixture_index import FixtureIndex, read_fixtures
from proveskill.front_matter import body_of, read_front_matter
from proveskill.manifest import SKILL, Manifest
from proveskill.markdown import read_document, title_of
from proveskill.model import ManifestError, Section, Snippet
from proveskill.plan import Plan, make_plan
from proveskill.python_source import PythonCode, compile_snippet
from proveskill.reading import reading
from proveskill.skill_files import digest_of

ENCODING = "o200k_base"
"""The vocabulary by which tokens are counted; the package bpe-openai ships it."""


@dataclass(frozen=True)
class SectionRecord:
    """A section, with what it asks of its reader."""

    section: Section
    skill: Path
    title: str
    text: str
    """Its lines of the file, with the heading."""
    brings: tuple[str, ...]
    """Names that its fences use and the reader's own program must have: fixtures of the pack."""
    environment: tuple[str, ...]
    """Environment variables that its fences read."""
    needs: tuple[str, ...]
    """Distributions that the pack pins, and other modules that the fences import."""

    @property
    def file(self) -> str:
        """The name of its file inside the skill."""
        return self.section.file.relative_to(self.skill).as_posix()

    @property
    def summary(self) -> str:
        """Its first sentence or list item, empty where there is none."""
        return next((s.text for s in self.section.statements if s.table is None), "")

    def as_json(self, count: Callable[[str], int] | None) -> dict[str, Any]:
        """Return the entry of ``sections.json``; ``count`` counts tokens."""
        section = self.section
        return {
            "id": section.id,
            "title": self.title,
            "file": self.file,
            "line": section.line,
            "end_line": section.end_line,
            "tokens": count(self.text) if count else None,
            "summary": self.summary,
            "brings": list(self.brings),
            "environment": list(self.environment),
            "needs": list(self.needs),
            "digest": digest_of(self.text.encode()),
            "snippets": [
                {"id": s.id, "line": s.line, "language": s.language} for s in section.snippets
            ],
            "statements": [
                {"id": s.id, "line": s.line, "digest": digest_of(s.text.encode())[:16]}
                for s in section.statements
            ],
        }


@dataclass(frozen=True)
class FileRecord:
    """A Markdown file of a skill and its sections."""

    file: Path
    skill: Path
    text: str
    records: tuple[SectionRecord, ...]

    @property
    def name(self) -> str:
        """Its name inside the skill."""
        return self.file.relative_to(self.skill).as_posix()

    @property
    def title(self) -> str:
        """Its ``#`` heading, else its stem."""
        return title_of(self.text) or self.file.stem

    @cached_property
    def load(self) -> str:
        """When to load it: of SKILL.md its description, of any other file its first sentence."""
        if self.name == SKILL:
            description = read_front_matter(self.text).get("description", "")
            return " ".join(str(description).split())
        return next((record.summary for record in self.records if record.summary), "")

    def as_json(self, count: Callable[[str], int] | None) -> dict[str, Any]:
        """Return the entry of ``sections.json``; ``count`` counts tokens."""
        return {
            "file": self.name,
            "title": self.title,
            "load": self.load,
            "tokens": count(self.text) if count else None,
            **(self._parts() if self.name == SKILL else {}),
        }

    def _parts(self) -> dict[str, Any]:
        """Return the fields above the text and the digest of the text below them.

        An installer that adds fields can be told from one that changes the text.
        """
        fields = {
            str(key): {str(k): str(v) for k, v in value.items()}
            if isinstance(value, dict)
            else str(value)
            for key, value in read_front_matter(self.text).items()
        }
        return {"front_matter": fields, "body": digest_of(body_of(self.text).encode())}


def token_counter() -> Callable[[str], int]:
    """Return what counts the tokens of a text. Raises :class:`ManifestError`."""
    try:
        from bpe_openai import get_encoding
    except ImportError:
        raise ManifestError(
            "the package bpe-openai, which counts tokens, is not installed: "
            "pip install 'proveskill[sections]'"
        ) from None
    encoding = get_encoding(ENCODING)
    return lambda text: len(encoding.encode(text))


def read_records(manifest: Manifest) -> list[FileRecord]:
    """Read the files of a pack, in its order. Raises :class:`ManifestError`."""
    fixtures = read_fixtures(manifest.fixtures)
    return [_read_file(file, manifest, fixtures) for file in manifest.files()]


def _read_file(file: Path, manifest: Manifest, fixtures: FixtureIndex) -> FileRecord:
    with reading(file):
        text = file.read_text(encoding="utf-8-sig")
        document = read_document(file, manifest.name_of(file))
    skill = next(skill for skill in manifest.skills if skill in file.parents)
    lines = list(io.StringIO(text))  # unlike splitlines, only at line breaks
    records = []
    for section in document.sections:
        is_top = section.id.endswith("#top")
        if is_top and not section.snippets and not section.statements:
            continue
        plan = make_plan(section, str(file), fixtures, _compile)
        part = "".join(lines[section.line - 1 : section.end_line])
        records.append(
            SectionRecord(
                section=section,
                skill=skill,
                title=title_of(text) or file.stem if is_top else section.title,
                text=part,
                brings=_brings(plan, fixtures),
                environment=tuple(sorted(plan.variables)),
                needs=_needs(plan, part, manifest),
            )
        )
    return FileRecord(file, skill, text, tuple(records))


def _compile(snippet: Snippet, filename: str, keep_result: bool) -> PythonCode:
    return compile_snippet(snippet, filename, keep_result=keep_result)


def _brings(plan: Plan, fixtures: FixtureIndex) -> tuple[str, ...]:
    """Return the fixtures that stand in for names of the reader's program.

    What does not compile asks for nothing here: verifying complains about it.
    """
    brought, defined = set[str](), set[str]()
    for python in [step.python for step in plan.steps if step.python]:
        brought |= (python.needs - defined) & fixtures.names
        defined |= python.defines
    return tuple(sorted(brought))


def _needs(plan: Plan, text: str, manifest: Manifest) -> tuple[str, ...]:
    """Return the pinned distributions, narrowed by ``needs`` of the manifest, and other imports.

    Modules of the pack itself, and those that a fence writes, are nothing to install.
    """
    patterns = manifest.needs
    pinned = {
        name
        for name in manifest.versions
        if name != "postgresql" and re.search(patterns.get(name, ""), text)
    }
    imports = {name for step in plan.steps if step.python for name in step.python.imports}
    own = {
        name
        for name in imports
        if f"{name}.py" in text
        or any((folder / name).is_dir() or (folder / f"{name}.py").is_file()
               for folder in manifest.path)
    }  # fmt: skip
    other = imports - own - set(manifest.versions) - sys.stdlib_module_names - {"__future__"}
    return tuple(sorted(pinned | other))
