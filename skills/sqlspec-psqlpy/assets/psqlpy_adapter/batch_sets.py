"""The parameter sets of `execute_many`, in the order of the statement's placeholders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlspec.exceptions import DataError

from psqlpy_adapter.lone import Lone
from psqlpy_adapter.numbering import Placeholders
from psqlpy_adapter.statements import has_one_parameter

Sets = Sequence[Sequence[Any]]


def as_sets(parameters: Any) -> list[Any]:
    """Return the sets of an iterable; refuse what has parts, but not of parameter sets."""
    if isinstance(parameters, (str, bytes, bytearray, Mapping)) or not isinstance(
        parameters, Iterable
    ):
        raise DataError(
            f"execute_many takes a sequence of parameter sets, not a {type(parameters).__name__}: "
            "for one set write [parameters]"
        )
    return list(parameters)


def sets_of(given: Placeholders, parameters: Sequence[Any]) -> Sets | None:
    """Return the values of each set in the order of their numbers; None: left to SQLSpec."""
    if not given.count or not isinstance(parameters, (list, tuple)):
        return None
    kinds = set(map(type, parameters))
    if given.names is not None:
        names = {*given.names}
        if kinds != {dict} or any(row.keys() != names for row in parameters):
            return None
        return [[row[name] for name in given.names] for row in parameters]
    rows = [kind for kind in kinds if issubclass(kind, (tuple, list))]  # named tuples, too
    if len(rows) == len(kinds):
        return parameters if {*map(len, parameters)} == {given.count} else None
    if given.count == 1 and not rows:
        return [(Lone(value) if type(value) is dict else value,) for value in parameters]
    return None


def opaque_sets(statement: Any, parameters: Any) -> Any:
    """Return the parameter sets as SQLSpec is to have them: a lone dict as a `Lone`."""
    if not isinstance(parameters, (list, tuple)) or not any(type(p) is dict for p in parameters):
        return parameters
    if not has_one_parameter(statement):
        return parameters
    return [(Lone(row),) if type(row) is dict else row for row in parameters]
