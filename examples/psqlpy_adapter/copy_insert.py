"""The parameter sets of an INSERT of nothing but parameters as binary COPY.

`INSERT INTO t (a, b) VALUES ($1, $2)` and `COPY t (a, b) FROM STDIN` store the same: the receive
functions of the columns' types read the same bytes, and defaults, constraints, foreign keys and
partitions are as they are. They differ in triggers, rules and row security, and in columns that
the server fills in (COPY writes into GENERATED ALWAYS AS IDENTITY). So it is done for tables
without those only, as `batch_insert.UNTOUCHED` says.

A COPY that the server refuses before it asks for data leaves psqlpy's connection out of step for
good. So the table is locked, as an INSERT would lock it, and then looked at.

Source: PostgreSQL manual, COPY (Notes, Binary Format), INSERT, LOCK.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlspec.exceptions import DataError, SQLSpecError
from sqlspec.utils.text import quote_identifier

from psqlpy_adapter.arrays import unnestable
from psqlpy_adapter.batch_columns import Columns
from psqlpy_adapter.batch_insert import UNTOUCHED, BatchInsert
from psqlpy_adapter.cancellation import guarded
from psqlpy_adapter.copying.destination import TargetType
from psqlpy_adapter.copying.encoder import Encoder, SourceColumn, goes_as_text
from psqlpy_adapter.copying.plain import plain_array
from psqlpy_adapter.copying.sending import send
from psqlpy_adapter.copying.source import open_source
from psqlpy_adapter.copying.wire import wire_array

if TYPE_CHECKING:
    from psqlpy_adapter.execution import ExecutionMixin
    from psqlpy_adapter.types import PgType

SETS = 5_000
"""From so many parameter sets on, COPY is faster than an INSERT of arrays: it takes some more round
trips, and 0.4 microseconds less a set."""
SETS_ONE_BY_ONE = 50
"""From so many on, it is faster than a statement a set: 40 times for 10,000 arrays."""
_ZONE = "UTC"  # of naive values for timestamptz, none of which are here: the server reads them

_TARGET = """
SELECT n.nspname::text AS schema, c.relname::text AS name, given.names,
    pg_catalog.cardinality(given.names) = pg_catalog.cardinality($3::text[]) AND given.fit
        AND NOT pg_catalog.current_setting('transaction_read_only')::bool AS fits
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT pg_catalog.array_agg(a.attname::text ORDER BY wanted.place) AS names,
        pg_catalog.bool_and(
            a.atttypid = ($3::text[])[wanted.place]::pg_catalog.oid
            AND a.attgenerated = '' AND a.attidentity <> 'a') AS fit
    FROM (
        SELECT attname, place
        FROM pg_catalog.unnest($2::text[]) WITH ORDINALITY AS f (attname, place)
        UNION ALL
        SELECT f.attname::text, pg_catalog.row_number() OVER (ORDER BY f.attnum)
        FROM pg_catalog.pg_attribute AS f
        WHERE pg_catalog.cardinality($2::text[]) = 0
            AND f.attrelid = c.oid AND f.attnum > 0 AND NOT f.attisdropped
    ) AS wanted
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attname::text = wanted.attname
    WHERE a.attnum > 0 AND NOT a.attisdropped
        AND wanted.place <= pg_catalog.cardinality($3::text[])
) AS given
WHERE c.oid = pg_catalog.to_regclass($1)
"""
"""Where to copy to: of the table ($1, as written) the columns $2 (none: the first ones), and
whether they may be written and have the types $3 (their oids)."""

_LOCK = "SAVEPOINT psqlpy_adapter; LOCK TABLE ONLY {} IN ROW EXCLUSIVE MODE"
_DONE = "RELEASE psqlpy_adapter"
_UNDO = "ROLLBACK TO psqlpy_adapter; RELEASE psqlpy_adapter"
_UNLOCKABLE = frozenset({"42501", "42809"})  # no right to all of the table; it is no table


async def copy_at_once(
    driver: ExecutionMixin, insert: BatchInsert, columns: Columns, *, is_last: bool
) -> int | None:
    """Copy all sets into the table, inside a transaction, which is committed next if `is_last`.

    Returns:
        How many rows were stored; or None, with nothing done, where an INSERT is the right way.

    Raises:
        SQLSpecError: the server refused a row.
    """
    least = SETS if unnestable(columns.types) else SETS_ONE_BY_ONE
    if insert.columns is None or columns.texts or len(columns.values[0]) < least:
        return None
    try:
        table, encoder = _arrow(columns)
    except DataError:
        return None  # a statement a set says which set is wrong
    batch = driver.block_wire.execute_batch
    try:
        await guarded(driver, batch(_LOCK.format(insert.table)))
        target = await _target(driver, insert, insert.columns, columns.types)
        if target is not None:
            await send(driver, *target, encoder, open_source(table), None)
            if not is_last:
                await guarded(driver, batch(_DONE))
            return len(columns.values[0])
    except SQLSpecError as error:
        state = getattr(error, "sqlstate", None)
        if state not in _UNLOCKABLE and not (isinstance(error, DataError) and state is None):
            raise
    await guarded(driver, batch(_UNDO))
    return None


async def _target(
    driver: ExecutionMixin, insert: BatchInsert, names: Sequence[str], types: Sequence[PgType]
) -> tuple[str, str, list[str]] | None:
    """Return schema, table and columns (quoted) of the locked table, if it takes a COPY."""
    oids = [str(pg_type.oid) for pg_type in types]
    look: list[tuple[str, list[Any] | None]] = [
        (UNTOUCHED, [insert.table]),
        (_TARGET, [insert.table, [*names], oids]),
    ]
    answers = await guarded(driver, driver.wire.transaction().pipeline(look))
    (table,), (target,) = (answer.result() for answer in answers)
    if not (table["untouched"] and target["fits"]):
        return None
    return target["schema"], target["name"], [quote_identifier(name) for name in target["names"]]


def _arrow(columns: Columns) -> tuple[pa.Table, Encoder]:
    """Convert the columns, as a whole where Arrow holds the values exactly, else value by value.

    Raises:
        DataError: a value that does not fit, or that only the server can read.
    """
    arrays = []
    plan = []
    for number, (values, pg_type) in enumerate(zip(columns.values, columns.types, strict=True), 1):
        target = _target_type(pg_type)
        array = None if pg_type.kind in "cd" else plain_array(values, target, _ZONE)
        if array is None or goes_as_text(array.type, target):
            send_one = columns.binary[number - 1]
            array = wire_array([None if v is None else send_one(v) for v in values], None)
        arrays.append(array)
        plan.append(SourceColumn(f"${number}", array.type, target, str(pg_type), as_text=False))
    return pa.Table.from_arrays(arrays, [c.name for c in plan]), Encoder(
        plan, _ZONE, numbered=False
    )


def _target_type(pg_type: PgType) -> TargetType:
    """Tell a type to the encoder, which knows types by name: base types, enums and their arrays."""
    element = pg_type.element
    # int2vector and oidvector look like arrays, but have a wire form of their own.
    is_list = element is not None and element.kind in "be" and not pg_type.name.endswith("vector")
    return TargetType(
        pg_type.oid,
        pg_type.name,
        str(pg_type),
        pg_type.quoted,
        is_enum=pg_type.kind == "e",
        element=_target_type(element) if element is not None and is_list else None,
    )
