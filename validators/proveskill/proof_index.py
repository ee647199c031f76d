"""Which proofs a pack has, read from their files without importing them.

A proof is a function of a module ``test_*.py`` with :func:`proveskill.proves` above it. The pytest
process must stay free of what proofs import, as it must of the pack's fixtures.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from proveskill.model import ManifestError
from proveskill.quotes import BadQuote, Quote

_NAMES = frozenset({"proves", "proveskill.proves"})
_KEYWORDS = frozenset({"section", "adapter"})


@dataclass(frozen=True)
class Proof:
    """One decorator of one function: the statements that it quotes, and who is to prove them."""

    file: Path
    line: int
    """Of the function."""
    name: str
    number: int
    """Which of the function's decorators, from 0."""
    quotes: tuple[Quote, ...]
    adapter: str | None = None

    @property
    def fields(self) -> frozenset[str]:
        """The values that the function is given."""
        return frozenset(name for quote in self.quotes for name in quote.fields)


def read_proofs(folder: Path) -> tuple[Proof, ...]:
    """Index the proofs of a folder. Raises :class:`ManifestError` with file and line."""
    return tuple(proof for file in sorted(folder.rglob("test_*.py")) for proof in _proofs_of(file))


def _proofs_of(file: Path) -> Iterator[Proof]:
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    except (SyntaxError, UnicodeDecodeError) as error:
        line = getattr(error, "lineno", 1)
        raise ManifestError(f"{file}:{line}: {getattr(error, 'msg', error)}") from None
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        calls = [
            decorator
            for decorator in node.decorator_list
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) in _NAMES
        ]
        if calls and (node not in tree.body or not node.name.startswith("test_")):
            raise ManifestError(
                f"{file}:{node.lineno}: {node.name}: a proof is a function test_... of a module"
            )
        found = [_proof(file, node, call, number) for number, call in enumerate(calls)]
        if len({proof.fields for proof in found}) > 1:
            raise ManifestError(
                f"{file}:{node.lineno}: {node.name}: every @proves of a function needs the same "
                "fields, which are its arguments"
            )
        yield from found


def _proof(
    file: Path, node: ast.FunctionDef | ast.AsyncFunctionDef, call: ast.Call, number: int
) -> Proof:
    def wrong(what: str) -> ManifestError:
        return ManifestError(f"{file}:{call.lineno}: {node.name}: {what}")

    keywords = {k.arg: _literal(k.value) for k in call.keywords if k.arg != "table"}
    tables = [_literals(k.value) for k in call.keywords if k.arg == "table"]
    texts = [_literal(argument) for argument in call.args]
    if unknown := keywords.keys() - _KEYWORDS:
        raise wrong(f"@proves does not take {unknown.pop()!r}; it takes section, table, adapter")
    quoted = [text for text in texts if text]
    if not quoted or len(quoted) != len(texts) or None in [*keywords.values(), *tables]:
        raise wrong("@proves takes literal strings, one quote at least: they are read, not run")
    named = tuple(chain.from_iterable(table or () for table in tables))
    try:
        quotes = tuple(Quote(text, keywords.get("section"), named) for text in quoted)
    except BadQuote as error:
        raise wrong(str(error)) from None
    proof = Proof(file, node.lineno, node.name, number, quotes, keywords.get("adapter"))
    arguments = {a.arg for a in (*node.args.args, *node.args.kwonlyargs)}
    if unused := proof.fields - arguments:
        raise wrong(f"no argument takes the value {sorted(unused)[0]!r} that the text states")
    return proof


def _literals(node: ast.expr) -> tuple[str, ...] | None:
    """Return a literal string, or those of a tuple."""
    found = [_literal(part) for part in (node.elts if isinstance(node, ast.Tuple) else [node])]
    return tuple(text for text in found if text) if all(found) else None


def _literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
