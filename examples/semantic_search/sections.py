"""The sections of Markdown files: what stands below each `##` heading."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
LIST_OF_LINKS = re.compile(r"- \[.*\]\(#.*\)")


@dataclass(frozen=True)
class Section:
    """One section: `file` below the folder, `line` of its heading, counted from 1."""

    file: str
    line: int
    title: str
    heading: str
    prose: str

    @property
    def text(self) -> str:
        """What is embedded: the words. Code has too many tokens that mean little to the model."""
        return f"{self.title}: {self.heading}\n{self.prose}"


def read_sections(folder: Path) -> list[Section]:
    """The sections of all Markdown files below `folder`; OSError or UnicodeError."""
    return [
        section
        for path in sorted(folder.rglob("*.md"))
        for section in _sections(str(path.relative_to(folder)), path.read_text("utf-8"))
    ]


def _sections(file: str, text: str) -> Iterator[Section]:
    title = file
    heading, line, prose = "", 0, []
    for number, content in _outside_of_fences(text):
        if content.startswith("# "):
            title = content[2:].strip()
        elif content.startswith("## "):
            if heading:
                yield Section(file, line, title, heading, "\n".join(prose).strip())
            heading, line, prose = content[3:].strip(), number, []
        elif not LIST_OF_LINKS.match(content):
            prose.append(content)
    if heading:
        yield Section(file, line, title, heading, "\n".join(prose).strip())


def _outside_of_fences(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, without code fences: a `## comment` in one is no heading."""
    fence = ""
    for number, line in enumerate(text.splitlines(), start=1):
        mark = FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and line.strip() == mark[1]:
                fence = ""
        elif mark:
            fence = mark[1]
        else:
            yield number, line
