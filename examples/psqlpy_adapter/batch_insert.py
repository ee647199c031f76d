"""An INSERT of one row of parameters as one INSERT of many rows, where both mean the same.

    INSERT INTO t (a, b) VALUES ($1, $2::date) ON CONFLICT DO NOTHING RETURNING id

becomes, with a column of all rows' values in each array parameter,

    INSERT INTO t (a, b)
    SELECT batch.p1, batch.p2::date
    FROM (SELECT unnest($1::t1[]) AS p1, unnest($2::t2[]) AS p2) AS batch
    ON CONFLICT DO NOTHING RETURNING id

Set-returning functions in a SELECT list run in step and keep the order of the arrays, so rows are
inserted (and numbered by a serial column) in the order of the parameter sets. An INSERT of nothing
but parameters is a COPY, too (`copy_insert`), which takes the server a third of the time.

This module decides by the text and by the catalogue whether that is provably the same; everything
else is left to the caller's general way.

Source: PostgreSQL manual, 36.5.9 "SQL Functions Returning Sets", 39.1 (triggers), INSERT.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from psqlpy_adapter.sql_text import Token, stored_name, tokens
from psqlpy_adapter.types import PgType

# What may be called, in VALUES or after it: nothing that could read the table that is written.
_FUNCTIONS = (
    "cast coalesce greatest least nullif lower upper now clock_timestamp gen_random_uuid nextval"
)
_CALLABLE = frozenset([*_FUNCTIONS.split(), "array", "row", "in", "and", "or", "not"])
_TYPED = ("::", "as")  # what stands before the name of a type
# A subquery would see the table as it was before all rows instead of before its own row.
_READING = frozenset({"select", "table", "with"})

UNTOUCHED = """
WITH RECURSIVE tree AS (
    SELECT c.oid, c.relkind, c.relrowsecurity OR c.relhasrules AS is_guarded, c.relhastriggers
    FROM pg_catalog.pg_class AS c WHERE c.oid = pg_catalog.to_regclass($1)
    UNION ALL
    SELECT c.oid, c.relkind, false, c.relhastriggers FROM tree
    JOIN pg_catalog.pg_inherits AS i ON i.inhparent = tree.oid
    JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
)
SELECT count(*) > 0 AND NOT bool_or(
    is_guarded OR relkind NOT IN ('r', 'p')
    OR relhastriggers AND EXISTS (
        SELECT FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid = tree.oid AND NOT t.tgisinternal)
    OR relhastriggers AND EXISTS (
        SELECT FROM pg_catalog.pg_constraint AS k
        WHERE k.contype = 'f' AND k.conrelid = tree.oid AND k.confrelid IN (SELECT oid FROM tree))
    OR EXISTS (
        SELECT FROM (
            SELECT 'pg_catalog.pg_attrdef'::pg_catalog.regclass AS kind, a.oid
            FROM pg_catalog.pg_attrdef AS a WHERE a.adrelid = tree.oid
            UNION ALL
            SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, k.oid
            FROM pg_catalog.pg_constraint AS k WHERE k.conrelid = tree.oid AND k.contype = 'c'
        ) AS part
        JOIN pg_catalog.pg_depend AS d ON d.classid = part.kind AND d.objid = part.oid
        JOIN pg_catalog.pg_proc AS p ON p.oid = d.refobjid
        JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
        WHERE d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
            AND l.lanname NOT IN ('c', 'internal'))
    ) AS untouched
FROM tree
"""
"""Whether a table ($1, as written) does nothing of its own for each statement or row.

False with a trigger, rule or row security (they would run once instead of once a row, or see
other rows), for a view or foreign table, with a foreign key to itself (checked at the end of the
statement, so the order of rows would not matter any more), and with a default or check that calls
a function which could read the table (one not written in C).
"""


@dataclass(frozen=True, slots=True)
class BatchInsert:
    """An INSERT that can be told as one of many rows.

    `table` is the name as written; `head` ends before VALUES, `row` is what stands between its
    brackets in pieces around the parameters' numbers, `tail` is what follows. `columns` are those
    that take parameter 1, 2 and so on as they are: none where the statement does not name them
    (it means the first ones of the table), None where more than that is inserted.
    """

    table: str
    head: str
    row: tuple[str | int, ...]
    tail: str
    parameters: int
    returning: bool
    conflict: bool
    updates: bool
    columns: tuple[str, ...] | None

    def sql(self, types: Sequence[PgType]) -> str:
        """Return the statement of many rows; parameter n is an array of `types[n - 1]`."""
        row = "".join(part if isinstance(part, str) else f"batch.p{part}" for part in self.row)
        arrays = ", ".join(f"unnest(${n}::{t.quoted}[]) AS p{n}" for n, t in enumerate(types, 1))
        return f"{self.head}SELECT {row} FROM (SELECT {arrays}) AS batch {self.tail}"

    def counted(self, types: Sequence[PgType]) -> str:
        """Return the statement of many rows with how many were inserted or updated as its row."""
        return f"WITH written AS ({self.sql(types)} RETURNING 1) SELECT count(*) FROM written"


@lru_cache(maxsize=512)
def batch_insert(sql: str) -> BatchInsert | None:
    """Return how to tell an INSERT of one row as one of many, or None where it may differ."""
    code = tokens(sql)
    while code and code[-1].text == ";":
        code = code[:-1]
    words = [token.text if token.kind in ("word", "symbol") else "" for token in code]
    if words[:2] != ["insert", "into"] or "values" not in words or _READING & {*words}:
        return None
    values = words.index("values")
    table_end = 2
    while table_end + 1 < values and words[table_end + 1] == ".":
        table_end += 2
    first, last = values + 1, _closing(words, values + 1)
    if last is None or words[table_end + 1] not in ("(", "values", "as"):
        return None
    tail = words[last + 1 :]
    if tail and tail[0] not in ("on", "returning"):
        return None  # a second row, or something unknown
    inside, outside = code[first + 1 : last], (*code[:first], *code[last + 1 :])
    numbers = [int(token.text[1:]) for token in inside if token.kind == "placeholder"]
    if (
        not numbers
        or {*numbers} != {*range(1, max(numbers) + 1)}
        or any(token.kind == "placeholder" for token in outside)
        or any(token.kind == "string" for token in inside)  # its type would be guessed anew
        or "default" in words[first:last]
        or _has_row(code[first : last + 1])
        or not _calls_are_known(code[values + 1 :])
    ):
        return None
    start, end = code[first].end, code[last].start
    return BatchInsert(
        table=sql[code[2].start : code[table_end].end],
        head=sql[: code[values].start],
        row=_pieces(sql, start, end, inside),
        tail=sql[code[last].end : code[-1].end],
        parameters=max(numbers),
        returning="returning" in tail,
        conflict=tail[:1] == ["on"],
        updates="update" in tail,
        columns=None if tail else _columns(sql, code[table_end + 1 : values], inside),
    )


def _columns(sql: str, named: Sequence[Token], inside: Sequence[Token]) -> tuple[str, ...] | None:
    """Return the columns in the order of their parameters; see `BatchInsert`."""
    given = [int(token.text[1:]) for token in inside[::2] if token.kind == "placeholder"]
    if 2 * len(given) != len(inside) + 1 or sorted(given) != [*range(1, len(given) + 1)]:
        return None
    if not named:
        return () if given == sorted(given) else None
    names = named[1:-1:2]
    if len(named) != 2 * len(given) + 1 or any(t.kind not in ("word", "quoted") for t in names):
        return None
    return tuple(stored_name(sql, names[given.index(n)]) for n in sorted(given))


def _closing(words: list[str], opening: int) -> int | None:
    """Return the index of the bracket that closes the one at `opening`."""
    depth = 0
    for index in range(opening, len(words)):
        depth += (words[index] == "(") - (words[index] == ")")
        if depth == 0:
            return index if index > opening else None
    return None


def _has_row(code: Sequence[Token]) -> bool:
    """Whether a row is made: VALUES gives it the type of its column, which SELECT does not."""
    brackets: list[bool] = []  # of each that is open: whether it would make a row of a list
    for index, token in enumerate(code):
        if token.text == "row" and token.kind == "word":
            return True
        if token.kind != "symbol":
            continue
        if token.text in ("(", "["):
            brackets.append(token.text == "(" and index > 0 and code[index - 1].kind == "symbol")
        elif token.text in (")", "]"):
            brackets.pop()
        elif token.text == "," and brackets[-1]:
            return True
    return False


def _calls_are_known(code: Sequence[Token]) -> bool:
    """Whether every bracket belongs to a known function, a keyword, a type or a list."""
    return all(
        _is_known(code, index)
        for index, bracket in enumerate(code[1:])
        if bracket.text == "(" and bracket.kind == "symbol"
    )


def _is_known(code: Sequence[Token], index: int) -> bool:
    """Whether the token at `index`, which stands before a bracket, may stand there."""
    token, before = code[index], code[index - 1].text if index else ""
    if token.kind == "symbol":
        return True
    if token.kind == "word" and (token.text in ("conflict", "set", "where") or before in _TYPED):
        return True  # a list of columns, a condition, or the length of a type
    return token.text in _CALLABLE and before != "."


def _pieces(sql: str, start: int, end: int, inside: Sequence[Token]) -> tuple[str | int, ...]:
    """Cut the text between two places at its placeholders."""
    pieces: list[str | int] = []
    for token in inside:
        if token.kind == "placeholder":
            pieces += [sql[start : token.start], int(token.text[1:])]
            start = token.end
    return (*pieces, sql[start:end])
