"""pgvector's types: vector, halfvec and sparsevec, of lists of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from psqlpy_adapter.copying.fields import Field, Refused, as_bytes, offsets_of, ranges
from psqlpy_adapter.copying.lists import flatten, parents
from psqlpy_adapter.copying.numbers import doubles

_MOST = {"vector": 16_000, "halfvec": 16_000, "sparsevec": 1_000_000_000}
_ELEMENT = {"vector": np.dtype(">f4"), "halfvec": np.dtype(">f2"), "sparsevec": np.dtype(">f4")}


def vectors(array: pa.Array, name: str, modifier: int) -> Field:
    """Encode lists of numbers into vector(d), halfvec(d) or sparsevec(d); d is `modifier`, or -1.

    A wrong dimension, NULL, NaN or an infinite element is refused here, with its row, before
    anything is sent (the server refuses them too, but without saying where).
    """
    lengths, values, valid = flatten(array)
    _check_dimensions(lengths, valid, name, modifier)
    elements = _elements(values, lengths, name)
    present = lengths if valid is None else lengths[valid]
    if name == "sparsevec":
        return _sparse(elements, lengths, valid)
    width = elements.itemsize
    head = np.zeros((len(array), 2), ">i2")
    head[:, 0] = lengths
    if valid is None and len(present) and (present == present[0]).all():
        matrix = elements.reshape(len(array), int(present[0]))
        return Field((as_bytes(head), as_bytes(matrix)), None)
    return Field((as_bytes(head), ranges(offsets_of(lengths) * width, elements)), valid)


def _check_dimensions(
    lengths: NDArray[np.int64], valid: NDArray[np.bool_] | None, name: str, modifier: int
) -> None:
    most = _MOST[name]
    wrong = (lengths != modifier) if modifier > 0 else (lengths < 1) | (lengths > most)
    if valid is not None:
        wrong &= valid
    if wrong.any():
        row = int(wrong.argmax())
        wanted = str(modifier) if modifier > 0 else f"1 to {most:,}"
        raise Refused(f"{lengths[row]} dimensions instead of {wanted}", row)


def _elements(values: pa.Array, lengths: NDArray[np.int64], name: str) -> NDArray[Any]:
    if values.null_count:
        first = int((~values.is_valid().to_numpy(zero_copy_only=False)).argmax())
        raise Refused("an element is NULL", int(parents(lengths)[first]))
    if not (pa.types.is_floating(values.type) or pa.types.is_integer(values.type)):
        if not pa.types.is_decimal(values.type):
            raise Refused("the elements are not numbers")
        values = doubles(values)
    with np.errstate(over="ignore"):
        elements: NDArray[Any] = values.to_numpy(zero_copy_only=False).astype(_ELEMENT[name])
    finite = np.isfinite(elements)
    if not finite.all():
        first = int((~finite).argmax())
        raise Refused(
            f"element {values[first]} is not finite in a {name}", int(parents(lengths)[first])
        )
    return elements


def _sparse(
    elements: NDArray[Any], lengths: NDArray[np.int64], valid: NDArray[np.bool_] | None
) -> Field:
    places = np.flatnonzero(elements)
    rows = parents(lengths)[places]
    counts = np.bincount(rows, minlength=len(lengths)).astype(np.int64)
    offsets = offsets_of(counts) * 4
    indices = (places - offsets_of(lengths)[rows]).astype(">i4")
    head = np.zeros((len(lengths), 3), ">i4")
    head[:, 0], head[:, 1] = lengths, counts
    return Field(
        (as_bytes(head), ranges(offsets, indices), ranges(offsets, elements[places])), valid
    )
