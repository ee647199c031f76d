"""Nested Arrow values as text: JSON documents, and PostgreSQL's literals of arrays and rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from psqlpy_adapter.copying.arrow_types import is_uuid, kind, normal
from psqlpy_adapter.copying.destination import TargetType
from psqlpy_adapter.copying.fields import Refused, content, join, offsets_of, ranges
from psqlpy_adapter.copying.lists import flatten, is_list
from psqlpy_adapter.copying.numbers import plain, refuse_first
from psqlpy_adapter.copying.text import to_text, uuid_text

_CONTROLS = [(chr(code), f"\\u{code:04x}") for code in range(0x20)]
_PLAIN_JSON = {"boolean", "integer", "decimal"}


def json_text(array: pa.Array) -> pa.StringArray:
    """Write values as JSON: lists as arrays, structs and maps as objects; a NULL stays NULL.

    Times are ISO 8601 strings, UUIDs strings. Strings become JSON strings here; that a string
    which goes into a json column is a document already is for the caller to see to.
    """
    if is_uuid(array.type):
        return _quoted(uuid_text(normal(array)))
    array = normal(array)
    what = kind(array.type)
    if what == "null":
        return array.cast(pa.string())
    if what in _PLAIN_JSON:
        return array.cast(pa.string())
    if what == "float":
        refuse_first(~np.isfinite(plain(array)), array, "JSON has no such number")
        text = array.cast(pa.string())
        whole = pc.match_substring_regex(text, r"^-?\d+$")
        return pc.if_else(whole, pc.binary_join_element_wise(text, ".0", ""), text)
    if what == "string":
        text = _quoted(array)
        for control, escape in _CONTROLS:
            text = pc.replace_substring(text, control, escape)
        return text
    if what == "timestamp":
        return _quoted(pc.replace_substring(to_text(array), " ", "T"))
    if what in ("date", "time"):
        return _quoted(to_text(array))
    if what == "list":
        lengths, values, valid = flatten(array)
        return _enclosed(lengths, pc.fill_null(json_text(values), "null"), "[]", valid)
    if what == "map":
        entries = array.cast(
            pa.list_(pa.struct([("k", array.type.key_type), ("v", array.type.item_type)]))
        )
        lengths, values, valid = flatten(entries)
        keys, items = values.flatten()
        keys = to_text(normal(keys))
        pairs = _joined(json_text(keys), ":", pc.fill_null(json_text(items), "null"))
        return _enclosed(lengths, pairs, "{}", valid)
    if what == "struct":
        pieces: list[pa.Array | str] = ["{"]
        for place, (field, values) in enumerate(zip(array.type, array.flatten(), strict=True)):
            name = json_text(pa.array([field.name]))[0].as_py()
            pieces += [f"{',' if place else ''}{name}:", pc.fill_null(json_text(values), "null")]
        return _masked(_joined(*pieces, "}", rows=len(array)), array)
    raise Refused("JSON has no such type")


def literal(array: pa.Array, type_: TargetType) -> pa.StringArray:
    """Write values as the text that PostgreSQL reads for them: `{"a",NULL}`, `("a",)`, `12.5`."""
    if is_uuid(array.type):
        return uuid_text(normal(array))
    array = normal(array)
    if type_.element is not None and is_list(array.type):
        lengths, values, valid = flatten(array)
        if is_list(values.type):  # a further dimension
            items = literal(values, type_)
        else:
            items = _quoted(literal(values, type_.element))
        return _enclosed(lengths, pc.fill_null(items, "NULL"), "{}", valid)
    if type_.fields and pa.types.is_struct(array.type):
        given = dict(zip((field.name for field in array.type), array.flatten(), strict=True))
        pieces: list[pa.Array | str] = ["("]
        for place, (name, inner) in enumerate(type_.fields):
            pieces += ["," if place else "", pc.fill_null(_quoted(literal(given[name], inner)), "")]
        return _masked(_joined(*pieces, ")", rows=len(array)), array)
    return to_text(array)


def _quoted(text: pa.StringArray) -> pa.StringArray:
    """Put text into double quotes, with a backslash before each backslash and quote."""
    text = pc.replace_substring(pc.replace_substring(text, "\\", "\\\\"), '"', '\\"')
    return pc.binary_join_element_wise('"', text, '"', "")


def _joined(*pieces: pa.Array | str, rows: int | None = None) -> pa.StringArray:
    if rows is not None and not any(isinstance(piece, pa.Array) for piece in pieces):
        return pa.array(["".join(pieces)] * rows, pa.string())  # a struct without fields
    return pc.binary_join_element_wise(*pieces, "")


def _masked(text: pa.StringArray, array: pa.Array) -> pa.StringArray:
    return text if array.null_count == 0 else pc.if_else(array.is_valid(), text, None)


def _enclosed(
    lengths: np.ndarray, items: pa.StringArray, brackets: str, valid: np.ndarray | None
) -> pa.StringArray:
    """Write each list as its items, commas between them and brackets around."""
    starts = offsets_of(lengths)
    comma = np.ones(len(items), np.bool_)
    comma[starts[:-1][lengths > 0]] = False  # none before the first item of a list
    separated = join(
        [pc.if_else(pa.array(comma), b",", b"").cast(pa.binary()), items.cast(pa.binary())],
        len(items),
    )
    offsets, data = content(separated)
    bodies = ranges(offsets[starts], data).cast(pa.string())
    text = _joined(brackets[0], bodies, brackets[1], rows=len(lengths))
    return text if valid is None else pc.if_else(pa.array(valid), text, None)
