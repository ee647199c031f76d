"""The text of a field -> the value that a proof wants, by the annotation of its parameter."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

_TRUE, _FALSE = frozenset({"true", "yes", "on"}), frozenset({"false", "no", "off"})
NUMBER_WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)


def convert_all(function: Callable[..., Any], values: dict[str, str]) -> dict[str, Any]:
    """Convert the fields of a statement. Raises ``ValueError`` that names field and type."""
    hints = get_type_hints(inspect.unwrap(function))
    converted = {}
    for name, text in values.items():
        wanted = hints.get(name, str)
        try:
            converted[name] = convert(text, wanted)
        except (ValueError, KeyError, ArithmeticError) as error:
            shown = getattr(wanted, "__name__", str(wanted))
            raise ValueError(
                f"{name}: the text says {text!r}, which is no {shown}: {error}"
            ) from None
    return converted


def convert(text: str, wanted: Any) -> Any:
    """Convert a text to bool, int, float, Decimal, str, an Enum, a Literal or None of a union.

    Numbers may be written with thousands separators, small ones as words; code loses its
    backticks. Raises ``ValueError``, ``KeyError`` or ``ArithmeticError`` for what does not fit.
    """
    plain = text.strip()
    if len(plain) > 1 and plain[0] == plain[-1] == "`" and "`" not in plain[1:-1]:
        plain = plain[1:-1]
    origin = get_origin(wanted)
    if origin is Literal:
        allowed = {str(value): value for value in get_args(wanted)}
        return allowed[plain]
    if origin in (Union, types.UnionType):
        options = get_args(wanted)
        if type(None) in options and plain in ("None", "none", "-", ""):
            return None
        return convert(text, next(option for option in options if option is not type(None)))
    if wanted is bool:
        if plain.lower() not in _TRUE | _FALSE:
            raise ValueError("neither yes nor no")
        return plain.lower() in _TRUE
    if wanted is int and plain.lower() in NUMBER_WORDS:
        return NUMBER_WORDS.index(plain.lower())
    if wanted in (int, float, Decimal):
        return wanted(plain.replace(",", "").replace("_", ""))
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return wanted[plain] if plain in wanted.__members__ else wanted(plain)
    return plain
