"""Types as the server's catalogue has them.

Source: PostgreSQL manual 53.64 "pg_type", 53.41 "pg_range", 53.7 "pg_attribute" (since 14).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from psqlpy_adapter.types.pgtype import Field, PgType

Rows = Callable[[str, list[Any]], Awaitable[list[dict[str, Any]]]]
"""Runs a statement and gives its rows as psqlpy reads them."""

_TYPES = """
WITH RECURSIVE wanted AS (
    SELECT unnest($1::text::oid[]) AS oid
    UNION SELECT oid FROM pg_type
          WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'r', 'm', 'p')
    UNION SELECT refers.oid FROM wanted JOIN pg_type t ON t.oid = wanted.oid
          LEFT JOIN pg_range r ON t.oid IN (r.rngtypid, r.rngmultitypid),
          LATERAL (SELECT t.typelem UNION ALL SELECT t.typbasetype UNION ALL SELECT r.rngsubtype
                   UNION ALL SELECT r.rngtypid
                   UNION ALL SELECT atttypid FROM pg_attribute
                             WHERE attrelid = t.typrelid AND t.typrelid <> 0 AND t.typtype = 'c'
                               AND attnum > 0 AND NOT attisdropped) refers(oid)
          WHERE refers.oid <> 0
)
SELECT t.oid::bigint AS oid, nspname::text AS schema, typname::text AS name,
       typtype::text AS kind, coalesce(proname::text, '') AS receive,
       typarray::bigint AS array_oid,
       (CASE WHEN typsubscript = 'array_subscript_handler'::regproc THEN typelem ELSE 0 END)::bigint
           AS element,
       typbasetype::bigint AS base,
       (SELECT CASE t.typtype WHEN 'r' THEN rngsubtype ELSE rngtypid END FROM pg_range
         WHERE t.oid IN (rngtypid, rngmultitypid))::bigint AS subtype,
       (SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
         WHERE t.typtype = 'c' AND attrelid = typrelid AND attnum > 0 AND NOT attisdropped)
           AS field_names,
       (SELECT array_agg(atttypid::bigint ORDER BY attnum) FROM pg_attribute
         WHERE t.typtype = 'c' AND attrelid = typrelid AND attnum > 0 AND NOT attisdropped)
           AS field_types
FROM pg_type t JOIN wanted USING (oid) JOIN pg_namespace n ON n.oid = typnamespace
LEFT JOIN pg_proc p ON p.oid = typreceive
"""


async def learn(oids: Iterable[int], types: dict[int, PgType], rows: Rows) -> None:
    """Add the types `oids`, all that they are made of, and the built-in ones to `types`."""
    wanted = "{" + ",".join(map(str, oids)) + "}"
    found = {row["oid"]: row for row in await rows(_TYPES, [wanted])}
    for oid in found:
        _learn(oid, found, types)


def _learn(
    oid: int, found: Mapping[int, Mapping[str, Any]], types: dict[int, PgType]
) -> PgType | None:
    if oid in types or oid not in found:
        return types.get(oid)
    row = found[oid]
    names, kinds = row["field_names"] or (), row["field_types"] or ()
    types[oid] = pg_type = PgType(
        oid=oid,
        schema=row["schema"],
        name=row["name"],
        kind=row["kind"],
        receive=row["receive"],
        array_oid=row["array_oid"],
        element=_learn(row["element"], found, types),
        base=_learn(row["base"], found, types),
        subtype=_learn(row["subtype"] or 0, found, types),
        fields=tuple(
            Field(name, _learn(kind, found, types))  # type: ignore[arg-type]
            for name, kind in zip(names, kinds, strict=True)
        ),
    )
    return pg_type
