"""From a batch of Arrow columns to one binary COPY, by the types of the destination."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from sqlspec.exceptions import DataError

from psqlpy_adapter.copying import numbers, temporal, text, vectors
from psqlpy_adapter.copying.arrow_types import is_uuid, kind, normal, storage
from psqlpy_adapter.copying.destination import TargetType
from psqlpy_adapter.copying.fields import Bytes, Field, Refused, copy_buffer, fixed
from psqlpy_adapter.copying.lists import is_list
from psqlpy_adapter.copying.nested import arrays, composites, nests
from psqlpy_adapter.copying.nested_text import json_text, literal
from psqlpy_adapter.copying.wire import Wire, wire_fields

TEXTS = frozenset({"text", "varchar", "bpchar", "name", "citext", "xml"})
VECTORS = frozenset({"vector", "halfvec", "sparsevec"})
_NUMBERS = frozenset({"integer", "float", "decimal"})
_WRITABLE = frozenset({"string", "boolean", "date", "time", "timestamp"}) | _NUMBERS

# PostgreSQL type -> the kinds of Arrow types that are encoded into it.
_ENCODED: dict[str, frozenset[str]] = {
    **dict.fromkeys(("int2", "int4", "int8", "oid", "xid", "cid", "xid8"), _NUMBERS),
    **dict.fromkeys(("float4", "float8"), _NUMBERS),
    "numeric": frozenset({"integer", "decimal"}),
    "bool": frozenset({"boolean"}),
    **dict.fromkeys(TEXTS, _WRITABLE | {"binary"}),
    **dict.fromkeys(("json", "jsonb"), _WRITABLE | {"list", "struct", "map"}),
    "bytea": frozenset({"binary", "fixed binary"}),
    "uuid": frozenset({"string", "binary", "fixed binary"}),
    "date": frozenset({"date", "timestamp"}),
    "time": frozenset({"time"}),
    **dict.fromkeys(("timestamp", "timestamptz"), frozenset({"timestamp", "date"})),
    "interval": frozenset({"duration", "calendar interval"}),
    **dict.fromkeys(VECTORS, frozenset({"list"})),
}


@dataclass(frozen=True)
class SourceColumn:
    """A column to load; `as_text` when the server has to parse its text (see `goes_as_text`)."""

    name: str
    arrow: pa.DataType
    type: TargetType
    display: str  # the type with its modifier, as SQL writes it
    as_text: bool

    @property
    def is_wire(self) -> bool:
        """Whether its values are encoded already (`load_from_records`)."""
        return isinstance(self.arrow, Wire)

    @property
    def has_text(self) -> bool:
        """Whether the server has to parse some of its values."""
        return self.as_text or (isinstance(self.arrow, Wire) and self.arrow.has_text)


def goes_as_text(arrow: pa.DataType, type_: TargetType) -> bool:
    """Tell whether values go as text, for the server to cast; refuse what goes in no way.

    So go types whose binary form is not encoded here (inet, ranges, bit, tsvector, money ...),
    text into types other than text, uuid and json, and floats into numeric (the digits that float8
    prints, not its binary expansion). Whether an integer is money in cents nobody can tell.
    """
    what = kind(arrow)
    if what == "null" or isinstance(arrow, Wire):
        return False
    if type_.element is not None and what == "list":
        inner = storage(arrow).value_type
        while nests(type_.element) and is_list(inner):
            inner = storage(inner).value_type
        return goes_as_text(inner, type_.element)
    if type_.fields and what == "struct":
        struct = storage(arrow)
        wanted = [name for name, _ in type_.fields]
        if sorted(field.name for field in struct) != sorted(wanted):
            raise Refused(f"its fields must be {', '.join(wanted)}")
        as_text = [goes_as_text(struct.field(name).type, inner) for name, inner in type_.fields]
        return any(as_text)
    if type_.is_enum or what == "string":
        if what != "string":
            raise Refused("only strings go into an enum")
        return not (type_.is_enum or "string" in _ENCODED.get(type_.name, frozenset()))
    if is_uuid(arrow) and (type_.name in TEXTS or type_.name in ("json", "jsonb")):
        return False
    if type_.name in _ENCODED:
        if what in _ENCODED[type_.name]:
            return False
        if type_.name == "numeric" and what == "float":
            return True
        raise Refused("the one does not go into the other")
    if type_.name == "money" and what == "integer":
        raise Refused("give decimals: an integer could mean cents")
    if what in _WRITABLE and type_.element is None and not type_.fields:
        return True
    raise Refused("the one does not go into the other")


def encode(array: pa.Array, type_: TargetType, zone: str) -> Field:
    """Encode an array into the wire form of `type_`; `zone` is the session's TimeZone."""
    if is_uuid(array.type) and type_.name in TEXTS:
        array = text.uuid_text(normal(array))
    name = type_.name
    if name in ("json", "jsonb") and kind(array.type) not in ("null", "string"):
        array = json_text(array)
    array = normal(array)
    if pa.types.is_null(array.type):
        return numbers.nulls(len(array))
    if type_.element is not None:
        return arrays(array, type_.element, lambda inner, of: encode(inner, of, zone))
    if type_.fields:
        return composites(array, type_.fields, lambda inner, of: encode(inner, of, zone))
    if type_.is_enum or name in TEXTS or name == "json":
        return text.strings(array, name, type_.modifier)
    if name == "jsonb":
        return text.jsonb(array)
    if name in VECTORS:
        return vectors.vectors(array, name, type_.modifier)
    if name in ("int2", "int4", "int8", "oid", "xid", "cid", "xid8"):
        return numbers.integers(array, name)
    if name in ("float4", "float8"):
        return numbers.floats(array, name)
    if name in ("timestamp", "timestamptz"):
        return temporal.timestamps(array, name, zone)
    return _SIMPLE[name](array)


_SIMPLE = {
    "numeric": numbers.numerics,
    "bool": numbers.booleans,
    "bytea": text.bytea,
    "uuid": text.uuids,
    "date": temporal.dates,
    "time": temporal.times,
    "interval": temporal.intervals,
}


class Encoder:
    """Encodes the slices of one load; `numbered` adds a last column, bigint: the rows' numbers."""

    def __init__(self, columns: Sequence[SourceColumn], zone: str, *, numbered: bool) -> None:
        self._columns = columns
        self._zone = zone
        self._numbered = numbered

    def encode(self, batch: pa.RecordBatch, first_row: int) -> Bytes:
        """Give one complete binary COPY of the batch, whose first row is row `first_row` (from 0).

        Raises:
            DataError: a value that its column cannot hold; names row, column and both types.
        """
        fields: list[Field] = []
        for column, array in zip(self._columns, batch.columns, strict=True):
            try:
                if column.is_wire:
                    fields += wire_fields(array)
                elif column.as_text:
                    fields.append(text.strings(literal(array, column.type), "text", -1))
                else:
                    fields.append(encode(array, column.type, self._zone))
            except Refused as refused:
                row = None if refused.row is None else first_row + refused.row
                raise refusal(column.name, column.arrow, column.type, refused.reason, row) from None
            except pa.ArrowException as error:  # a conversion that Arrow itself refuses
                raise refusal(column.name, column.arrow, column.type, str(error), None) from error
        if self._numbered:
            fields.append(fixed(np.arange(first_row, first_row + len(batch)).astype(">i8")))
        return copy_buffer(fields, len(batch))

    def explain(self, batch: pa.RecordBatch, first_row: int, error: BaseException) -> None:
        """Find JSON text that the server refused, which it does without naming column or row.

        Raises:
            DataError: from `error`: there is such text; names column, row and the place in it.
        """
        for column, array in zip(self._columns, batch.columns, strict=True):
            if column.type.name not in ("json", "jsonb"):
                continue
            if not column.is_wire and kind(array.type) != "string":
                continue
            prefix = int(column.is_wire and column.type.name == "jsonb")  # the version byte
            for row, value in enumerate(normal(array).to_pylist()):
                try:
                    json.loads("null" if value is None else value[prefix:])
                except ValueError as reason:
                    raise refusal(
                        column.name, column.arrow, column.type, str(reason), first_row + row
                    ) from error


def refusal(
    name: str, arrow: pa.DataType, type_: TargetType, reason: str, row: int | None
) -> DataError:
    """Say which column, and row (from 0), cannot be loaded, and why."""
    where = "" if row is None else f", row {row}"
    given = "a value" if isinstance(arrow, Wire) else f"Arrow {arrow}"
    return DataError(
        f'column "{name}"{where}: {given} cannot be loaded into PostgreSQL '
        f"{type_.display}: {reason}"
    )
