"""A SELECT whose rows the server packs by column; `arrow_unpacked` makes arrays of them.

    SELECT id, name FROM t

becomes

    SELECT count(*) AS n, string_agg(int8send(q.c1), '') AS d1,
        string_agg(textsend(q.c2), '') AS d2, string_agg(int4send(octet_length(q.c2)), '') AS l2
    FROM (SELECT id, name FROM t LIMIT ...) AS q (c1, c2)

with one more column that says which rows have a NULL, and where. psqlpy then has one row of few
long values instead of a Python object for each value, and the send functions have written what
Arrow wants but for the order of the bytes. An aggregate sees the rows in the order in which the
subquery gives them, all aggregates in the same.

Source: PostgreSQL manual, 9.21 "Aggregate Functions" (order of the input).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from psqlpy_adapter.arrow_unpacked import WIDTHS, Unpacked, column, validity
from psqlpy_adapter.types import PgType

MOST_ROWS = 4_000_000
"""The server holds what it packs in its memory: not more rows than these."""
MOST_COLUMNS = 63
"""As many as the bits of the bigint that says where a row has NULL."""
# How values of other types are sent: as {} or in a text form, and how long they are.
_LENGTHS = {
    "textrecv": ("pg_catalog.textsend({})", "pg_catalog.octet_length({})"),
    "varcharrecv": ("pg_catalog.varcharsend({})", "pg_catalog.octet_length({})"),
    "bpcharrecv": ("pg_catalog.bpcharsend({})", "pg_catalog.octet_length({})"),
    "bytearecv": ("{}", "pg_catalog.octet_length({})"),
    "uuid_recv": ("pg_catalog.textsend({}::text)", "pg_catalog.octet_length({}::text)"),
    "numeric_recv": ("pg_catalog.textsend({}::text)", "pg_catalog.octet_length({}::text)"),
}


@dataclass(frozen=True)
class Packed:
    """A SELECT of many rows as one of one row; `sql` has the parameters of the SELECT."""

    sql: str
    types: tuple[PgType, ...]

    def table(self, row: Mapping[str, Any], names: Sequence[str]) -> pa.Table | None:
        """Return the rows that were packed into one; None where only the rows say what they are.

        Of columns with one name the last one stays, as in rows.
        """
        count = row["n"]
        if count > MOST_ROWS or not row["utf8"]:
            return None
        valid = validity(row, count, len(self.types))
        arrays: dict[str, pa.Array] = {}
        try:
            for number, (name, pg_type, mask) in enumerate(
                zip(names, self.types, valid, strict=True)
            ):
                data = row[f"d{number}"] or b""
                arrays[name] = column(data, row.get(f"l{number}"), pg_type, count, mask)
        except (Unpacked, pa.ArrowException):
            return None
        return pa.table(list(arrays.values()), names=list(arrays))


def packed(sql: str, types: Sequence[PgType | None]) -> Packed | None:
    """Return how to have the rows of a SELECT packed; None when a column's type cannot be.

    Args:
        sql: one SELECT, without a semicolon.
        types: of its columns.
    """
    bases = tuple(map(_base, types))
    if not 0 < len(bases) <= MOST_COLUMNS:
        return None
    found = []
    for number, pg_type in enumerate(bases):
        sent = None if pg_type is None else _sent(f"q.c{number}", pg_type)
        if sent is None:
            return None
        for letter, part in zip("dl", sent, strict=False):
            found.append(f"{_joined(part)} AS {letter}{number}")
    columns = [f"q.c{number}" for number in range(len(bases))]
    full = " AND ".join(f"{column} IS NOT NULL" for column in columns)
    where = " | ".join(
        f"(({column} IS NULL)::int4::int8 << {number})" for number, column in enumerate(columns)
    )
    zero, one = (f"pg_catalog.decode('0{digit}', 'hex')" for digit in "01")
    text = (
        "SELECT pg_catalog.count(*) AS n, pg_catalog.current_setting('server_encoding') = 'UTF8'"
        " AND pg_catalog.current_setting('client_encoding') = 'UTF8' AS utf8,"
        f" {_joined(f'CASE WHEN {full} THEN {zero} ELSE {one} END')} AS f,"
        f" {_joined(f'pg_catalog.int8send({where})')} FILTER (WHERE NOT ({full})) AS m,"
        f" {', '.join(found)}"
        f" FROM (SELECT * FROM (\n{sql}\n) AS p LIMIT {MOST_ROWS + 1})"
        f" AS q ({', '.join(f'c{number}' for number in range(len(bases)))})"
    )
    return Packed(text, tuple(t for t in bases if t is not None))


def _base(pg_type: PgType | None) -> PgType | None:
    while pg_type is not None and pg_type.base is not None:
        pg_type = pg_type.base
    return pg_type


def _joined(value: str) -> str:
    return f"pg_catalog.string_agg({value}, ''::pg_catalog.bytea)"


def _sent(column: str, pg_type: PgType) -> tuple[str, ...] | None:
    """Return the bytes of a value, and (as bytes) how many they are where that may differ."""
    if pg_type.schema == "pg_catalog" and pg_type.element is None:
        if (width := WIDTHS.get(pg_type.receive)) is not None:
            return (f"pg_catalog.{width.send}({column})",)
        if (parts := _LENGTHS.get(pg_type.receive)) is not None:
            data, length = (part.format(column) for part in parts)
            return data, f"pg_catalog.int4send({length})"
    elif pg_type.receive == "vector_recv":
        schema = pg_type.quoted.removesuffix('."vector"')
        length = f"4 + 4 * {schema}.vector_dims({column})"
        return f"{schema}.vector_send({column})", f"pg_catalog.int4send({length})"
    return None
