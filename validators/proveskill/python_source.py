"""Python fence -> code object plus the names that it needs and defines.

Line numbers of the code are those of the Markdown file, so tracebacks, ``inspect`` and
debuggers point into the document. Asserts are rewritten by pytest to show their values.
"""

from __future__ import annotations

import ast
import builtins
import dis
import inspect
import marshal
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType

from proveskill.containment import is_contained
from proveskill.expectations import Expectation, MisplacedExpectation
from proveskill.instrument import CHECKS, find_expectations, instrument
from proveskill.model import Snippet

_OF_EVERY_MODULE = frozenset({"__annotations__", "__builtins__", "__file__", "__name__"})
_BUILTINS = frozenset(dir(builtins)) | _OF_EVERY_MODULE | {CHECKS}
_LOADS = ("LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS")
_STORES = ("STORE_NAME", "STORE_GLOBAL")


@dataclass(frozen=True)
class PythonCode:
    """A compiled fence. ``expectations`` carry lines of the Markdown file."""

    code: bytes
    """The code object, marshalled for this interpreter."""
    needs: frozenset[str]
    """Names used before the fence defines them, builtins left out."""
    defines: frozenset[str]
    expectations: tuple[Expectation, ...]
    imports: frozenset[str]
    """Top-level packages and modules that it imports by name, wherever in its code."""
    awaits: bool
    """Whether it awaits at top level, and so needs an event loop."""
    contained: bool
    """Whether it can leave nothing behind in its process."""


class BadPython(ValueError):
    """A fence that does not compile; ``line`` is a line of the Markdown file."""

    def __init__(self, kind: str, message: str, line: int) -> None:
        super().__init__(message)
        self.kind = kind
        self.line = line


def compile_snippet(snippet: Snippet, filename: str, *, keep_result: bool) -> PythonCode:
    """Compile a fence under the name and with the lines of its Markdown file.

    ``keep_result`` records the value of its last expression, for a ``text`` fence below it.
    Raises :class:`BadPython`.
    """
    shift = snippet.first_line - 1
    try:
        tree = ast.parse(snippet.source, filename)
        contained, imports = is_contained(tree), frozenset(_imports(tree))
        expectations = find_expectations(snippet.source)
        instrument(tree, expectations, keep_result=keep_result)
        if any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
            _rewrite_asserts(tree, snippet.source, filename)
    except SyntaxError as error:
        raise _bad_syntax(error, shift) from None
    except MisplacedExpectation as error:
        raise BadPython("MisplacedExpectation", str(error), error.line + shift) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise _too_much(error, snippet.first_line) from None
    ast.increment_lineno(tree, shift)
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        code = compile(tree, filename, "exec", flags=flags, dont_inherit=True)
    except SyntaxError as error:
        raise _bad_syntax(error, 0) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise _too_much(error, snippet.first_line) from None
    needs, defines = names(code)
    return PythonCode(
        code=marshal.dumps(code),
        needs=needs,
        defines=defines,
        expectations=tuple(expectations.values()),
        imports=imports,
        awaits=bool(code.co_flags & inspect.CO_COROUTINE),
        contained=contained,
    )


def compile_imports(snippet: Snippet, filename: str) -> dict[str, bytes]:
    """Compile each import statement of a fence by itself; return statement -> marshalled code.

    Left out are relative imports, whose package only the reader has, and those in a ``try``, whose
    failure the fence expects. Raises :class:`BadPython` for a fence that does not compile.
    """
    try:
        tree = ast.parse(snippet.source, filename)
        ast.increment_lineno(tree, snippet.first_line - 1)
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        compile(tree, filename, "exec", flags=flags, dont_inherit=True)
    except SyntaxError as error:
        shift = 0 if "tree" in locals() else snippet.first_line - 1
        raise _bad_syntax(error, shift) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise _too_much(error, snippet.first_line) from None
    return {
        ast.unparse(node): marshal.dumps(
            compile(ast.Module([node], []), filename, "exec", dont_inherit=True)
        )
        for node in _required_imports(tree)
    }


def _required_imports(tree: ast.AST) -> Iterator[ast.stmt]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and not node.level):
            yield node
        elif not isinstance(node, (ast.Try, ast.TryStar)):
            yield from _required_imports(node)


def _bad_syntax(error: SyntaxError, shift: int) -> BadPython:
    text = f": {error.text.strip()}" if error.text else ""
    return BadPython(type(error).__name__, error.msg + text, (error.lineno or 1) + shift)


def _too_much(error: Exception, line: int) -> BadPython:
    message = str(error) or "the source is nested too deeply"
    return BadPython(type(error).__name__, message, line)


def names(code: CodeType) -> tuple[frozenset[str], frozenset[str]]:
    """Return the global names that module code needs from outside, and those it defines.

    The order of the bytecode is the order of evaluation, so ``x = f(x)`` needs ``x``; a name
    used only inside a function counts as needed when the module never defines it.
    """
    needed: set[str] = set()
    defined: set[str] = set()
    for instruction in dis.get_instructions(code):
        if instruction.opname in _LOADS and instruction.argval not in defined:
            needed.add(instruction.argval)
        elif instruction.opname in _STORES:
            defined.add(instruction.argval)
    used_later: set[str] = set()
    for inner in _nested(code):
        for instruction in dis.get_instructions(inner):
            if instruction.opname in _LOADS:
                used_later.add(instruction.argval)
            elif instruction.opname == "STORE_GLOBAL":
                defined.add(instruction.argval)
    needed |= used_later - defined
    hidden = {name for name in needed | defined if name.startswith("@")}  # pytest's own
    return frozenset(needed - _BUILTINS - hidden), frozenset(defined - hidden)


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _nested(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _nested(constant)


def _rewrite_asserts(tree: ast.Module, source: str, filename: str) -> None:
    # Private to pytest, but the only maintained assertion rewriter; tests/engine/ pins it.
    from _pytest.assertion.rewrite import rewrite_asserts

    rewrite_asserts(tree, source.encode(), filename)
    for node in tree.body:
        if isinstance(node, ast.Import) and node.names[0].name == "_pytest.assertion.rewrite":
            node.names[0].name = "proveskill.worker.assertions"
