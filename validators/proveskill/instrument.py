"""Turns the expectation comments of a Python fence into checks, without touching its text.

The syntax tree gets calls to one name, :data:`CHECKS`, that the worker puts in the namespace:
``x = f()  # -> 3`` runs as ``x = CHECKS.value(line, f())``. Positions stay those of the text.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator

from proveskill.expectations import Expectation, MisplacedExpectation, read_comment

CHECKS = "__proveskill_checks__"


def find_expectations(source: str) -> dict[int, Expectation]:
    """Return the expectations of a Python source by the line their statement must cover.

    A comment alone on its line speaks of the line above it. Raises
    :class:`MisplacedExpectation` (line within the source, from 1).
    """
    found: dict[int, Expectation] = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        line = token.start[0]
        expectation = read_comment(token.string.lstrip("#"), line)
        if expectation is not None:
            alone = not token.line[: token.start[1]].strip()
            target = line - 1 if alone else line
            if target in found:
                raise MisplacedExpectation(line, "this statement has an expectation already")
            found[target] = expectation
    return found


def instrument(
    tree: ast.Module, expectations: dict[int, Expectation], *, keep_result: bool
) -> None:
    """Insert the checks into a tree; ``keep_result`` also records its last expression's value.

    Raises :class:`MisplacedExpectation` when an expectation covers no statement.
    """
    if keep_result and tree.body and isinstance(tree.body[-1], ast.Expr):
        last = tree.body[-1]
        if not _is_print(last.value):
            last.value = _call("result", last.value)
    pending = dict(expectations)
    if pending:
        _Inserter(pending).visit_body(tree)
    for target, expectation in pending.items():
        raise MisplacedExpectation(
            expectation.line, f"no statement on line {target} of this fence for this expectation"
        )
    ast.fix_missing_locations(tree)


class _Inserter:
    """Walks statement lists and replaces those statements that an expectation covers."""

    def __init__(self, pending: dict[int, Expectation]) -> None:
        self.pending = pending

    def visit_body(self, node: ast.AST) -> None:
        for body in _bodies(node):
            for position, statement in enumerate(body):
                self.visit_body(statement)
                for line in _own_lines(statement):
                    if expectation := self.pending.pop(line, None):
                        body[position] = _checked(statement, expectation)
                        break


def _bodies(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        value = getattr(node, name, None)
        if isinstance(value, list):
            yield value
    for name in ("handlers", "cases"):
        for child in getattr(node, name, []):
            yield from _bodies(child)


def _own_lines(statement: ast.stmt) -> range:
    """Lines of a statement that are not lines of statements inside it."""
    inner = [child.lineno for body in _bodies(statement) for child in body]
    end = min(inner) - 1 if inner else (statement.end_lineno or statement.lineno)
    return range(statement.lineno, max(end, statement.lineno) + 1)


def _checked(statement: ast.stmt, expectation: Expectation) -> ast.stmt:
    line = ast.Constant(expectation.line)
    if expectation.value is None:
        return _must_raise(statement, line)
    if isinstance(statement, ast.Expr):
        called = statement.value
        if isinstance(called, ast.Call) and _is_print(called):
            called.func = ast.Attribute(ast.Name(CHECKS, ast.Load()), "printing", ast.Load())
            called.args.insert(0, line)
            return statement
        statement.value = _call("value", line, statement.value)
        return statement
    if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.Return)) and statement.value:
        statement.value = _call("value", line, statement.value)
        return statement
    raise MisplacedExpectation(
        expectation.line, "'->' needs an expression, an assignment or a return; use assert here"
    )


def _is_print(expression: ast.expr) -> bool:
    return isinstance(expression, ast.Call) and ast.unparse(expression.func) == "print"


def _must_raise(statement: ast.stmt, line: ast.Constant) -> ast.stmt:
    """``with CHECKS.raises(line): statement``; the with statement swallows what was promised."""
    return ast.copy_location(
        ast.With(
            items=[ast.withitem(context_expr=_call("raises", line))],
            body=[statement],
        ),
        statement,
    )


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    where = arguments[-1]
    function = ast.Attribute(ast.Name(CHECKS, ast.Load()), name, ast.Load())
    call = ast.Call(function, list(arguments), [])
    return ast.copy_location(call, where) if hasattr(where, "lineno") else call
