"""What the only argument of a statement with one parameter means, when it is a list, tuple or dict.

What SQLSpec 0.69 does: a list or tuple is the row of parameters, a dict their names; so an array,
a vector or a document has to be wrapped: `([1, 2],)`, `({"a": 1},)`. Unwrapped it is an error, or,
with one item only, that item is bound: `{"k": 7}` for a jsonb parameter sends 7.

What this does instead, for one parameter that is written `$1`, `?` or `%s`: its PostgreSQL type
decides, and never how many items or which keys the argument has.

- dict: the value of json, jsonb, hstore and composite types, whatever its keys. For any other type
  its only item's value, as in SQLSpec.
- list for an array or multirange: the value, `["{a}"]` too. Items that are lists (or arrays) make
  it the row, as in SQLSpec: `[[1, 2]]` sends the array of 1 and 2, and `[[1], [2]]` is refused.
  `[None]` (NULL, or an array of it?) is refused, and so are lists in the list for an array of
  documents, vectors or the like.
- list for a vector: the value, if its items are numbers, which no row of one vector is.
- list for json and jsonb: the row, as in SQLSpec: `[document]`; with more or fewer items refused.
- tuple: a tuple of one item is the row; any other is the value of an array, a vector, or whatever
  else is made of items, but a document.

With `:name`, `%(name)s` or `$(name)p` a dict is the names and their values, always. A row of
`execute_many` that is a list or tuple is the row of parameters, always.
May be unnecessary when SQLSpec asks for the types of parameters before it takes arguments apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np
from sqlspec.exceptions import DataError

from psqlpy_adapter.types import PgType
from psqlpy_adapter.types.codecs import FLAT

_DOCUMENTS = frozenset(("json_recv", "jsonb_recv"))
_MAPPINGS = _DOCUMENTS | {"record_recv", "hstore_recv"}
_VECTORS = frozenset(("vector_recv", "halfvec_recv", "sparsevec_recv"))


@dataclass(frozen=True, slots=True, eq=False)
class Lone:
    """The only argument of a statement with one parameter, until the parameter's type is known."""

    value: Any


class Mixed(list[Any]):
    """The values of a statement with more parameters, of which some are `Lone`."""


def settled(parameters: Sequence[PgType], values: Any) -> Any:
    """Return the values of a statement's parameters, a `Lone` one as what it means.

    Raises DataError for one that may mean two things.
    """
    if type(values) is Mixed:
        return [_one(parameters, place, value) for place, value in enumerate(values)]
    if len(values) != 1 or type(values[0]) is not Lone:
        return values
    value = values[0].value
    return _meant(parameters[0], value) if len(parameters) == 1 else list(value)


def _one(parameters: Sequence[PgType], place: int, value: Any) -> Any:
    if type(value) is not Lone or place >= len(parameters):
        return value
    meant = _meant(parameters[place], value.value)
    if len(meant) != 1:
        raise _refusal(parameters[place], f"{len(meant)} values for one parameter")
    return meant[0]


def _meant(pg_type: PgType, value: Any) -> list[Any]:
    named = pg_type
    while pg_type.base is not None:
        pg_type = pg_type.base
    if isinstance(value, dict):
        if pg_type.receive in _MAPPINGS:
            return [value]
        if len(value) != 1:
            raise _refusal(named, f"a dict of {len(value)} items is no row of one parameter")
        return list(value.values())
    if pg_type.receive in _DOCUMENTS:
        if len(value) != 1:
            raise _refusal(named, f"{len(value)} values for one parameter")
        return list(value)
    is_items = pg_type.element is not None or pg_type.kind in "cm" or pg_type.receive in FLAT
    if not is_items:
        return list(value)
    if len(value) == 1 and (isinstance(value, tuple) or _is_row(named, pg_type, value[0])):
        return list(value)
    if isinstance(value, list) and pg_type.element is not None and any(map(_is_list, value)):
        raise _refusal(named, "lists in a list are the row of parameters, or an array of lists")
    return [value]


def _is_row(named: PgType, pg_type: PgType, item: Any) -> bool:
    """Whether a list of one item is the row of parameters of a type whose values have items."""
    if pg_type.receive in _VECTORS:
        return not isinstance(item, Number)
    if pg_type.element is None and pg_type.kind != "m":
        return True  # a point, a composite: never of one item, unless in a row
    if item is None:
        raise _refusal(named, "[None] is NULL, or an array of one NULL")
    if type(item).__name__ == "CustomType" or type(item).__name__.endswith("Array"):
        return True  # psqlpy's
    element = pg_type.element
    return _is_list(item) and (element is None or (element.base or element).receive not in FLAT)


def _is_list(item: Any) -> bool:
    return isinstance(item, (list, tuple, np.ndarray))


def _refusal(pg_type: PgType, reason: str) -> DataError:
    return DataError(
        f"the only argument of a statement with one parameter, a PostgreSQL {pg_type}, may mean "
        f"two things ({reason}): write (value,)"
    )
