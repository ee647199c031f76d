"""The number of rows that a statement without RETURNING affected.

psqlpy gives no command tag. SQLSpec rewrites such a statement with sqlglot into one that counts,
under the wrong dialect: `<=>` became `IS NOT DISTINCT FROM`, so that other rows were deleted than
asked for (pitfalls A3); what it cannot rewrite (MERGE, `<#>`, recursive WITH) affects "0" rows.

Here the text itself is kept, character by character, and put into a common table expression:

    DELETE FROM t WHERE ...     ->  WITH _affected AS (DELETE FROM t WHERE ... RETURNING 1)
                                    SELECT count(*) AS count FROM _affected
    WITH a AS (...) INSERT ...  ->  WITH a AS (...), _affected AS (INSERT ... RETURNING 1) ...

Before PostgreSQL 17 a MERGE takes no RETURNING. There EXPLAIN ANALYZE runs it, and tells how many
rows it has inserted, updated and deleted. Where the server refuses that, too (a table with rules)
the statement runs as it is, and its number of rows is -1: unknown.

Source: PostgreSQL manual 7.8.4 "Data-Modifying Statements in WITH", 41.4 "Rules", EXPLAIN.
May be unnecessary when psqlpy (0.13.1) gives the command tag.
"""

from __future__ import annotations

import re

from psqlpy_adapter.sql_shape import shape
from psqlpy_adapter.sql_text import tokens

DML = frozenset(("INSERT", "UPDATE", "DELETE", "MERGE"))

# As YAML, because only there the plan is a single text in which no constant begins a line. The keys
# of the MERGE itself, the root, are those behind four spaces, or six where it has several targets.
_EXPLAIN = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, FORMAT YAML) "
_MERGED = re.compile(r"^ {4}(?: {2})?Tuples (?:Inserted|Updated|Deleted): (\d+)$", re.MULTILINE)


def verb(sql: str) -> str:
    """Return the command of a statement, behind its WITH: INSERT, SELECT, ...; "" if unclear."""
    found = shape(sql)
    return found.verb if found is not None else ""


def counting(sql: str) -> str | None:
    """Return the form of a DML statement without RETURNING that counts its rows, else None."""
    parts = shape(sql)
    if parts is None or parts.verb not in DML:
        return None
    code = tokens(sql)
    words = {token.text for token in code if token.kind in ("word", "quoted")}
    name = "_affected"
    while name in words:
        name = f"_{name}"
    statement = sql[code[parts.main].start : code[parts.end - 1].end]
    end = sql[code[parts.end - 1].end :].replace(";", " ")
    if parts.with_end is None:
        head = f"{sql[: code[parts.main].start]}WITH "
    else:
        head = f"{sql[: code[parts.main - 1].end]}, "
    return f"{head}{name} AS ({statement} RETURNING 1) SELECT count(*) AS count FROM {name}{end}"


def explaining(sql: str) -> str | None:
    """Return the form of a MERGE that runs it and tells what it has done, else None."""
    return f"{_EXPLAIN}{sql}" if verb(sql) == "MERGE" else None


def merged(plan: str) -> int:
    """Return the number of rows that a MERGE affected, from the answer to its `explaining` form."""
    return sum(map(int, _MERGED.findall(plan)))
