"""Python records as an Arrow table: what is stored is what `execute` stores of the same values.

Columns that Arrow holds exactly are converted as a whole (`plain`). All others are encoded by the
codecs of `execute`, which decide what a value is, and what is refused; text that only the server
can read goes beside them, to be read there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

import pyarrow as pa
from sqlspec.exceptions import DataError, ImproperConfigurationError

from psqlpy_adapter.copying import server
from psqlpy_adapter.copying.plain import plain_array
from psqlpy_adapter.copying.wire import wire_array
from psqlpy_adapter.types import Binary, Catalogue, PgType, TextNeeded
from psqlpy_adapter.types.pgtype import refusal

Columns = list[tuple[str, list[Any]]]
_DIMENSION_BYTES = {"vector_recv": 2, "halfvec_recv": 2, "sparsevec_recv": 4}


def columns_of(records: Iterable[Any], columns: Sequence[str] | None) -> Columns:
    """Give the values by column.

    Raises:
        ImproperConfigurationError: no records, or records of different shapes (SQLSpec's words).
    """
    rows = list(records)
    if not rows:
        raise ImproperConfigurationError("load_from_records requires at least one record.")
    if isinstance(rows[0], Mapping):
        names = list(rows[0]) if columns is None else list(columns)
        expected = set(names)
        if not all(issubclass(kind, Mapping) for kind in set(map(type, rows))):
            raise ImproperConfigurationError(
                "load_from_records mapping records must all be mappings."
            )
        if any(row.keys() != expected for row in rows):
            raise ImproperConfigurationError(
                "load_from_records mapping records must all share the same keys."
            )
        return [(name, [row[name] for row in rows]) for name in names]
    if columns is None:
        raise ImproperConfigurationError(
            "load_from_records requires columns when records are positional sequences."
        )
    kinds = set(map(type, rows))
    tuples = rows if kinds <= {tuple, list} else list(map(tuple, rows))
    if any(issubclass(kind, Mapping) for kind in kinds) or {*map(len, tuples)} != {len(columns)}:
        raise ImproperConfigurationError(
            "load_from_records positional records must match the number of columns."
        )
    return [(name, list(map(itemgetter(n), tuples))) for n, name in enumerate(columns)]


async def table_of(driver: Any, table: str, columns: Columns) -> pa.Table:
    """Convert the columns to what `table` takes, as the server describes it.

    Raises:
        DataError: a value that its column cannot hold; names column, row and both types.
        SQLSpecError: there is no such table.
    """
    catalogue: Catalogue = driver.catalogue
    async with server.turn(driver):
        relation, targets = await server.describe(driver, table)
        types = {column.name: column.type for column in targets}
        arrays = [
            # Of a column that the table does not have, only the name is looked at.
            plain_array(values, types[name], relation.zone)
            if name in types
            else pa.nulls(len(values))
            for name, values in columns
        ]
        others = [
            types[name].oid
            for (name, _), found in zip(columns, arrays, strict=True)
            if found is None
        ]
        if others:
            await catalogue.load(others, partial(server.fetch, driver))
    converted = [
        found
        if found is not None
        else _encoded(name, values, types[name].modifier, catalogue, types[name].oid)
        for (name, values), found in zip(columns, arrays, strict=True)
    ]
    return pa.Table.from_arrays(converted, names=[name for name, _ in columns])


def _encoded(
    name: str, values: Sequence[Any], modifier: int, catalogue: Catalogue, oid: int
) -> pa.Array | pa.ChunkedArray:
    pg_type = catalogue[oid]
    send = catalogue.binary(pg_type)
    if modifier > 0:
        send = _checking(send, pg_type, modifier)
    wires: list[bytes | None] = [None] * len(values)
    texts: list[str | None] | None = None
    for row, value in enumerate(values):
        if value is None:
            continue
        try:
            wires[row] = send(value)
        except TextNeeded as needed:
            texts = [None] * len(values) if texts is None else texts
            texts[row] = _unicode(name, row, needed.text)
        except DataError as error:
            raise DataError(f'column "{name}", row {row}: {error}') from error.__cause__
    return wire_array(wires, texts)


def _checking(send: Binary, pg_type: PgType, modifier: int) -> Binary:
    """Check what the server would refuse without saying where: a vector's dimensions."""
    size = _DIMENSION_BYTES.get((pg_type.base or pg_type).receive)
    if size is None:
        return send

    def checking(value: Any) -> bytes:
        wire = send(value)
        found = int.from_bytes(wire[:size], "big")
        if found != modifier:
            raise refusal(pg_type, value, f"{found} dimensions instead of {modifier}")
        return wire

    return checking


def _unicode(name: str, row: int, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        reason = f"it is not Unicode text ({error.reason})"
        raise DataError(f'column "{name}", row {row}: {reason}') from None
    return text
