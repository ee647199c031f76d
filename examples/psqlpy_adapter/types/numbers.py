"""Numbers: integers, floats, numeric, money, oids.

psqlpy binds a Python int by the parameter's type, but raises OverflowError or TypeError (not
SQLSpec's) when it does not fit, stores nothing for an int given for numeric, and reads numeric
through a 28-digit decimal. Here each number is checked first, and numeric is exact both ways.

Source: PostgreSQL manual 8.1, 8.2; src/backend/utils/adt/numeric.c (numeric_send).
May be unnecessary when psqlpy (0.13.1) checks ranges and reads numeric beyond 28 digits.
"""

from __future__ import annotations

import math
import operator
import struct
from decimal import Context, Decimal
from typing import Any

from psqlpy_adapter.types.pgtype import Binary, Read, ServerParses, Unfit, expected

_NAN, _POSITIVE, _NEGATIVE, _INFINITY, _MINUS_INFINITY = 0xC000, 0x0000, 0x4000, 0xD000, 0xF000
_HEADER = struct.Struct(">HhHH")
_FLOAT8 = struct.Struct(">d")
_FLOAT4 = struct.Struct(">f")


def whole(value: Any) -> int:
    """Return an int for anything that is an integer by nature (int, bool, numpy integers)."""
    if isinstance(value, str):
        raise ServerParses(value)
    try:
        return operator.index(value)
    except TypeError:
        raise expected("an int") from None


def integer(size: int, *, signed: bool = True) -> tuple[Binary, Read]:
    """Return the codec of an integer of `size` bytes."""
    low = -(1 << (8 * size - 1)) if signed else 0
    high = (1 << (8 * size - (1 if signed else 0))) - 1

    def binary(value: Any) -> bytes:
        number = whole(value)
        if not low <= number <= high:
            # str() of an int has a limit (sys.set_int_max_str_digits)
            shown = number if number.bit_length() < 1000 else "a number of many digits"
            raise Unfit(f"{shown} is outside {low} .. {high}")
        return number.to_bytes(size, "big", signed=signed)

    def read(data: bytes) -> int:
        return int.from_bytes(data, "big", signed=signed)

    return binary, read


def real(value: Any) -> float:
    """Return a float for int, float, Decimal and numpy numbers; refuse what float() would guess."""
    if isinstance(value, str):
        raise ServerParses(value)
    if isinstance(value, (bool, bytes, bytearray)) or not hasattr(value, "__float__"):
        raise expected("a float, int or Decimal")
    try:
        number = float(value)
    except (OverflowError, TypeError, ValueError) as error:
        raise Unfit(str(error)) from None
    if math.isinf(number) and isinstance(value, (int, Decimal)) and value not in (number,):
        raise Unfit("out of range")
    return number


def float8(value: Any) -> bytes:
    """Encode a double precision number."""
    return _FLOAT8.pack(real(value))


def float4(value: Any) -> bytes:
    """Encode a single precision number; one too large is refused, as the server does."""
    try:
        return _FLOAT4.pack(real(value))
    except OverflowError:
        raise Unfit("out of range of a 4-byte float") from None


def read_float8(data: bytes) -> float:
    """Decode a double precision number."""
    return float(_FLOAT8.unpack(data)[0])


def read_float4(data: bytes) -> float:
    """Decode a single precision number."""
    return float(_FLOAT4.unpack(data)[0])


def decimal(value: Any) -> Decimal:
    """Return a Decimal with the digits that one sees (0.1, not 0.1000000000000000055...)."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str):
        raise ServerParses(value)
    if isinstance(value, float):
        return Decimal(float.__repr__(value))
    try:
        return Decimal(operator.index(value)) if not isinstance(value, bool) else _no_decimal()
    except TypeError:
        if type(value).__module__ == "numpy" and hasattr(value, "__float__"):
            return Decimal(str(value))  # the shortest digits of its own precision
        return _no_decimal()


def _no_decimal() -> Decimal:
    raise expected("a Decimal, int or float")


def numeric(value: Any) -> bytes:
    """Encode numeric in groups of four decimal digits: count, weight, sign, scale, groups."""
    sign, digits, exponent = decimal(value).as_tuple()
    if isinstance(exponent, str):
        code = _NAN if exponent in "nN" else _MINUS_INFINITY if sign else _INFINITY
        return _HEADER.pack(0, 0, code, 0)
    scale = max(-exponent, 0)
    if scale > 16383 or len(digits) + exponent > 131_072:
        raise Unfit("more than 131072 digits before or 16383 after the decimal point")
    text = "".join(map(str, digits)) + "0" * max(exponent, 0)
    whole_digits = len(text) - scale
    if whole_digits < 0:
        text, whole_digits = "0" * -whole_digits + text, 0
    text = "0" * (-whole_digits % 4) + text + "0" * (-scale % 4)
    groups = [int(text[at : at + 4]) for at in range(0, len(text), 4)]
    weight = (whole_digits + 3) // 4 - 1
    first = next((at for at, group in enumerate(groups) if group), len(groups))
    last = next((at for at in range(len(groups), first, -1) if groups[at - 1]), first)
    groups = groups[first:last]
    weight = weight - first if groups else 0
    code = _NEGATIVE if sign and groups else _POSITIVE
    return _HEADER.pack(len(groups), weight, code, scale) + struct.pack(f">{len(groups)}H", *groups)


def read_numeric(data: bytes) -> Decimal:
    """Decode numeric with every digit and its scale (`1.10` stays `1.10`)."""
    count, weight, sign, scale = _HEADER.unpack_from(data)
    if sign >= _NAN:
        return Decimal({_NAN: "NaN", _INFINITY: "Infinity"}.get(sign, "-Infinity"))
    # Digits as text: an int of more than 4,300 digits has no str().
    digits = "".join([f"{group:04d}" for group in struct.unpack_from(f">{count}H", data, 8)])
    shift = 4 * (weight + 1 - count) + scale  # the digits and `shift` zeros have `scale` decimals
    digits = digits + "0" * shift if shift >= 0 else digits[:shift]
    return Decimal(f"{'-' if sign else ''}{digits or 0}E-{scale}")


def money(units: int) -> tuple[Binary, Read]:
    """Return the codec of money as Decimal; `units` is 10 ** (decimals of lc_monetary).

    SQLSpec's adapter takes and gives an int of cents. An int is refused here: a program that
    counts cents must not store a hundred times the amount after a change of its import line.
    """
    send, receive = integer(8)
    decimals = len(str(units)) - 1
    places = Decimal(1).scaleb(-decimals)
    exact = Context(prec=40)  # whatever the program has made of its own context

    def binary(value: Any) -> bytes:
        if isinstance(value, int):
            raise Unfit("give a Decimal: an int could mean cents")
        amount = decimal(value)
        if amount.is_finite() and amount.adjusted() >= 20:
            raise Unfit("out of the range of money")
        if not amount.is_finite() or amount != amount.quantize(places, context=exact):
            raise Unfit(f"money has {decimals} decimals here")
        return send(int(amount.scaleb(decimals, context=exact)))

    def read(data: bytes) -> Decimal:
        return Decimal(receive(data)).scaleb(-decimals, context=exact)

    return binary, read
