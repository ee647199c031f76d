"""Finds the underscore names of SQLSpec and psqlpy that the bundled adapter uses.

A name is upstream's when it is imported with an underscore from one of the two packages; when a
class of SQLSpec or psqlpy that the adapter extends knows it and it is used on an object
(`thing._name`, `getattr(thing, "_name")`) or defined in a class; or when it is used on an object
and nothing in the adapter defines it. What a class that extends nothing of upstream's, nor is
mixed into such a class, has on its own `self` is its own.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import psqlpy_adapter

UPSTREAM = ("sqlspec", "psqlpy")
REFLECTION = {"getattr", "setattr", "hasattr", "delattr"}


@dataclass(frozen=True)
class Use:
    """A private name of upstream's, and the place of the adapter where it is used."""

    name: str
    place: str


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def modules() -> Iterator[ModuleType]:
    """Every module of the adapter."""
    yield psqlpy_adapter
    for found in pkgutil.walk_packages(psqlpy_adapter.__path__, "psqlpy_adapter."):
        yield importlib.import_module(found.name)


def adapter_classes() -> set[type]:
    """The classes that the adapter defines, whatever their `__module__` says."""
    return {
        kind
        for module in modules()
        for name, kind in vars(module).items()
        if inspect.isclass(kind)
        and name in {node.name for node in tree_of(module).body if isinstance(node, ast.ClassDef)}
    }


@cache
def tree_of(module: ModuleType) -> ast.Module:
    """The source of a module; that of a compiled one lies beside it."""
    file = Path(str(module.__file__))
    if file.name != "__init__.py":
        file = file.with_name(module.__name__.rpartition(".")[2] + ".py")
    return ast.parse(file.read_text(encoding="utf-8"))


def definition(where: str) -> str:
    """How upstream's source defines `module:name` or `module:Class.name`, in one line.

    A function's head without its annotations; an attribute's first assignment.
    """
    module_name, _, path = where.partition(":")
    body: list[ast.stmt] = tree_of(importlib.import_module(module_name)).body
    *classes, name = path.split(".")
    scope: ast.AST = ast.Module(body, [])
    for wanted in classes:
        scope = next(
            node for node in body if isinstance(node, ast.ClassDef) and node.name == wanted
        )
        body = scope.body
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            return _head(node)
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign | ast.AnnAssign) and name in _targets(node):
            return ast.unparse(node)
    raise AssertionError(f"{where} is gone")


def _head(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    for argument in ast.walk(node.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    kind = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    return f"{kind} {node.name}({ast.unparse(node.args)})"


def _targets(node: ast.Assign | ast.AnnAssign) -> Iterator[str]:
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        if isinstance(target, ast.Name):
            yield target.id
        elif isinstance(target, ast.Attribute) and _is_self(target.value):
            yield target.attr


def trees() -> Iterator[tuple[str, ast.Module]]:
    """Every module's name and its syntax tree."""
    for module in modules():
        yield module.__name__, tree_of(module)


def is_upstream(kind: type) -> bool:
    return kind.__module__.split(".")[0] in UPSTREAM


def upstream_classes() -> set[type]:
    """The classes of SQLSpec and psqlpy that classes of the adapter extend."""
    own = adapter_classes()
    return {base for kind in own for base in kind.__mro__ if is_upstream(base)} - own


def related_classes() -> set[str]:
    """The names of the adapter's classes whose `self` is upstream's too: heirs and mixins."""
    own = adapter_classes()
    upstream = upstream_classes()
    heirs = [kind for kind in own if upstream & set(kind.__mro__)]
    mixins = {kind.__qualname__ for kind in own if kind.__name__.endswith("Mixin")}
    return mixins | {kind.__qualname__ for heir in heirs for kind in heir.__mro__ if kind in own}


def upstream_names() -> set[str]:
    """The private names of these classes: what they define, and what their sources put on self.

    The sources lie beside the compiled modules.
    """
    names: set[str] = set()
    for kind in upstream_classes():
        names.update(filter(is_private, vars(kind)))
        names.update(_names_on_self(tree_of(importlib.import_module(kind.__module__))))
    return names


def private_uses() -> list[Use]:
    """Every use of a private name of upstream's in the adapter."""
    upstream = upstream_names()
    related = related_classes()
    parsed = list(trees())
    own = {name for _, tree in parsed for name in _defined_names(tree)}
    uses = []
    for module, tree in parsed:
        uses += [Use(name, f"{module}:{line}") for name, line in _imported(tree)]
        private = set(_unrelated_lines(tree, related))
        uses += [
            Use(name, f"{module}:{line}")
            for name, line, on_self in [*_used_on_objects(tree), *_members(tree)]
            if not (on_self and line in private) and (name in upstream or name not in own)
        ]
    return uses


def _unrelated_lines(tree: ast.Module, related: set[str]) -> Iterator[int]:
    """The lines of the classes that have nothing to do with upstream's."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name not in related:
            yield from range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _imported(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            parts = node.module.split(".")
            if parts[0] not in UPSTREAM:
                continue
            for alias in node.names:
                if is_private(alias.name) or any(map(is_private, parts)):
                    yield f"{node.module}.{alias.name}", node.lineno
        elif isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                if parts[0] in UPSTREAM and any(map(is_private, parts)):
                    yield alias.name, node.lineno


def _used_on_objects(tree: ast.Module) -> Iterator[tuple[str, int, bool]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            if not _is_pythons(node.value):
                yield node.attr, node.lineno, _is_self(node.value)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in REFLECTION
            and len(node.args) > 1
            and isinstance(node.args[1], ast.Constant)
            and is_private(str(node.args[1].value))
        ):
            yield str(node.args[1].value), node.lineno, _is_self(node.args[0])


def _is_pythons(node: ast.expr) -> bool:
    """Whether it is a module of Python's own (sys._current_frames)."""
    return isinstance(node, ast.Name) and node.id in sys.stdlib_module_names


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in {"self", "cls"}


def _members(tree: ast.Module) -> Iterator[tuple[str, int, bool]]:
    """What classes define: methods, and attributes of the class."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef):
            continue
        for child in node.body:
            for name in _bound_names(child):
                yield name, child.lineno, True


def _defined_names(tree: ast.Module) -> Iterator[str]:
    """The private names that the adapter makes itself, on classes, on self or in a module."""
    for name, _, _ in _members(tree):
        yield name
    for node in tree.body:
        yield from _bound_names(node)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and is_private(node.attr)
        ):
            yield node.attr
        elif isinstance(node, ast.Constant) and is_private(str(node.value)):
            # A slot.
            yield str(node.value)


def _bound_names(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        if is_private(node.name):
            yield node.name
        return
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    for target in targets:
        if isinstance(target, ast.Name) and is_private(target.id):
            yield target.id


def _names_on_self(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _is_self(node.value) and is_private(node.attr):
            yield node.attr
