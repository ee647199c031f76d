"""pgvector's types, and bit strings.

| type        | comes back as                           | goes in as                         |
|-------------|-----------------------------------------|------------------------------------|
| vector      | ndarray of float32, shape (dimensions,) | ndarray of any real dtype, list,   |
| halfvec     | ndarray of float16, shape (dimensions,) | tuple, pgvector's Vector ...       |
| sparsevec   | pgvector.SparseVector                   | the same, or one of the above      |
| bit, varbit | str of 0 and 1                          | the same, pgvector.Bit, bools      |

SQLSpec and psqlpy: a list panics (a BaseException that kills the connection), an ndarray raises
DataError, both unless the text says `$1::vector`, and then from the second execution on. NaN,
infinity and nothing at all are refused before anything is sent; a wrong number of dimensions is
refused by the server, which alone knows the column's.

Source: pgvector 0.8 (src/vector.c, halfvec.c, sparsevec.c), PostgreSQL manual 8.10.
May be unnecessary when psqlpy (0.13.1) encodes sequences and the other three types.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from psqlpy_adapter.types.pgtype import Binary, ServerParses, Unfit, expected

_DENSE = struct.Struct(">HH")
_SPARSE = struct.Struct(">iii")
_WANTED = "a one-dimensional ndarray, list or tuple of numbers"


def numbers(value: Any, dtype: str) -> np.ndarray:
    """Return the components as a finite array of `dtype`, shape (dimensions,)."""
    if isinstance(value, str):
        raise ServerParses(value)
    if type(value).__module__.startswith("pgvector") and hasattr(value, "to_numpy"):
        value = value.to_numpy()
    if isinstance(value, (bytes, bytearray, dict, set)):
        raise expected(_WANTED)
    try:
        found = np.asarray(value)
    except ValueError:
        raise expected(_WANTED) from None
    if found.ndim != 1 or not found.size or found.dtype.kind not in "fiu":
        raise expected(_WANTED)
    with np.errstate(over="ignore"):
        exact = found.astype(dtype)
    if not np.isfinite(exact).all():
        at = int(np.flatnonzero(~np.isfinite(exact))[0])
        raise Unfit(f"component {at} is {found[at]}, not a finite {exact.dtype.name} number")
    return exact


def dense(dtype: str) -> Binary:
    """Return the encoder of vector (">f4") or halfvec (">f2")."""

    def binary(value: Any) -> bytes:
        found = numbers(value, dtype)
        if found.size > 0xFFFF:
            raise Unfit(f"{found.size} dimensions are more than a vector can have")
        return _DENSE.pack(found.size, 0) + found.tobytes()

    return binary


def read_vector(data: bytes) -> np.ndarray:
    """Decode a vector to float32, shape (dimensions,)."""
    return np.frombuffer(data, ">f4", offset=4).astype(np.float32)


def read_halfvec(data: bytes) -> np.ndarray:
    """Decode a halfvec to float16, shape (dimensions,)."""
    return np.frombuffer(data, ">f2", offset=4).astype(np.float16)


def sparse(value: Any) -> bytes:
    """Encode a sparsevec: dimensions, count, unused, indices from 0, values."""
    if hasattr(value, "indices") and hasattr(value, "dimensions"):
        dimensions = int(value.dimensions())
        indices, values = np.asarray(value.indices(), ">i4"), numbers_or_none(value.values())
    else:
        found = numbers(value, ">f4")
        dimensions = found.size
        indices = np.flatnonzero(found).astype(">i4")
        values = found[indices]
    order = np.argsort(indices)
    head = _SPARSE.pack(dimensions, indices.size, 0)
    return head + indices[order].tobytes() + values[order].tobytes()


def numbers_or_none(values: Any) -> np.ndarray:
    """Return the stored components of a sparse vector, which may be none at all."""
    return numbers(values, ">f4") if len(values) else np.empty(0, ">f4")


def read_sparsevec(data: bytes) -> Any:
    """Decode a sparsevec to pgvector.SparseVector."""
    from pgvector import SparseVector  # imported late: an optional package

    dimensions, count, _ = _SPARSE.unpack_from(data)
    indices = np.frombuffer(data, ">i4", count, 12).tolist()
    values = np.frombuffer(data, ">f4", count, 12 + 4 * count).tolist()
    return SparseVector(dict(zip(indices, values, strict=True)), dimensions)


def bits(value: Any) -> bytes:
    """Encode a bit string: its length in bits, then the bits, the first one highest."""
    if type(value).__module__.startswith("pgvector") and hasattr(value, "to_text"):
        value = value.to_text()
    if isinstance(value, str):
        if value.strip("01"):
            raise ServerParses(value)
        flags = np.frombuffer(value.encode(), np.uint8) - ord("0")
    else:
        try:
            flags = np.asarray(value)
        except ValueError:  # lists of different lengths
            raise expected("a str of 0 and 1, bools, or pgvector.Bit") from None
        if flags.ndim != 1 or (flags.dtype != np.bool_ and flags.size):
            raise expected("a str of 0 and 1, bools, or pgvector.Bit")
    return len(flags).to_bytes(4, "big") + np.packbits(flags.astype(np.uint8)).tobytes()


def read_bits(data: bytes) -> str:
    """Decode a bit string to a str of 0 and 1."""
    count = int.from_bytes(data[:4], "big")
    return "".join(map(str, np.unpackbits(np.frombuffer(data, np.uint8, offset=4), count=count)))
