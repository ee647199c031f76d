"""Integers, floats, booleans and numeric."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from psqlpy_adapter.copying.fields import Field, Refused, as_bytes, constant, fixed, validity

_RANGES: dict[str, np.iinfo[Any]] = {
    "int2": np.iinfo(np.int16),
    "int4": np.iinfo(np.int32),
    "int8": np.iinfo(np.int64),
    "oid": np.iinfo(np.uint32),
    "xid": np.iinfo(np.uint32),
    "cid": np.iinfo(np.uint32),
    "xid8": np.iinfo(np.uint64),
}
_BASE = 10_000  # numeric's digits, each sent as two bytes


def plain(array: pa.Array) -> NDArray[Any]:
    """Give the values of a primitive array, (n,), with zeros where it is NULL."""
    if array.null_count:
        array = array.fill_null(False if pa.types.is_boolean(array.type) else 0)
    values: NDArray[Any] = array.to_numpy(zero_copy_only=False)
    return values


def refuse_first(wrong: NDArray[np.bool_], array: pa.Array, reason: str) -> None:
    """Refuse the first row that is `wrong`, and say which value is in it."""
    if wrong.any():
        row = int(wrong.argmax())
        raise Refused(f"{reason}: {_shown(array[row])[:80]}", row)


def _shown(value: pa.Scalar) -> str:
    try:
        return str(value)
    except (ValueError, OverflowError):  # a date that Python has no value for
        return f"{value.value} ({value.type})"


def doubles(array: pa.Array) -> pa.Array:
    """Give decimals as the nearest doubles, as float() does and the server's own cast.

    Arrow's cast multiplies by a power of ten, which is wrong in the last digit of every eighth
    price; its reading of text is exact (0.15 s for a million).
    """
    return array.cast(pa.string()).cast(pa.float64())


def integers(array: pa.Array, name: str) -> Field:
    """Encode into int2, int4, int8, oid ...: of integers in range, and of whole floats."""
    limits = _RANGES[name]
    values = plain(array)
    if pa.types.is_decimal(array.type):
        whole = pc.round(array) if array.type.scale > 0 else array
        refuse_first(
            plain(pc.fill_null(pc.not_equal(whole, array), False)), array, "not a whole number"
        )
        wide = whole.cast(pa.decimal256(76, 0), safe=False)
        bounds = [pa.scalar(str(limit)).cast(wide.type) for limit in (limits.min, limits.max)]
        outside = pc.or_(pc.less(wide, bounds[0]), pc.greater(wide, bounds[1])).fill_null(False)
        refuse_first(plain(outside), array, f"out of the range of {name}")
        values = plain(wide.cast(pa.uint64() if limits.min == 0 else pa.int64()))
    elif pa.types.is_floating(array.type):
        values = values.astype(np.float64)
        refuse_first(
            ~(np.isfinite(values) & (np.floor(values) == values)), array, "not a whole number"
        )
        # 2.0**63 is a float, int8's largest value is not: compare with what follows it.
        refuse_first(
            (values < float(limits.min)) | (values >= float(limits.max + 1)),
            array,
            f"out of the range of {name}",
        )
    elif not _holds(limits, values.dtype):
        refuse_first(
            (values < limits.min) | (values > limits.max), array, f"out of the range of {name}"
        )
    return fixed(values.astype(np.dtype(limits.dtype).newbyteorder(">")), validity(array))


def _holds(limits: np.iinfo[Any], source: np.dtype[Any]) -> bool:
    held = np.iinfo(source)
    return held.min >= limits.min and held.max <= limits.max


def floats(array: pa.Array, name: str) -> Field:
    """Encode into float4 and float8: of floats, integers and decimals; NaN and infinity stay."""
    if pa.types.is_decimal(array.type):
        array = doubles(array)
    values = plain(array)
    if name == "float8":
        return fixed(values.astype(">f8"), validity(array))
    with np.errstate(over="ignore"):
        narrow = values.astype(">f4")
    lost = np.isinf(narrow) & np.isfinite(values.astype(np.float64))
    refuse_first(lost, array, "out of the range of float4")
    return fixed(narrow, validity(array))


def booleans(array: pa.Array) -> Field:
    """Encode into bool."""
    return fixed(plain(array).astype(np.uint8), validity(array))


def numerics(array: pa.Array) -> Field:
    """Encode into numeric: of integers and decimals, each with the scale of its Arrow type.

    Digits in base 10,000, the most significant first; leading and trailing zeros are sent, the
    server strips them (`numeric_recv`).
    """
    if pa.types.is_decimal(array.type):
        limbs, negative = _decimal_limbs(array)
        scale = array.type.scale
    else:
        limbs, negative = _integer_limbs(plain(array))
        scale = 0
    if scale < 0:
        _multiply(limbs, 10, -scale)
        scale = 0
    _multiply(limbs, 10, -scale % 4)
    digits = _digits(limbs)
    rows, count = digits.shape
    weight = count - 1 - (scale + 3) // 4
    head = np.empty((rows, 4), ">i2")
    head[:, 0] = count
    head[:, 1] = weight
    head[:, 2] = np.where(negative, 0x4000, 0)
    head[:, 3] = scale
    return Field((as_bytes(head), as_bytes(digits)), validity(array))


def _integer_limbs(values: NDArray[Any]) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    negative = values < 0
    wide = values.astype(np.uint64)
    magnitude = np.where(negative, np.uint64(0) - wide, wide)
    return np.stack([magnitude & 0xFFFFFFFF, magnitude >> np.uint64(32)]), negative


def _decimal_limbs(array: pa.Array) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Give each value's magnitude as 32-bit limbs, (limbs, n), the least significant first."""
    width = array.type.byte_width
    words = width // 4
    start = array.offset * words
    data = np.frombuffer(array.buffers()[1], "<u4", start + len(array) * words)[start:]
    # Room for the factors of ten by which `numerics` multiplies: 32 bits hold nine of them.
    room = 1 + max(0, -array.type.scale + 3) // 9
    limbs = np.zeros((words + room, len(array)), np.uint64)
    limbs[:words] = data.reshape(len(array), words).T
    negative = limbs[words - 1] >= 1 << 31
    carry = negative.astype(np.uint64)
    for limb in limbs[:words]:  # two's complement: all bits turned, and one added
        limb[:] = np.where(negative, 0xFFFFFFFF - limb, limb) + carry
        carry = limb >> np.uint64(32)
        limb &= 0xFFFFFFFF
    null = validity(array)
    if null is not None:
        limbs[:, ~null] = 0  # what stands under a NULL is arbitrary
    return limbs, negative


def _multiply(limbs: NDArray[np.uint64], factor: int, times: int) -> None:
    for _ in range(times):
        carry = np.zeros(limbs.shape[1], np.uint64)
        for limb in limbs:
            limb *= factor
            limb += carry
            carry = limb >> np.uint64(32)
            limb &= 0xFFFFFFFF


def _digits(limbs: NDArray[np.uint64]) -> NDArray[Any]:
    """Divide by 10,000 until nothing is left; gives (n, digits), the most significant first."""
    digits: list[NDArray[np.uint64]] = []
    while limbs.any() or not digits:
        rest = np.zeros(limbs.shape[1], np.uint64)
        for limb in limbs[::-1]:
            rest <<= np.uint64(32)
            rest += limb
            np.floor_divide(rest, _BASE, out=limb)
            rest -= limb * np.uint64(_BASE)
        digits.append(rest)
        if len(limbs) > 1 and not limbs[-1].any():
            limbs = limbs[:-1]
    return np.stack(digits[::-1], axis=1).astype(">i2")


def nulls(rows: int) -> Field:
    """Encode a column that is NULL throughout, into any type."""
    return Field((constant(b"", rows),), np.zeros(rows, np.bool_))
