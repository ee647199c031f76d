"""``proveskill init``: a first skill.yaml, from what the skills in a folder are made of."""

from __future__ import annotations

import argparse
import ast
import os
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

import yaml

from proveskill.exit_status import OK
from proveskill.manifest import MANIFEST, SKILL, Manifest
from proveskill.markdown import parse, read_document
from proveskill.model import ManifestError, Section, Snippet
from proveskill.outputs.counts import plural
from proveskill.servers import client_programs
from proveskill.writing import write_file

_PASSED_OVER = {".git", ".venv", "node_modules", "site-packages", "venv", "__pycache__"}
_EXTENSION = re.compile(
    r'^[^-\n]*\bCREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:"([\w-]+)"|(\w+))',
    re.IGNORECASE | re.MULTILINE,
)
_VERSION = re.compile(r"\d+\.\d+\.\d+")


def init(options: argparse.Namespace) -> int:
    """Write a skill.yaml and print what was found; return 0. Raises ``ManifestError``."""
    root = Path(options.path)
    if not root.is_dir():
        raise ManifestError(f"{root}: no such folder")
    file = root / MANIFEST
    if file.exists():
        raise ManifestError(f"{file} is there already: edit it, or remove it first")
    skills, twins = _skills(root.resolve())
    if not skills:
        raise ManifestError(
            f"{root}: no {SKILL} in this folder or below it: write one first, which begins with "
            "---, name: MY-SKILL (as its folder), description: ..., ---"
        )
    sections = list(_sections(Manifest(root.resolve(), root.resolve().name, skills=tuple(skills))))
    snippets = [snippet for section in sections for snippet in section.snippets]
    named, available = _extensions(snippets), _available_extensions()
    absent = sorted(named - available)
    fields = {
        "name": re.sub(r"[^a-z0-9]+", "-", root.resolve().name.lower()).strip("-") or "pack",
        "version": _version(skills),
        "skills": [skill.relative_to(root.resolve()).as_posix() for skill in skills],
        "extensions": sorted(named & available),
        "versions": _versions(snippets),
    }
    write_file(_text(fields, absent), file)
    languages = Counter(snippet.language or "no language" for snippet in snippets)
    shown = ", ".join(f"{name} {number}" for name, number in languages.most_common())
    statements = sum(len(section.statements) for section in sections)
    print(f"wrote {file}: {plural(len(skills), 'skill')}, {plural(len(snippets), 'fence')}"
          f"{f' ({shown})' if shown else ''}, {plural(statements, 'statement')}")  # fmt: skip
    if twins:
        print(f"note: left out, because another skill has the name: {plural(len(twins), 'skill')}, "
              f"the first is {twins[0].relative_to(root.resolve())}")  # fmt: skip
    if absent:
        print(f"note: the embedded server does not have {', '.join(absent)}: name an image that "
              "does (server: kind, image), or what needs it is only parsed")  # fmt: skip
    print(f"next: proveskill verify {shlex.quote(str(root))}")
    return OK


def _skills(root: Path) -> tuple[list[Path], list[Path]]:
    """Return the folders with a SKILL.md, and those whose name one nearer to the root has."""
    paths: list[Path] = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(set(folders) - _PASSED_OVER)
        if SKILL in files:
            folders.clear()  # what is inside a skill belongs to it
            paths.append(Path(folder))
    found: dict[str, Path] = {}
    for path in sorted(paths, key=lambda path: (len(path.parts), path)):
        found.setdefault(path.name, path)
    return list(found.values()), [path for path in paths if path not in found.values()]


def _sections(manifest: Manifest) -> Iterator[Section]:
    for file in manifest.files():
        try:
            yield from read_document(file, manifest.name_of(file)).sections
        except (OSError, UnicodeDecodeError):
            continue  # verify says so, with the reason


def _extensions(snippets: Iterable[Snippet]) -> set[str]:
    """Return the extensions that fences create."""
    found = (match for s in snippets for match in _EXTENSION.finditer(s.source))
    return {(match[1] or match[2]).lower() for match in found} - {"plpgsql"}


def _available_extensions() -> set[str]:
    """Return the extensions of the embedded server; none where it is not installed."""
    programs = client_programs()
    folder = programs.parent / "share" / "extension" if programs else Path("nowhere")
    return {file.stem for file in folder.glob("*.control")}


def _versions(snippets: Iterable[Snippet]) -> dict[str, str]:
    """Return the installed version of each distribution that fences import."""
    modules: set[str] = set()
    for snippet in snippets:
        if snippet.language != "python":
            continue
        try:
            tree = ast.parse(snippet.source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # verify says so, with the line
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module.partition(".")[0])
    known = packages_distributions()
    names = {name for module in modules for name in known.get(module, ())}
    return {name: version(name) for name in sorted(names)}


def _version(skills: list[Path]) -> str:
    """Return the version in the front matter of the only skill, or the first version of all."""
    if len(skills) == 1:
        tokens = parse((skills[0] / SKILL).read_text(encoding="utf-8-sig", errors="replace"))
        if tokens and tokens[0].type == "front_matter":
            try:
                found = yaml.safe_load(tokens[0].content)["metadata"]["version"]
            except (yaml.YAMLError, KeyError, TypeError):
                found = ""
            if _VERSION.match(str(found)):
                return str(found)
    return "0.1.0"


def _text(fields: dict[str, Any], absent: list[str]) -> str:
    def shown(**entry: Any) -> str:
        return yaml.safe_dump(entry, sort_keys=False, allow_unicode=True, width=100)

    lines = [
        "# What proveskill must know of this pack: 'Use the engine on another pack' in README.\n",
        shown(schema=1, name=fields["name"]),
        f'version: "{fields["version"]}"\n',
        shown(skills=fields["skills"]),
        "# Fences for which everything is there are executed, the others are parsed. Give them\n"
        "# what they need (fixtures, server.schema), then change this to: all\n",
        shown(run="possible"),
    ]
    if absent:
        lines.append(f"# The embedded server does not have {', '.join(absent)}.\n")
    if fields["extensions"]:
        lines.append(shown(server={"extensions": fields["extensions"]}))
    lines.append("# fixtures: fixtures.py      # pytest fixtures: names that fences use\n")
    lines.append("# proofs: {path: proofs}     # tests that quote the sentences, and prove them\n")
    if fields["versions"]:
        lines.append("# What the fences import, as it is installed here.\n")
        lines.append(shown(versions=fields["versions"]))
    return "".join(lines)
