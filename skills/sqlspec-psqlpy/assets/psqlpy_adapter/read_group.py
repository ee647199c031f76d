"""Many runs of one SELECT as one statement, where nobody can tell the difference.

    SELECT name FROM t WHERE id = $1

becomes, with the values of all runs in an array for each parameter,

    SELECT runs.number AS runs, answer.*
    FROM ROWS FROM (unnest($1::int4[])) WITH ORDINALITY AS runs (p1, number)
    CROSS JOIN LATERAL (SELECT name FROM t WHERE id = runs.p1) AS answer

All runs see one snapshot of the data instead of one each in a row; since they are awaited at the
same time, that is one of the orders in which they could have met the writes of others. For that to
be all that changes a run may neither leave a trace nor depend on how often it is computed: no
volatile function, no lock, no view or row security (which could hide one). And its rows may need
no order: ORDER BY, LIMIT and what combines SELECTs are left alone.

Source: PostgreSQL manual, 7.2.1.5 "LATERAL Subqueries", 36.7 "Function Volatility Categories".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from psqlpy_adapter.sql_text import Token, tokens
from psqlpy_adapter.types import PgType

# Stable by declaration only: the first call in a transaction gives it a number.
_NUMBERED = frozenset({"txid_current", "pg_current_xact_id"})
_NO_READ = _NUMBERED | {"into", "for"}
_UNSUITABLE = frozenset(
    ["order", "limit", "offset", "fetch", "with", "union", "intersect", "except", "tablesample"]
)

PURE = """
WITH named AS (
    SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = ANY ($1::text[]::name[])
)
SELECT NOT EXISTS (
        SELECT FROM pg_catalog.pg_proc
        WHERE proname = ANY ($1::text[]::name[]) AND provolatile = 'v'
            AND (pg_catalog.pg_function_is_visible(oid) OR pronamespace IN (SELECT oid FROM named)))
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_class
        WHERE relname = ANY ($1::text[]::name[])
            AND (relkind NOT IN ('r', 'p', 'm', 'i', 'I', 'c', 't') OR relrowsecurity)
            AND (pg_catalog.pg_table_is_visible(oid) OR relnamespace IN (SELECT oid FROM named)))
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_operator AS o JOIN pg_catalog.pg_proc AS p ON p.oid = o.oprcode
        WHERE o.oprname = ANY ($2::text[]::name[]) AND p.provolatile = 'v')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_cast AS c JOIN pg_catalog.pg_proc AS p ON p.oid = c.castfunc
        WHERE p.provolatile = 'v')
    AS pure
"""
"""Whether nothing with one of the names $1 or the operators $2 is volatile, a view or guarded.

Every name of the statement is asked for: a column that is called like a view costs the grouping.
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """A SELECT that writes nothing and locks nothing, if `PURE` says so of its names.

    `sql` is its text without a semicolon; `code` its tokens; `names` and `operators` are all that
    it has.
    """

    sql: str
    code: tuple[Token, ...]
    names: tuple[str, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadGroup:
    """A SELECT that may be run in groups if `PURE` says so of its `names` and `operators`.

    `pieces` is its text around the numbers of its parameters; `runs` a name that it does not use,
    for the table of the runs and for the column that says which run (from 1) a row answers.
    """

    names: tuple[str, ...]
    operators: tuple[str, ...]
    pieces: tuple[str | int, ...]
    runs: str

    def sql(self, types: Sequence[PgType]) -> str:
        """Return the statement of many runs; parameter n is an array of `types[n - 1]`."""
        query = "".join(
            part if isinstance(part, str) else f"{self.runs}.p{part}" for part in self.pieces
        )
        arrays = ", ".join(f"unnest(${n}::{t.quoted}[])" for n, t in enumerate(types, 1))
        columns = ", ".join(f"p{n}" for n in range(1, len(types) + 1))
        return (
            f"SELECT {self.runs}.number AS {self.runs}, answer.*"
            f" FROM ROWS FROM ({arrays}) WITH ORDINALITY AS {self.runs} ({columns}, number)"
            f" CROSS JOIN LATERAL ({query}\n) AS answer"
        )


@lru_cache(maxsize=2048)
def reading(sql: str) -> Reading | None:
    """Return the SELECT that a text is, or None for every other text."""
    code = tokens(sql)
    while code and code[-1].text == ";":
        code = code[:-1]
    if not code or code[0].text != "select" or _has_word(code, _NO_READ):
        return None
    if any(token.text == ";" and token.kind == "symbol" for token in code):
        return None
    identifiers = [token for token in code if token.kind in ("word", "quoted")]
    if any(not _is_plain(sql, token) for token in identifiers):
        return None
    names = {token.text for token in identifiers}
    operators = {t.text for t in code if t.kind == "symbol" and t.text not in "()[],.;"}
    return Reading(
        sql[code[0].start : code[-1].end],
        tuple(code),
        tuple(sorted(names)),
        tuple(sorted(operators)),
    )


@lru_cache(maxsize=2048)
def read_group(sql: str) -> ReadGroup | None:
    """Return how to run a statement in groups, or None when its text does not allow it."""
    read = reading(sql)
    if read is None or _has_word(read.code, _UNSUITABLE):
        return None
    pieces: list[str | int] = []
    start = 0
    for token in read.code:
        if token.kind == "placeholder":
            pieces += [sql[start : token.start], int(token.text[1:])]
            start = token.end
    if not pieces:
        return None
    pieces.append(sql[start : read.code[-1].end])
    runs = "psqlpy_adapter_runs"
    while runs in read.names:
        runs = f"_{runs}"
    return ReadGroup(read.names, read.operators, tuple(pieces), runs)


def _has_word(code: Sequence[Token], words: frozenset[str]) -> bool:
    return any(token.kind == "word" and token.text in words for token in code)


def _is_plain(sql: str, token: Token) -> bool:
    """Whether an identifier is in the catalogue by its text: not escaped, cut or folded."""
    escaped = token.kind == "quoted" and sql[token.start] != '"'
    return token.text.isascii() and len(token.text) < 64 and not escaped
