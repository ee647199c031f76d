"""PostgreSQL's arrays and composite types, of Arrow's lists and structs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from psqlpy_adapter.copying.destination import TargetType
from psqlpy_adapter.copying.fields import (
    Field,
    Piece,
    Refused,
    as_bytes,
    constant,
    content,
    frame,
    join,
    offsets_of,
    ranges,
    validity,
)
from psqlpy_adapter.copying.lists import flatten, is_list, parents

Encode: TypeAlias = Callable[[pa.Array, TargetType], Field]
_MOST_DIMENSIONS = 6  # MAXDIM


def nests(element: TargetType) -> bool:
    """Tell whether a list inside a list is a further dimension, not an element made of a list."""
    return not element.fields and element.name not in (
        "json",
        "jsonb",
        "vector",
        "halfvec",
        "sparsevec",
    )


def arrays(array: pa.Array, element: TargetType, encode: Encode) -> Field:
    """Encode lists into an array; lists of lists of one length become its further dimensions.

    The wire form: dimensions, has-null flag, the element's oid, (length, lower bound 1) of each
    dimension, and the elements with their lengths.
    """
    lengths, values, valid = flatten(array)
    sizes = [lengths]
    items = lengths
    while nests(element) and is_list(values.type):
        inner, deeper, inner_valid = flatten(values)
        rows = parents(items)
        if inner_valid is not None:
            first = int((~inner_valid).argmax())
            raise Refused("a list inside is NULL, which an array cannot have", int(rows[first]))
        size = np.zeros(len(array), np.int64)
        size[rows] = inner
        ragged = inner != size[rows]
        if ragged.any():
            raise Refused("the lists inside differ in length", int(rows[int(ragged.argmax())]))
        sizes.append(size)
        items = items * size
        values = deeper
    if len(sizes) > _MOST_DIMENSIONS:
        raise Refused(f"PostgreSQL's arrays have at most {_MOST_DIMENSIONS} dimensions")
    head = np.ones((len(array), 3 + 2 * len(sizes)), ">i4")
    head[:, 0] = len(sizes)
    head[:, 1] = int(values.null_count > 0)
    head[:, 2] = np.uint32(element.oid).astype(np.int32)
    for place, size in enumerate(sizes):
        head[:, 3 + 2 * place] = size
    field = _inside(lambda: encode(values, element), items)
    offsets, data = content(join(frame(field, len(values)), len(values)))
    return Field((as_bytes(head), ranges(offsets[offsets_of(items)], data)), valid)


def _inside(encode: Callable[[], Field], items: NDArray[np.int64]) -> Field:
    try:
        return encode()
    except Refused as refused:
        if refused.row is not None:
            refused.row = int(parents(items)[refused.row])
        raise


def composites(
    array: pa.StructArray, fields: tuple[tuple[str, TargetType], ...], encode: Encode
) -> Field:
    """Encode structs into a composite type, field by field of the same name."""
    given = dict(zip((field.name for field in array.type), array.flatten(), strict=True))
    pieces: list[Piece] = [constant(len(fields).to_bytes(4, "big"), len(array))]
    for name, type_ in fields:
        pieces.append(constant(type_.oid.to_bytes(4, "big"), len(array)))
        pieces += frame(encode(given[name], type_), len(array))
    return Field(tuple(pieces), validity(array))
