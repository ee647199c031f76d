"""Text and what is sent as text, bytea, uuid, and JSON that is text already."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from psqlpy_adapter.copying.fields import (
    Field,
    Refused,
    as_bytes,
    binary,
    constant,
    content,
    fixed,
    join,
    validity,
)
from psqlpy_adapter.copying.numbers import plain, refuse_first

_HEX = np.full(256, 255, np.uint8)
for _digit in range(16):
    _HEX[[ord(f"{_digit:x}"), ord(f"{_digit:X}")]] = _digit


def strings(array: pa.Array, name: str, modifier: int) -> Field:
    """Encode into text, varchar, char, name, citext, xml, json and enums: all are sent as text."""
    array = to_text(array)
    offsets, data = _content(array)
    if (data == 0).any():
        row = int(np.searchsorted(offsets, int((data == 0).argmax()), side="right")) - 1
        raise Refused("PostgreSQL's text cannot hold the character U+0000", row)
    if name in ("varchar", "bpchar") and modifier > 4:
        # Blanks beyond the limit are cut off without an error, as the standard has it.
        long = pc.greater(pc.utf8_length(pc.utf8_rtrim(array, " ")), modifier - 4)
        refuse_first(plain(long.fill_null(False)), array, f"longer than {modifier - 4} characters")
    return Field((array.cast(pa.binary()),), validity(array))


def jsonb(array: pa.Array) -> Field:
    """Encode JSON text into jsonb: the text after a version byte."""
    field = strings(array, "jsonb", -1)
    return Field((constant(b"\x01", len(array)), *field.pieces), field.valid)


def to_text(array: pa.Array) -> pa.StringArray:
    """Give the values as the text that PostgreSQL prints for them, or parses."""
    arrow = array.type
    if pa.types.is_string(arrow):
        return array
    if pa.types.is_binary(arrow):
        try:
            return array.cast(pa.string())
        except pa.ArrowInvalid:
            raise Refused("binary that is not UTF-8", _first_not_utf8(array)) from None
    if pa.types.is_fixed_size_binary(arrow):
        raise Refused("binary of a fixed size is not text (a UUID? give it as a string)")
    if pa.types.is_floating(arrow):
        text = array.cast(pa.string())
        for theirs, ours in (("nan", "NaN"), ("-inf", "-Infinity"), ("inf", "Infinity")):
            text = pc.if_else(pc.equal(text, theirs), ours, text)
        return text
    if pa.types.is_timestamp(arrow) and arrow.tz is not None:
        text = array.cast(pa.timestamp(arrow.unit, "UTC")).cast(pa.timestamp(arrow.unit))
        return pc.binary_join_element_wise(text.cast(pa.string()), "+00", "")
    return array.cast(pa.string())


def _first_not_utf8(array: pa.Array) -> int | None:
    for row, value in enumerate(array):
        try:
            if value.is_valid:
                value.as_py().decode()
        except UnicodeDecodeError:
            return row
    return None


def bytea(array: pa.Array) -> Field:
    """Encode into bytea."""
    if pa.types.is_fixed_size_binary(array.type):
        return fixed(_matrix(array), validity(array))
    return Field((array,), validity(array))


def uuids(array: pa.Array) -> Field:
    """Encode into uuid: of 16 bytes, or of any text form that PostgreSQL accepts."""
    valid = validity(array)
    if pa.types.is_fixed_size_binary(array.type):
        if array.type.byte_width != 16:
            raise Refused("a UUID has 16 bytes")
        return fixed(_matrix(array), valid)
    if pa.types.is_binary(array.type):
        wrong = pc.not_equal(pc.binary_length(array), 16).fill_null(False)
        refuse_first(plain(wrong), array, "a UUID has 16 bytes")
        filled = array.fill_null(bytes(16))
        return fixed(_content(filled)[1].reshape(-1, 16), valid)
    hexadecimal = pc.replace_substring(array, "-", "")
    form = pc.match_substring_regex(
        array, r"^(\{([0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}\}|([0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4})$"
    )
    refuse_first(~plain(form.fill_null(True)), array, "not a UUID")
    hexadecimal = pc.utf8_trim(hexadecimal, "{}").fill_null("0" * 32)
    digits = _HEX[_content(hexadecimal)[1].reshape(-1, 32)]
    return fixed(digits[:, 0::2] << 4 | digits[:, 1::2], valid)


def _content(array: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Give offsets from 0 and the bytes; NULL is empty whatever stands under it."""
    return content(join([array.cast(pa.binary())], len(array)))


def _matrix(array: pa.FixedSizeBinaryArray) -> np.ndarray:
    width = array.type.byte_width
    data = np.frombuffer(array.buffers()[1], np.uint8, (array.offset + len(array)) * width)
    return as_bytes(data.reshape(-1, width)[array.offset :])


def uuid_text(array: pa.FixedSizeBinaryArray) -> pa.StringArray:
    """Write 16-byte values as UUIDs are written."""
    raw = _matrix(array)
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    text = np.full((len(array), 36), ord("-"), np.uint8)
    places = np.delete(np.arange(36), [8, 13, 18, 23])
    text[:, places[0::2]] = digits[raw >> 4]
    text[:, places[1::2]] = digits[raw & 15]
    written = binary(text).cast(pa.string())
    return pc.if_else(array.is_valid(), written, None) if array.null_count else written
