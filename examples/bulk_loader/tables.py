"""The CREATE TABLE for the columns of a Parquet file."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from sqlspec.adapters.psqlpy.core import format_table_identifier, split_schema_and_table
from sqlspec.utils.text import quote_identifier

_TYPES = {
    pa.bool_(): "boolean",
    pa.int8(): "smallint",
    pa.int16(): "smallint",
    pa.int32(): "integer",
    pa.int64(): "bigint",
    pa.uint8(): "smallint",
    pa.uint16(): "integer",
    pa.uint32(): "bigint",
    pa.uint64(): "numeric(20)",
    pa.float32(): "real",
    pa.float64(): "double precision",
    pa.string(): "text",
    pa.large_string(): "text",
    pa.binary(): "bytea",
    pa.large_binary(): "bytea",
    pa.date32(): "date",
}


LONGEST_NAME = 63
"""Bytes; the server cuts longer names off and goes on with what is left."""


class TableError(Exception):
    """No table can be made for the file; the message names the column."""


def check_key(schema: pa.Schema, key: Sequence[str]) -> None:
    """TableError when a column of the key is not in the file."""
    for name in key:
        if name not in schema.names:
            raise TableError(
                f"--key {name}: the file has no such column; it has {', '.join(schema.names)}"
            )


def create_table(table: str, schema: pa.Schema, key: Sequence[str]) -> str:
    """The statement that makes `table` if it does not exist, with the primary key `key`.

    table: "name" or "schema.name". Raises TableError.
    """
    for name in (*filter(None, split_schema_and_table(table)), *schema.names):
        if len(name.encode()) > LONGEST_NAME:
            raise TableError(
                f"--create: the name {name!r} has {len(name.encode())} bytes, and PostgreSQL takes "
                f"{LONGEST_NAME}; choose a shorter one, with --table or in the file"
            )
    lines = [f"{quote_identifier(field.name)} {_type(field)}" for field in schema]
    lines.append(f"PRIMARY KEY ({', '.join(map(quote_identifier, key))})")
    return f"CREATE TABLE IF NOT EXISTS {format_table_identifier(table)} ({', '.join(lines)})"


def _type(field: pa.Field) -> str:
    arrow = field.type
    if pa.types.is_timestamp(arrow):
        return "timestamptz" if arrow.tz else "timestamp"
    if pa.types.is_decimal(arrow):
        return f"numeric({arrow.precision}, {arrow.scale})"
    if pa.types.is_dictionary(arrow):
        arrow = arrow.value_type
    if arrow not in _TYPES:
        raise TableError(
            f"--create knows no type for the column {field.name!r} ({arrow}); create the table "
            "yourself, with the type that you want"
        )
    return _TYPES[arrow]
