"""What the server says of the table that rows are loaded into: its columns and their types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlspec.utils.text import quote_identifier

# One row. `in_transaction` reads what an earlier `set_config(..., is_local => true)` left: a local
# setting outlives its statement only in a transaction block. COPY needs a table (not a view), the
# INSERT privilege on all of it and no row security.
RELATION = """
SELECT c.oid::bigint AS oid, n.nspname::text AS schema, c.relname::text AS name,
       c.relkind IN ('r', 'p') AND has_table_privilege(c.oid, 'INSERT')
           AND NOT row_security_active(c.oid) AS takes_copy,
       current_setting('TimeZone') AS zone,
       current_setting('transaction_read_only')::boolean AS read_only,
       current_setting('server_version_num')::int AS version,
       coalesce(current_setting('psqlpy_adapter.probe', true), '') = '1' AS in_transaction
FROM (SELECT to_regclass($1) AS oid) wanted
LEFT JOIN pg_class c ON c.oid = wanted.oid
LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
"""

COLUMNS = """
SELECT a.attname::text AS name, a.atttypid::bigint AS type, a.atttypmod AS modifier,
       format_type(a.atttypid, a.atttypmod) AS display, a.attgenerated <> '' AS generated,
       coalesce(a.attnum = ANY(i.indkey), false) AS is_key
FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
WHERE a.attrelid = $1::bigint::oid AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""

# Whether NULLs conflict: told by the row as JSON, since the column is new in PostgreSQL 15.
NULLS_NOT_DISTINCT = """
SELECT count(*) > 0 AS found FROM pg_index i
WHERE i.indrelid = $1::bigint::oid AND i.indisunique AND i.indpred IS NULL
  AND to_jsonb(i) ->> 'indnullsnotdistinct' = 'true'
  AND (SELECT array_agg(a.attname::text ORDER BY a.attname::text) FROM pg_attribute a
       WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1]))
    = (SELECT array_agg(DISTINCT name ORDER BY name) FROM unnest($2::text[]) AS name)
"""

# The types of the columns, and all types inside those: of elements, of fields, under domains.
TYPES = """
WITH RECURSIVE used (oid) AS (
    SELECT atttypid FROM pg_attribute
    WHERE attrelid = $1::bigint::oid AND attnum > 0 AND NOT attisdropped
  UNION
    SELECT inner_oid FROM used JOIN pg_type t USING (oid) CROSS JOIN LATERAL (
        SELECT t.typelem WHERE t.typcategory = 'A'
        UNION ALL SELECT t.typbasetype WHERE t.typtype = 'd'
        UNION ALL SELECT atttypid FROM pg_attribute
            WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped
    ) AS inside (inner_oid)
)
SELECT t.oid::bigint AS oid, n.nspname::text AS schema, t.typname::text AS name,
       t.typtype::text AS kind, format_type(t.oid, NULL) AS display,
       CASE WHEN t.typcategory = 'A' AND t.typlen = -1 THEN t.typelem ELSE 0 END::bigint AS element,
       t.typbasetype::bigint AS base, t.typtypmod AS modifier,
       coalesce(f.names, '{}') AS field_names, coalesce(f.types, '{}') AS field_types,
       coalesce(f.modifiers, '{}') AS field_modifiers
FROM used JOIN pg_type t USING (oid) JOIN pg_namespace n ON n.oid = t.typnamespace
CROSS JOIN LATERAL (
    SELECT array_agg(attname::text ORDER BY attnum) AS names,
           array_agg(atttypid::bigint ORDER BY attnum) AS types,
           array_agg(atttypmod ORDER BY attnum) AS modifiers
    FROM pg_attribute WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped
) f
"""


@dataclass(frozen=True)
class TargetType:
    """A type as values of it are encoded: a domain's is that of its base, under its own oid.

    `modifier` is the type modifier (-1: none): the limit of varchar(n), the dimension of vector(d).
    `plain` is the type as SQL writes it without modifier, of a domain its base.
    """

    oid: int
    name: str
    display: str
    plain: str
    modifier: int = -1
    is_enum: bool = False
    element: TargetType | None = None
    fields: tuple[tuple[str, TargetType], ...] = ()


@dataclass(frozen=True)
class TargetColumn:
    """A column of the destination; `display` is its type as SQL writes it."""

    name: str
    type: TargetType
    display: str
    generated: bool
    is_key: bool


@dataclass(frozen=True)
class Relation:
    """The destination, found as the server finds it (search_path, quoted names)."""

    oid: int
    schema: str
    name: str
    takes_copy: bool
    zone: str
    version: int
    in_transaction: bool


def columns_of(
    columns: Sequence[Mapping[str, Any]], types: Sequence[Mapping[str, Any]]
) -> tuple[TargetColumn, ...]:
    """Build the columns from the rows that COLUMNS and TYPES gave."""
    catalogue = {row["oid"]: row for row in types}
    return tuple(
        TargetColumn(
            row["name"],
            _type(catalogue, row["type"], row["modifier"]),
            row["display"],
            row["generated"],
            row["is_key"],
        )
        for row in columns
    )


def _type(catalogue: Mapping[int, Mapping[str, Any]], oid: int, modifier: int) -> TargetType:
    row = catalogue[oid]
    if row["kind"] == "d":
        base = _type(catalogue, row["base"], row["modifier"])
        return replace(base, oid=oid, display=row["display"])
    element = None
    # int2vector and oidvector look like arrays, but have a wire form of their own.
    if row["element"] and row["name"] not in ("int2vector", "oidvector"):
        element = _type(catalogue, row["element"], modifier)
    return TargetType(
        oid,
        row["name"],
        row["display"],
        f"{quote_identifier(row['schema'])}.{quote_identifier(row['name'])}",
        modifier,
        row["kind"] == "e",
        element,
        tuple(
            (name, _type(catalogue, type_, field_modifier))
            for name, type_, field_modifier in zip(
                row["field_names"], row["field_types"], row["field_modifiers"], strict=True
            )
        ),
    )
