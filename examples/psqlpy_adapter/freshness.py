"""Whether what a plan rests on is still what it was when the server described its statement.

The server plans a prepared statement anew when a table was altered, but the types of its
parameters stay those of its first Parse: a timestamp given for what was a date column loses its
time without a word. So a connection asks the catalogue what the names of its statements mean now:
at most once in `CHECK_SECONDS` while it is in use, and at once after a command of this process that
may have changed it (DDL, SET search_path, the end of a transaction with one of these).

What it cannot see: DDL of other processes in the last `CHECK_SECONDS`, or since the beginning of a
REPEATABLE READ transaction; DDL in a function or procedure that a statement calls (until the next
look); new operators and casts.

Source: PostgreSQL manual, "PREPARE", 53.11 "pg_class", 53.7 "pg_attribute", 53.39 "pg_proc".
May be unnecessary when psqlpy (0.13.1) can parse a statement at each execution.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from psqlpy_adapter.sql_text import Token, stored_name, tokens
from psqlpy_adapter.types import PgType
from psqlpy_adapter.types.server import Rows

CHECK_SECONDS = 1.0
"""For how long an answer of the catalogue is taken as true."""

_STATES = """
WITH found AS (
    SELECT c.relname AS name, concat_ws(' ', 'r',
            CASE WHEN NOT pg_catalog.pg_table_is_visible(c.oid) THEN n.nspname END,
            (SELECT string_agg(concat_ws(' ', attname, atttypid, atttypmod), ',' ORDER BY attnum)
               FROM pg_catalog.pg_attribute
              WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped)) AS state
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = ANY ($1::text[]::name[]) AND c.oid >= 16384 AND c.relkind <> 'i'
      AND (pg_catalog.pg_table_is_visible(c.oid) OR n.nspname = ANY ($1::text[]::name[]))
    UNION ALL
    SELECT p.proname, concat_ws(' ', 'f',
            CASE WHEN NOT pg_catalog.pg_function_is_visible(p.oid) THEN n.nspname END,
            p.proargtypes, p.prorettype)
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE p.proname = ANY ($1::text[]::name[]) AND p.oid >= 16384
      AND (pg_catalog.pg_function_is_visible(p.oid) OR n.nspname = ANY ($1::text[]::name[]))
    UNION ALL
    SELECT t.typname, concat_ws(' ', 't',
            CASE WHEN NOT pg_catalog.pg_type_is_visible(t.oid) THEN n.nspname END, t.oid)
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    WHERE t.typname = ANY ($1::text[]::name[]) AND t.oid >= 16384 AND t.typtype <> 'c'
      AND (pg_catalog.pg_type_is_visible(t.oid) OR n.nspname = ANY ($1::text[]::name[]))
)
SELECT name::text AS name, md5(string_agg(state, ';' ORDER BY state)) AS state
FROM found GROUP BY name
UNION ALL
SELECT '#' || t.oid, string_agg(concat_ws(' ', attname, atttypid), ',' ORDER BY attnum)
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_attribute ON attrelid = t.typrelid
WHERE t.oid = ANY ($2::text[]::oid[]) AND attnum > 0 AND NOT attisdropped GROUP BY t.oid
"""
"""What each of the names $1 means on the search path, or in a schema named too; composites $2."""
_SYNTAX = frozenset(
    [
        *("select", "from", "where", "and", "or", "not", "in", "is", "null", "as", "on", "join"),
        *("left", "inner", "using", "insert", "into", "values", "update", "set", "delete"),
        *("returning", "order", "by", "group", "limit", "offset", "union", "all", "distinct"),
        *("case", "when", "then", "else", "end", "with", "desc", "like", "true", "false"),
    ]
)
_SCHEMA_COMMANDS = frozenset({"create", "alter", "drop", "import", "do"})
_PATH_COMMANDS = frozenset({"discard", "reset"})
_PATH_SETTINGS = frozenset({"search_path", "role", "authorization", "schema", "set_config"})
_CLOSING = frozenset({"commit", "end", "rollback", "abort"})
_TEMPORARY = frozenset({"temp", "temporary"})


@dataclass
class _Schema:
    changes: int = 0


_schema = _Schema()
"""How many changes of the schema, open to all sessions, this process has sent."""


@lru_cache(maxsize=2048)
def names_in(sql: str) -> frozenset[str]:
    """Return the identifiers of a statement: all that could name a table, function or type."""
    return frozenset(
        stored_name(sql, token)
        for token in tokens(sql)
        if token.kind == "quoted" or (token.kind == "word" and token.text not in _SYNTAX)
    )


def statements(sql: str) -> Iterator[list[Token]]:
    """Yield the tokens of each statement of a text."""
    part: list[Token] = []
    for token in tokens(sql):
        if token.text == ";" and token.kind == "symbol":
            yield part
            part = []
        else:
            part.append(token)
    yield part


def _first_words(sql: str) -> Iterator[list[str]]:
    for part in statements(sql):
        words = [token.text for token in part[:2]]
        if words:
            yield words


@lru_cache(maxsize=2048)
def changes(sql: str) -> str:
    """Return what a command may change: "schema", "path" (for its own session only) or ""."""
    found = ""
    for part in statements(sql):
        words = [token.text for token in part if token.kind == "word"]
        if not words:
            continue
        if words[0] in _SCHEMA_COMMANDS and not (words[0] == "create" and {*words} & _TEMPORARY):
            return "schema"
        is_path = words[0] == "create" or words[0] in _PATH_COMMANDS
        is_path |= words[0] == "set" and not _PATH_SETTINGS.isdisjoint(words)
        if is_path or ("set_config" in words and _sets_path(part)):
            found = "path"
    return found


def _sets_path(part: list[Token]) -> bool:
    """Whether set_config() is, or may be, called for the search path or the role."""
    for index, token in enumerate(part[:-2]):
        if token.text == "set_config":
            name = part[index + 2]
            if name.kind != "string" or name.text.strip("'").lower() in _PATH_SETTINGS:
                return True
    return False


def composites(types: Iterable[PgType | None]) -> dict[str, str]:
    """Return the state of each composite type that the types are made of, by "#oid"."""
    found: dict[str, str] = {}
    for kind in types:
        if kind is None or not kind.is_alterable:
            continue
        if kind.kind == "c":
            fields = ((field.name, field.type) for field in kind.fields)
            found[f"#{kind.oid}"] = ",".join(f"{name} {part.oid}" for name, part in fields)
        parts = (kind.element, kind.base, kind.subtype, *(field.type for field in kind.fields))
        found |= composites(parts)
    return found


class Freshness:
    """What the names of one connection's statements meant when the catalogue was last asked."""

    def __init__(self) -> None:
        self.states: dict[str, str | None] = {}
        self.is_doubted = False
        """Whether the connection itself has changed something since the catalogue was asked."""
        self._due = 0.0
        self._seen = -1
        self._pending = ""
        self._asked_for_others = False

    def is_due(self) -> bool:
        """Whether the catalogue is to be asked before a plan is used."""
        return self._seen != _schema.changes or time.monotonic() >= self._due

    def doubt(self) -> None:
        """Ask before the next statement."""
        self.is_doubted = True
        self._due = 0.0

    def note(self, sql: str) -> None:
        """Learn from a command that succeeded."""
        kind = changes(sql)
        if kind:
            self._pending = "schema" if "schema" in (kind, self._pending) else kind
            self.doubt()
            if kind == "schema":
                _schema.changes += 1
        for words in _first_words(sql):
            if words[0] in _CLOSING:
                self.undone() if words[1:2] == ["to"] else self.ended()

    def undone(self) -> None:
        """Learn that what was noted may have been undone: ROLLBACK TO a savepoint."""
        if self._pending:
            self.doubt()

    def ended(self) -> None:
        """Learn that a transaction or a session has ended: others see its changes, or nobody."""
        # A REPEATABLE READ transaction does not see what others have changed.
        if self._pending or self._asked_for_others:
            self.doubt()
        if self._pending == "schema":
            _schema.changes += 1
        self._pending, self._asked_for_others = "", False

    async def check(self, names: frozenset[str], rows: Rows) -> set[str]:
        """Ask what the names, and all asked for before, mean; return those that have changed.

        Raises SQLSpecError, and asks again the next time then.
        """
        seen, asked_at = _schema.changes, time.monotonic()
        self.is_doubted = False
        self._due = 0.0
        self._asked_for_others |= 0 <= self._seen != seen
        wanted = names.union(self.states)
        oids = [name[1:] for name in wanted if name[:1] == "#" and name[1:].isdigit()]
        found = {row["name"]: row["state"] for row in await rows(_STATES, [sorted(wanted), oids])}
        changed = {name for name, state in self.states.items() if found.get(name) != state}
        self.states = {name: found.get(name) for name in wanted}
        self._seen, self._due = seen, asked_at + CHECK_SECONDS
        return changed

    async def learn(self, names: frozenset[str], rows: Rows) -> None:
        """Ask what names that are new mean, while what is known of the others still holds.

        Raises SQLSpecError.
        """
        new = sorted(names - self.states.keys())
        found = {row["name"]: row["state"] for row in await rows(_STATES, [new, []])}
        self.states.update((name, found.get(name)) for name in new)

    def keep(self, names: frozenset[str]) -> None:
        """Forget the names that no statement has any more."""
        for name in self.states.keys() - names:
            del self.states[name]
