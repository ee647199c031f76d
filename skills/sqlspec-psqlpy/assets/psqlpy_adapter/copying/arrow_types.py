"""Arrow's types as this package sees them: a few kinds, and one layout for each."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from psqlpy_adapter.copying.fields import Refused
from psqlpy_adapter.copying.lists import is_list

_KINDS = {
    "null": pa.types.is_null,
    "boolean": pa.types.is_boolean,
    "integer": pa.types.is_integer,
    "float": pa.types.is_floating,
    "decimal": pa.types.is_decimal,
    "string": lambda t: pa.types.is_string(t) or pa.types.is_large_string(t),
    "fixed binary": pa.types.is_fixed_size_binary,
    "binary": lambda t: pa.types.is_binary(t) or pa.types.is_large_binary(t),
    "date": pa.types.is_date,
    "time": pa.types.is_time,
    "timestamp": pa.types.is_timestamp,
    "duration": pa.types.is_duration,
    "calendar interval": lambda t: t == pa.month_day_nano_interval(),
    "list": is_list,
    "struct": pa.types.is_struct,
    "map": pa.types.is_map,
}


def storage(arrow: pa.DataType) -> pa.DataType:
    """Give the type that `normal` brings values of this type to."""
    if isinstance(arrow, pa.BaseExtensionType):
        return storage(arrow.storage_type)
    if pa.types.is_dictionary(arrow) or pa.types.is_run_end_encoded(arrow):
        return storage(arrow.value_type)
    if pa.types.is_string_view(arrow) or pa.types.is_large_string(arrow):
        return pa.string()
    if pa.types.is_binary_view(arrow) or pa.types.is_large_binary(arrow):
        return pa.binary()
    if pa.types.is_decimal32(arrow) or pa.types.is_decimal64(arrow):
        return pa.decimal128(arrow.precision, arrow.scale)
    return arrow


def normal(array: pa.Array) -> pa.Array:
    """Bring dictionaries, run ends, views, large and extension types to the plain layout."""
    arrow = array.type
    if isinstance(arrow, pa.BaseExtensionType):
        return normal(array.storage)
    if pa.types.is_dictionary(arrow):
        return normal(array.dictionary_decode())
    if pa.types.is_run_end_encoded(arrow):
        return normal(pc.run_end_decode(array))
    plain = storage(arrow)
    return array if plain == arrow else array.cast(plain)


def kind(arrow: pa.DataType) -> str:
    """Name the kind of a type, or refuse one that PostgreSQL has nothing for (unions)."""
    plain = storage(arrow)
    for name, check in _KINDS.items():
        if check(plain):
            return name
    raise Refused("PostgreSQL has no such type")


def is_uuid(arrow: pa.DataType) -> bool:
    """Tell Arrow's own UUID type, and the one of Arrow's PostgreSQL drivers, from plain bytes."""
    name = getattr(arrow, "extension_name", None)
    return name == "arrow.uuid" or (
        name == "arrow.opaque" and getattr(arrow, "type_name", "").lower() == "uuid"
    )
