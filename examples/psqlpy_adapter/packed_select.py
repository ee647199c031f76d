"""A SELECT whose rows the server packs by column; `packed_columns` has what it answers.

    SELECT id, name FROM t

becomes

    SELECT count(*) AS n, string_agg(int8send(q.c0), '') AS d0, string_agg(q.c1, chr(31)) AS d1
    FROM (SELECT id, name FROM t LIMIT ...) AS q (c0, c1)

and, where values are missing, the same with more columns, which say where a row has a NULL. psqlpy
then has one row of few long values instead of a Python object for each value. An aggregate sees the
rows in the order in which the subquery gives them, all aggregates in the same. Texts stand between
separators; one that has a separator in it is found by their number. What may hold any byte comes
with its length.

Source: PostgreSQL manual, 9.21 "Aggregate Functions" (order of the input).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psqlpy_adapter.packed_columns import SEPARATOR, WIDTHS
from psqlpy_adapter.types import PgType

MOST_ROWS = 4_000_000
"""The server holds what it packs in its memory: not more rows than these."""
MOST_COLUMNS = 63
"""As many as the bits of the bigint that says where a row has NULL."""
_TEXTS = {
    "textrecv": "{}",
    "varcharrecv": "{}",
    # A cast to text would take the spaces at the end away.
    "bpcharrecv": "CASE WHEN {0} IS NOT NULL THEN pg_catalog.concat({0}) END",
    "uuid_recv": "{}::pg_catalog.text",
    "numeric_recv": "{}::pg_catalog.text",
}


@dataclass(frozen=True)
class PackedSelect:
    """A SELECT of many rows as one of one row, with the same parameters.

    `flagged` says where there is a NULL, `plain` does not. `types` are those of the columns,
    without domains.
    """

    plain: str
    flagged: str
    types: tuple[PgType, ...]


def packed(sql: str, types: Sequence[PgType | None]) -> PackedSelect | None:
    """Return how to have the rows of a SELECT packed; None when a column's type cannot be.

    Args:
        sql: one SELECT, without a semicolon.
        types: of its columns.
    """
    bases = tuple(map(_base, types))
    if not 0 < len(bases) <= MOST_COLUMNS:
        return None
    data: list[str] = []
    for number, pg_type in enumerate(bases):
        found = None if pg_type is None else _data(number, pg_type)
        if found is None:
            return None
        data += found
    names = [f"c{number}" for number in range(len(bases))]
    absent = " OR ".join(f"q.{name} IS NULL" for name in names)
    where = " | ".join(
        f"((q.{name} IS NULL)::pg_catalog.int4::pg_catalog.int8 << {number})"
        for number, name in enumerate(names)
    )
    zero, one = (f"pg_catalog.decode('0{digit}', 'hex')" for digit in "01")
    flags = [
        f"pg_catalog.count(*) FILTER (WHERE {absent}) AS nulls",
        f"{_joined(f'CASE WHEN {absent} THEN {one} ELSE {zero} END')} AS f",
        f"{_joined(f'pg_catalog.int8send({where})')} FILTER (WHERE {absent}) AS m",
    ]
    count = "pg_catalog.count(*) AS n"
    source = (
        f"FROM (SELECT * FROM (\n{sql}\n) AS p LIMIT {MOST_ROWS + 1}) AS q ({', '.join(names)})"
    )
    return PackedSelect(
        f"SELECT {', '.join([count, *data])} {source}",
        f"SELECT {', '.join([count, *flags, *data])} {source}",
        tuple(t for t in bases if t is not None),
    )


def _base(pg_type: PgType | None) -> PgType | None:
    while pg_type is not None and pg_type.base is not None:
        pg_type = pg_type.base
    return pg_type


def _joined(value: str) -> str:
    return f"pg_catalog.string_agg({value}, ''::pg_catalog.bytea)"


def _data(number: int, pg_type: PgType) -> list[str] | None:
    """Return the columns of the packed row for a column: its values, and their lengths."""
    column = f"q.c{number}"
    if pg_type.schema == "pg_catalog" and pg_type.element is None:
        if (width := WIDTHS.get(pg_type.receive)) is not None:
            return [f"{_joined(f'pg_catalog.{width.send}({column})')} AS d{number}"]
        if (text := _TEXTS.get(pg_type.receive)) is not None:
            joined = f"pg_catalog.string_agg({text.format(column)}, pg_catalog.chr({SEPARATOR}))"
            return [f"pg_catalog.convert_to({joined}, 'UTF8') AS d{number}"]
        if pg_type.receive != "bytearecv":
            return None
        data, length = column, f"pg_catalog.octet_length({column})"
    elif pg_type.receive == "vector_recv":
        vector = pg_type.quoted.removesuffix('."vector"')
        data, length = f"{vector}.vector_send({column})", f"4 + 4 * {vector}.vector_dims({column})"
    else:
        return None
    lengths = _joined(f"pg_catalog.int4send({length})")
    return [f"{_joined(data)} AS d{number}", f"{lengths} AS l{number}"]
