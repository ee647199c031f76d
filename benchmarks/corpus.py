"""Writes the same snippets twice: as fences of Markdown files and as plain pytest functions."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path

TRIVIAL = "x = 1 + 1\nassert x == 2\n"
ROUND_TRIP = """\
import os
import psycopg

async with await psycopg.AsyncConnection.connect(os.environ["DATABASE_URL"]) as connection:
    cursor = await connection.execute("SELECT 1 + 1")
    row = await cursor.fetchone()
assert row == (2,)
"""
_SKILL = "---\nname: {name}\ndescription: fences for a benchmark\n---\n# Benchmark\n"
_SYBIL = """\
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

pytest_collect_file = Sybil([PythonCodeBlockParser()], patterns=["*.md"]).pytest()
"""


@dataclass(frozen=True)
class Corpus:
    """How many fences, in how many files, and how many of them share a section."""

    name: str
    code: str
    fences: int
    a_section: int
    files: int = 10

    def write(self, root: Path) -> tuple[Path, Path]:
        """Write both forms; return the folder of the Markdown and that of the functions."""
        markdown, functions = root / f"{self.name}-md", root / f"{self.name}-py"
        markdown.mkdir(parents=True)
        functions.mkdir()
        (markdown / "SKILL.md").write_text(_SKILL.format(name=markdown.name))
        (markdown / "conftest.py").write_text(_SYBIL)
        awaits = "await " in self.code
        head = "import pytest\n" if awaits else ""
        mark = "@pytest.mark.asyncio\nasync " if awaits else ""
        for number in range(self.files):
            fences, tests = [f"# Document {number}\n"], [head]
            for index in range(self.fences // self.files):
                if index % self.a_section == 0:
                    fences.append(f"\n## Section {index // self.a_section}\n")
                fences.append(f"\nProse about fence {index}.\n\n```python\n{self.code}```\n")
                body = textwrap.indent(self.code, "    ")
                tests.append(f"\n\n{mark}def test_fence_{index}():\n{body}")
            (markdown / f"document_{number}.md").write_text("".join(fences))
            (functions / f"test_document_{number}.py").write_text("".join(tests))
        return markdown, functions
