"""The SQL of a load through a staging table: what COPY cannot do itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from sqlspec.exceptions import ImproperConfigurationError
from sqlspec.utils.text import quote_identifier

from psqlpy_adapter.copying.destination import TargetColumn
from psqlpy_adapter.copying.encoder import SourceColumn

Action: TypeAlias = Literal["update", "nothing"]
OnConflict: TypeAlias = "Action | tuple[Action, Sequence[str]]"
"""What is done with a row whose key is there already: `"update"` or `"nothing"`.

The key is the primary key, or the columns named: `("update", ["email"])`; a unique index or
constraint must be on just these columns.
"""

STAGING = "psqlpy_adapter_staging"
NUMBER = "n"


def conflict_of(
    on_conflict: OnConflict, columns: Sequence[TargetColumn], loaded: Sequence[str]
) -> tuple[Action, list[str]]:
    """Check `on_conflict`, and give the action and the columns of the key.

    Raises:
        ImproperConfigurationError: not one of the forms, a column that the table or the source does
            not have, or a table without a primary key when no columns are named.
    """
    parts = on_conflict if isinstance(on_conflict, tuple) else (on_conflict, None)
    action, key = parts if len(parts) == 2 else (None, None)
    if action not in ("update", "nothing") or isinstance(key, str):
        raise ImproperConfigurationError(
            f"on_conflict={on_conflict!r}: it is 'update' or 'nothing', or a tuple of that and the "
            "columns of a unique key, ('update', ['email'])"
        )
    names = [column.name for column in columns if column.is_key] if key is None else list(key)
    if not names:
        raise ImproperConfigurationError(
            f"on_conflict={on_conflict!r}: the table has no primary key; name the columns of a "
            f"unique key, ({action!r}, ['email'])"
        )
    for name in names:
        if name not in loaded:
            raise ImproperConfigurationError(
                f'on_conflict={on_conflict!r}: the source has no column "{name}" of the key'
            )
    return action, names


def create(plan: Sequence[SourceColumn]) -> str:
    """Create the staging table: columns for each that is loaded, and the row's number.

    c0 ... hold values, t0 ... text for the server to read; of a mixed column there are both.
    """
    parts = []
    for place, column in enumerate(plan):
        if not column.as_text:
            parts.append(f"c{place} {column.display}")
        if column.has_text:
            parts.append(f"t{place} text")
    definition = ", ".join([*parts, f"{NUMBER} bigint"])
    return f"CREATE TEMP TABLE pg_temp.{STAGING} ({definition}) ON COMMIT DROP"


def _value(place: int, column: SourceColumn) -> str:
    """Give a column's value, its text read without the type's modifier.

    The assignment to the column then refuses what is too long for bit(n) or varchar(n); a cast to
    the type with its modifier would cut it off without a word.
    """
    if not column.has_text:
        return f"c{place}"
    read = f"t{place}::{column.type.plain}"
    return read if column.as_text else f"coalesce(c{place}, {read})"


def insert(
    table: str,
    plan: Sequence[SourceColumn],
    conflict: tuple[Action, list[str]] | None,
    *,
    nulls_are_equal: bool = False,
) -> str:
    """Move the rows from the staging table into `table`, and count those written.

    Of the rows of the source that have one key the last one is kept with "update", the first one
    with "nothing": as if they had been inserted one after another.
    """
    names = [quote_identifier(column.name) for column in plan]
    values = [_value(place, column) for place, column in enumerate(plan)]
    rows = f"SELECT {', '.join(values)} FROM pg_temp.{STAGING}"
    clause = ""
    if conflict is not None:
        action, key = conflict
        target = ", ".join(quote_identifier(name) for name in key)
        rest = [name for name, column in zip(names, plan, strict=True) if column.name not in key]
        if action == "update":
            # As they will be stored: numeric(5, 2) rounds, and then two keys are one.
            of_key = [
                f"({value})::{column.display}" if column.has_text else value
                for value, column in zip(values, plan, strict=True)
                if column.name in key
            ]
            rows = _last_of_each_key(values, of_key, nulls_are_equal=nulls_are_equal)
        # Where the source has nothing but the key, an update sets the key to itself.
        changes = ", ".join(
            f"{name} = EXCLUDED.{name}" for name in rest or [quote_identifier(key[0])]
        )
        clause = f" ON CONFLICT ({target}) DO " + (
            f"UPDATE SET {changes}" if action == "update" else "NOTHING"
        )
    # As COPY does, an explicit value overrides GENERATED ALWAYS AS IDENTITY.
    return (
        f"WITH written AS (INSERT INTO {table} ({', '.join(names)}) OVERRIDING SYSTEM VALUE "
        f"{rows} ORDER BY {NUMBER}{clause} RETURNING 1) SELECT count(*) AS rows FROM written"
    )


def _last_of_each_key(values: Sequence[str], key: Sequence[str], *, nulls_are_equal: bool) -> str:
    # NULL is no key: rows that have one there never conflict, so that none of them is left out.
    unkeyed = "" if nulls_are_equal else "".join(f"{value} IS NULL OR " for value in key)
    return (
        f"SELECT {', '.join(values)} FROM (SELECT *, {unkeyed}row_number() OVER "
        f"(PARTITION BY {', '.join(key)} ORDER BY {NUMBER} DESC) = 1 AS kept "
        f"FROM pg_temp.{STAGING}) numbered WHERE kept"
    )


def unreadable(place: int) -> str:
    """Find the first row of a text column that the server cannot read (PostgreSQL 16 and later)."""
    return (
        f"SELECT {NUMBER} AS row, left(t{place}, 80) AS value, message, sql_error_code AS sqlstate "
        f"FROM pg_temp.{STAGING}, pg_input_error_info(t{place}, $1) "
        f"WHERE message IS NOT NULL ORDER BY {NUMBER} LIMIT 1"
    )
