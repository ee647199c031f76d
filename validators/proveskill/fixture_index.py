"""Which fixtures a pack offers, read from its fixtures file without importing it.

The pytest process must stay free of the pack's libraries (they start threads, and the workers
are forked), so names, parameters and the environment variables that they mention come from the
syntax tree.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path

from proveskill.model import ManifestError


@dataclass(frozen=True)
class FixtureIndex:
    """Fixture names, each with the fixtures it needs and its source text."""

    needs: dict[str, frozenset[str]] = field(default_factory=dict)
    source: dict[str, str] = field(default_factory=dict)
    explained: dict[str, str] = field(default_factory=dict)
    """The first line of its docstring, empty where it has none."""

    @property
    def names(self) -> frozenset[str]:
        """All fixture names."""
        return frozenset(self.needs)

    def text_of(self, names: frozenset[str]) -> str:
        """Return the source of fixtures and of all fixtures that they need."""
        todo, done = set(names & self.names), set[str]()
        while todo:
            name = todo.pop()
            done.add(name)
            todo |= (self.needs[name] & self.names) - done
        return "\n".join(self.source[name] for name in sorted(done))


def read_fixtures(file: Path | None) -> FixtureIndex:
    """Index a fixtures file. Raises :class:`ManifestError` for one that does not parse."""
    if file is None:
        return FixtureIndex()
    text = file.read_text(encoding="utf-8")
    try:
        tree = ast.parse(text, str(file))
    except SyntaxError as error:
        raise ManifestError(f"{file}:{error.lineno}: {error.msg}") from None
    needs: dict[str, frozenset[str]] = {}
    source: dict[str, str] = {}
    explained: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _is_fixture(node):
            needs[node.name] = frozenset(argument.arg for argument in node.args.args)
            source[node.name] = ast.get_source_segment(text, node) or ""
            explained[node.name] = (ast.get_docstring(node) or "").partition("\n")[0]
    return FixtureIndex(needs, source, explained)


def _is_fixture(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    return any(text.split("(")[0].split(".")[-1] == "fixture" for text in decorators)
