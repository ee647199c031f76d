"""Small changes of Python fences that must turn them red, in the changed statement.

A change replaces one word of one statement. What is left out, and why:

- names and words in a function: they fail where it is called, which may be expected to raise;
- names and words in a branch or a condition, which may not be evaluated;
- names and words inside a ``try`` with handlers: a handler may swallow the error, on purpose;
- names and words of a statement that must raise what a wrong name or word raises anyway;
- keywords of functions that the section defines itself and of ``TypedDict`` classes, which
  check none, and keys of a program's own data;
- words of a configuration that the fence never opens, or opens in a function;
- what is gathered with ``return_exceptions``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from proveskill.expectations import Expectation
from proveskill.instrument import find_expectations
from proveskill.model import Snippet

KINDS = ("value", "class", "name", "word")
OTHER_CLASS = "ZeroDivisionError"
SETTINGS = "connection_config"
"""The keyword whose dictionary holds configuration words, not data."""

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_BRANCHES = (ast.If, ast.IfExp, ast.While, ast.Match, ast.BoolOp)
_BODIES = ("body", "orelse", "finalbody", "handlers", "cases")


@dataclass(frozen=True)
class Change:
    """The word ``before`` becomes ``after``. Lines are those of the Markdown file."""

    kind: str
    snippet: Snippet
    line: int
    offset: int
    """Bytes of the line before the word."""
    before: str
    after: str
    lines: frozenset[int]
    """Where the error may be reported: the changed statement and its expectation.

    Also the first statement that uses what the changed one makes: a configuration is read when
    its pool is opened.
    """

    @property
    def id(self) -> str:
        return f"{self.kind}-{self.snippet.id.partition('#')[0]}-{self.line}-{self.before}"

    def apply(self, text: str) -> str:
        """Return the file's text with the change."""
        lines = text.encode().splitlines(keepends=True)
        line, before = lines[self.line - 1], self.before.encode()
        assert line[self.offset :].startswith(before), "the text is not the one that was read"
        after = line[: self.offset] + self.after.encode() + line[self.offset + len(before) :]
        lines[self.line - 1] = after
        return b"".join(lines).decode()


def changes_of(snippet: Snippet) -> list[Change]:
    """Return all changes of a Python fence that starts in the first column."""
    return list(_Finder(snippet).changes())


class _Finder:
    def __init__(self, snippet: Snippet) -> None:
        self.snippet = snippet
        self.text = [line.encode() for line in snippet.source.splitlines()]
        self.tree = ast.parse(snippet.source)
        self.expected = find_expectations(snippet.source)
        self.parents = {
            child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)
        }

    def changes(self) -> Iterator[Change]:
        for target, expectation in self.expected.items():
            yield from self._in_expectation(target, expectation)
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                end = (node.end_lineno or 0, (node.end_col_offset or 0) - len(node.attr))
                yield from self._in_code("name", node, end, node.attr)
            elif isinstance(node, ast.Call) and _checks_its_keywords(node.func):
                for keyword in node.keywords:
                    if keyword.arg:
                        place = (keyword.lineno, keyword.col_offset)
                        yield from self._in_code("word", node, place, keyword.arg)
                    if keyword.arg == SETTINGS and isinstance(keyword.value, ast.Dict):
                        yield from self._in_settings(keyword.value)

    def _in_settings(self, settings: ast.Dict) -> Iterator[Change]:
        for key in settings.keys:
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                place = (key.lineno, key.col_offset + 1)  # the quotation mark
                yield from self._in_code("word", key, place, key.value)

    def _in_expectation(self, target: int, expectation: Expectation) -> Iterator[Change]:
        kind, wanted = "value", expectation.value
        if wanted is None:
            kind, wanted = "class", expectation.raises
        word = re.search(r"[A-Za-z]\w*|\d", wanted or "")
        if word is None or wanted is None:  # a bare SQLSTATE, or punctuation alone
            return
        line = self.text[expectation.line - 1]
        offset = line.rindex(wanted.encode()) + len(wanted[: word.start()].encode())
        statement = next(n for n in ast.walk(self.tree) if target in _own_lines(n))
        lines = {*_own_lines(statement), expectation.line}
        yield self._change(kind, (expectation.line, offset), word[0], lines)

    def _in_code(
        self, kind: str, node: ast.AST, place: tuple[int, int], word: str
    ) -> Iterator[Change]:
        statement = self._statement(node)
        told = [statement]
        if kind == "word" and isinstance(statement, ast.Assign):
            if (use := self._first_use(statement)) is None:
                return
            told.append(use)
        elif kind == "word" and isinstance(statement, (ast.With, ast.AsyncWith)):
            told.append(statement.body[0])
        lines: set[int] = set()
        for place_of_error in told:
            lines |= self._lines_that_tell(place_of_error)
        around = [node, *self._around(node), *told, *self._around(told[-1])]
        if not any(self._hides(kind, other) for other in around):
            yield self._change(kind, place, word, lines)

    def _hides(self, kind: str, node: ast.AST) -> bool:
        """Whether a fault inside a node may not show, or may show elsewhere."""
        if isinstance(node, ast.Call):
            return any(keyword.arg == "return_exceptions" for keyword in node.keywords)
        same = {"name": "AttributeError", "word": "TypeError"}[kind]
        return (
            isinstance(node, (*_FUNCTIONS, *_BRANCHES))
            or (isinstance(node, (ast.Try, ast.TryStar)) and bool(node.handlers))
            or any(self.expected[line].raises == same for line in self._promised(node))
        )

    def _lines_that_tell(self, statement: ast.stmt) -> set[int]:
        """Return the lines of a statement, and of those around it that pass its error on."""
        lines = {*_own_lines(statement)}
        for node in [statement, *self._around(statement)]:
            if isinstance(node, (ast.With, ast.AsyncWith)):  # such as a TaskGroup
                lines |= {*_own_lines(node)}
            for line in self._promised(node):
                # What must raise raises something else now: told at the promise.
                if node is statement or self.expected[line].raises:
                    lines |= {*_own_lines(node), self.expected[line].line}
        return lines

    def _promised(self, node: ast.AST) -> list[int]:
        """Return the lines of a node for which something is expected."""
        if not isinstance(node, ast.stmt):
            return []
        return [line for line in _own_lines(node) if line in self.expected]

    def _change(self, kind: str, place: tuple[int, int], word: str, lines: set[int]) -> Change:
        shift = self.snippet.first_line - 1
        return Change(
            kind=kind,
            snippet=self.snippet,
            line=place[0] + shift,
            offset=place[1],
            before=word,
            after=_other(kind, word),
            lines=frozenset(line + shift for line in lines),
        )

    def _around(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield what a node is in, from the inside out."""
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent

    def _first_use(self, statement: ast.Assign) -> ast.stmt | None:
        """Return the first statement that uses what an assignment makes, if it shows faults.

        It must await something, and not in a function of the section: the error is told there.
        """
        bound = {target.id for target in statement.targets if isinstance(target, ast.Name)}
        uses = [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Name)
            and node.id in bound
            and node.lineno > (statement.end_lineno or 0)
        ]
        if not uses:
            return None
        user = self._statement(min(uses, key=lambda node: node.lineno))
        nodes = list(ast.walk(user))
        awaits = any(isinstance(n, (ast.Await, ast.AsyncWith, ast.AsyncFor)) for n in nodes)
        calls = [n.func for n in nodes if isinstance(n, ast.Call)]
        return user if awaits and not any(map(_is_own_function, calls)) else None

    def _statement(self, node: ast.AST) -> ast.stmt:
        return next(n for n in self._around(node) if isinstance(n, ast.stmt))


def _other(kind: str, word: str) -> str:
    if kind == "class":
        return OTHER_CLASS
    if word.isdigit():
        return str((int(word) + 1) % 10)
    return {"True": "False", "False": "True"}.get(word, f"{word}_x")


def _checks_its_keywords(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        typed_dict = function.id.endswith(("Features", "Params"))
        return not _is_own_function(function) and not typed_dict
    return True


def _is_own_function(function: ast.expr) -> bool:
    """Whether a section has probably defined it, or it is a builtin such as ``dict``."""
    return isinstance(function, ast.Name) and function.id[0].islower()


def _own_lines(node: ast.AST) -> range:
    """Return the lines of a statement that are not lines of statements inside it."""
    if not isinstance(node, ast.stmt):
        return range(0)
    inner = [
        child.lineno
        for name in _BODIES
        for child in getattr(node, name, [])
        if isinstance(child, (ast.stmt, ast.excepthandler))
    ]
    end = min(inner) - 1 if inner else (node.end_lineno or node.lineno)
    return range(node.lineno, max(end, node.lineno) + 1)
