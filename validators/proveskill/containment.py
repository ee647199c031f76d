"""Whether a Python fence keeps to itself, so that the process that ran it is as good as new.

Every section gets a process of its own, unless its text shows that it can leave nothing behind:
then it may follow another such section in the same process. What is allowed is listed; anything
else, however harmless, counts as not contained. An exception or an endless loop is no matter:
after a failure the process is ended anyway.
"""

from __future__ import annotations

import ast
import builtins

_MODULES: dict[str, frozenset[str]] = {
    "__future__": frozenset({"annotations"}),
    "collections": frozenset({"Counter", "OrderedDict", "defaultdict", "deque", "namedtuple"}),
    "dataclasses": frozenset({"asdict", "astuple", "dataclass", "field", "fields", "replace"}),
    "datetime": frozenset({"UTC", "date", "datetime", "time", "timedelta", "timezone"}),
    "decimal": frozenset({"Decimal"}),
    "enum": frozenset({"Enum", "IntEnum", "StrEnum", "auto"}),
    "fractions": frozenset({"Fraction"}),
    "functools": frozenset({"cached_property", "partial", "reduce"}),
    "itertools": frozenset({"accumulate", "chain", "count", "islice", "product", "zip_longest"}),
    "json": frozenset({"dumps", "loads"}),
    "math": frozenset({"ceil", "fsum", "inf", "isclose", "isinf", "isnan", "nan", "pi", "sqrt"}),
    "operator": frozenset({"itemgetter"}),
    "typing": frozenset({"Any", "Literal", "NamedTuple", "Protocol", "TypedDict"}),
    "uuid": frozenset({"UUID", "uuid4"}),
}
"""Names that may be imported, by module. None of them gives a way to change shared state;
modules themselves do: ``dataclasses.sys.modules``."""
_LEAVES = frozenset({"cmath", "itertools", "math"})
"""Modules written in C that hold nothing but functions and numbers."""

_BUILTINS = """
ArithmeticError AssertionError AttributeError EOFError Exception False IndexError KeyError
LookupError NameError None NotImplementedError OverflowError RuntimeError StopIteration True
TypeError ValueError ZeroDivisionError __name__ abs all any ascii bin bool bytearray bytes callable
chr complex dict divmod enumerate filter float format frozenset hash hex id int isinstance
issubclass iter len list map max min next object oct ord pow print property range repr reversed
round set slice sorted staticmethod str sum tuple type zip
"""
_HARMLESS = frozenset(_BUILTINS.split())
_DENIED = frozenset(dir(builtins)) - _HARMLESS
_METHODS = """
__add__ __bool__ __call__ __contains__ __enter__ __eq__ __exit__ __ge__ __getitem__ __gt__ __hash__
__init__ __iter__ __le__ __len__ __lt__ __mul__ __ne__ __next__ __post_init__ __repr__ __str__
__sub__ __truediv__
"""
_DEFINABLE = frozenset(_METHODS.split())
_HIDDEN_STATE = ("_", "ag_", "co_", "cr_", "f_", "gi_", "tb_")
"""How the attributes begin that lead from an object to its frame, its module or its class."""

_STATEMENTS = (
    *(ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr, ast.Expr, ast.Assert, ast.Pass),
    *(ast.If, ast.IfExp, ast.For, ast.While, ast.Break, ast.Continue, ast.With, ast.withitem),
    *(ast.Try, ast.ExceptHandler, ast.Raise, ast.Return, ast.FunctionDef, ast.Lambda),
    *(ast.ClassDef, ast.arguments, ast.arg, ast.keyword, ast.Import, ast.ImportFrom, ast.alias),
    *(ast.Delete, ast.Global, ast.Nonlocal, ast.Yield, ast.YieldFrom),
)
_EXPRESSIONS = (
    *(ast.Name, ast.Constant, ast.Attribute, ast.Subscript, ast.Slice, ast.Starred, ast.Call),
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.JoinedStr, ast.FormattedValue),
    *(ast.List, ast.Tuple, ast.Set, ast.Dict, ast.comprehension, ast.expr_context),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
    *(ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
)
_ALLOWED = (ast.Module, *_STATEMENTS, *_EXPRESSIONS)


def is_contained(tree: ast.Module) -> bool:
    """Whether the code can change nothing that outlives its own namespace."""
    return all(isinstance(node, _ALLOWED) and _is_harmless(node) for node in ast.walk(tree))


def _is_harmless(node: ast.AST) -> bool:
    match node:
        case ast.Import():
            return {alias.name for alias in node.names} <= _LEAVES
        case ast.ImportFrom():
            known = _MODULES.get(node.module or "", frozenset())
            return node.level == 0 and {alias.name for alias in node.names} <= known
        case ast.Attribute():
            return isinstance(node.ctx, ast.Load) and not node.attr.startswith(_HIDDEN_STATE)
        case ast.FunctionDef():
            return not node.name.startswith("__") or node.name in _DEFINABLE
        case ast.Name():
            return node.id not in _DENIED and (node.id in _HARMLESS or node.id[:2] != "__")
        case _:
            return True
