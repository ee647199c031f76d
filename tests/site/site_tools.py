"""A site as files, the command that makes one, and a small pack to make one of."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).parents[2]

PACK = {
    "skill.yaml": """\
schema: 1
name: small
version: "1.0.0"
skills: [skills/small]
path: [modules]
proofs: {path: proofs, advice: advice.yaml, required: true}
adapters:
  plain: {}
  cured:
    replace: {faulty: healthy}
    fault_mark: WRONG
""",
    "modules/faulty.py": "def double(n):\n    return n + 2\n",
    "modules/healthy.py": "def double(n):\n    return n * 2\n",
    "advice.yaml": "- {says: Be kind., reason: it is a wish}\n",
    "skills/small/SKILL.md": """\
---
name: small
description: What the tests make a site of.
---
# Small

Be kind.

## Print

It prints {braces}`here` and % signs. See [the other file](references/other.md#double-a-number).

```python
print("<printed> & shown")
2 + 3  # -> 5
int("x")  # raises ValueError
```

```python
print("below")
```

```text
below
```
""",
    "skills/small/references/other.md": """\
# Other

## Double a number

The double of 3 is 5.

```python
from faulty import double

double(2)  # -> 4
# WRONG: adds
double(3)  # -> 5
```

| number | double |
|---|---|
| 1 | 2 |
| 4 | 8 |
""",
    "proofs/test_small.py": """\
from proveskill import proves


@proves("It prints {{braces}}`here` and % signs.", "See the other file.")
def test_it_prints():
    assert "%" in "% signs"


@proves("The double of {number} is {double}.", adapter="plain")
def test_a_fault(number: int, double: int):
    assert number + 2 == double


@proves("{number} | {double}", table="number | double")
def test_doubles(number: int, double: int):
    assert number * 2 == double
""",
}


def write_files(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def proveskill(*arguments: str | Path, **changes: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "proveskill", *map(str, arguments)]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "GITHUB"))}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=180, check=False, env=kept | changes
    )


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if identifier := values.get("id"):
            self.anchors.add(identifier)
        name = "href" if tag in ("a", "link") else "src"
        if (target := values.get(name)) is not None:
            self.targets.append(target)


@dataclass(frozen=True)
class Site:
    """A folder of pages."""

    folder: Path

    def text(self, page: str) -> str:
        return (self.folder / page).read_text(encoding="utf-8")

    @cached_property
    def pages(self) -> dict[str, _Reader]:
        found = {}
        for file in sorted(self.folder.rglob("*.html")):
            found[str(file.relative_to(self.folder))] = reader = _Reader()
            reader.feed(file.read_text(encoding="utf-8"))
        return found
