"""What all list-like Arrow types have in common, whatever their layout."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from psqlpy_adapter.copying.fields import validity


def is_list(arrow: pa.DataType) -> bool:
    """Tell whether values of this type are lists (a map is a list of entries)."""
    types = pa.types
    return any(
        check(arrow)
        for check in (
            types.is_list,
            types.is_large_list,
            types.is_fixed_size_list,
            types.is_list_view,
            types.is_large_list_view,
        )
    )


def flatten(array: pa.Array) -> tuple[NDArray[np.int64], pa.Array, NDArray[np.bool_] | None]:
    """Give the lengths of the lists (0 where NULL), all their elements in a row, and validity."""
    lengths = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False)
    return lengths.astype(np.int64), array.flatten(), validity(array)


def parents(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the row of each element."""
    return np.repeat(np.arange(len(lengths)), lengths)
