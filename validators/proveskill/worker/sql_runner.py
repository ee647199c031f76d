"""Executes SQL fences statement by statement, as psql would, and checks their expectations."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlparse
from psycopg.postgres import types
from psycopg.pq.abc import PGresult
from sqlparse import tokens as T

from proveskill.expectations import (
    Expectation,
    MisplacedExpectation,
    misses,
    read_comment,
    same_value,
)
from proveskill.worker.checks import ExpectationFailed, show, show_error, show_text
from proveskill.worker.requests import Request

_STOP = "SELECT 1/0;"
_STOPPED = "22012"
_RIGHT_ALIGNED = {
    types[name].oid
    for name in ("int2", "int4", "int8", "float4", "float8", "numeric", "oid", "xid", "money")
}


class StatementFailed(Exception):
    """A statement that the server refused; ``line`` is counted within the fence."""

    def __init__(self, line: int, error: psycopg.Error) -> None:
        super().__init__(error.diag.message_primary or str(error))
        self.line = line
        self.sqlstate = error.sqlstate


@dataclass(frozen=True)
class Statement:
    """One SQL statement: its text, its first and last line in the fence, its promise."""

    text: str
    line: int
    end_line: int
    expectation: Expectation | None = None


class SqlRunner:
    """One autocommit connection for all SQL fences of a section."""

    def __init__(self) -> None:
        self._connection: psycopg.Connection[Any] | None = None

    def run(self, request: Request, observed: list[tuple[int, str]]) -> str | None:
        """Execute a fence; return its result tables as psql draws them.

        What its expectations see is added to ``observed``, by line of the fence.
        Raises :class:`StatementFailed`, ``ExpectationFailed``, ``MisplacedExpectation`` and
        ``psycopg.OperationalError``.
        """
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
        if request.parse_only:
            _parse(self._connection, request.source)
            return None
        tables = [
            table
            for statement in split_statements(request.source)
            if (table := self._execute(self._connection, statement, observed)) is not None
        ]
        return "\n".join(tables) if tables else None

    def close(self) -> None:
        """Close the connection, if one was opened."""
        if self._connection is not None:
            self._connection.close()

    def _execute(
        self,
        connection: psycopg.Connection[Any],
        statement: Statement,
        observed: list[tuple[int, str]],
    ) -> str | None:
        promise = statement.expectation
        try:
            cursor = connection.execute(statement.text.encode())
        except psycopg.Error as error:
            if promise is None or promise.value is not None:
                raise StatementFailed(statement.line, error) from error
            if why := misses(promise, error):
                seen = f"{type(error).__name__} {error.sqlstate}: {error}"
                raise ExpectationFailed(promise, show_text(seen), why) from error
            observed.append((promise.line, show_error(error)))
            return None
        rows = cursor.fetchall() if cursor.description else None
        if promise is not None:
            observed.append((promise.line, show(_require(promise, rows))))
        return draw_table(cursor.pgresult) if rows is not None and cursor.pgresult else None


def _parse(connection: psycopg.Connection[Any], source: str) -> None:
    """Have the server parse a text, and execute nothing. Raises :class:`StatementFailed`.

    The server parses the whole text of a simple query before it executes the first statement
    (PostgreSQL manual, "Simple Query"), and the first one always fails.
    """
    if connection.info.transaction_status is psycopg.pq.TransactionStatus.INERROR:
        connection.rollback()  # a fence that was given up halfway must not hold the next ones
    result = connection.pgconn.exec_((_STOP + source).encode())
    error = psycopg.errors.error_from_result(result)
    if error.sqlstate == _STOPPED:
        return
    position = int(error.diag.statement_position or 0) - len(_STOP) - 1
    last = source.rstrip().count("\n") + 1
    raise StatementFailed(min(source.count("\n", 0, max(0, position)) + 1, last), error)


def _require(promise: Expectation, rows: list[tuple[Any, ...]] | None) -> object:
    """Return the value that was promised: a single one, a column, a row or all rows."""
    if promise.value is None:
        raise ExpectationFailed(promise, "nothing was raised")
    if rows is None:
        raise ExpectationFailed(promise, "the statement returns no rows")
    if len(rows) == 1 and len(rows[0]) == 1:
        observed: object = rows[0][0]
        if isinstance(observed, str) and observed == promise.value:
            return observed
    elif rows and len(rows[0]) == 1:
        observed = [row[0] for row in rows]
    else:
        observed = rows[0] if len(rows) == 1 else rows
    if not same_value(observed, promise.value):
        raise ExpectationFailed(promise, f"{show(observed)} ({type(observed).__name__})")
    return observed


def split_statements(source: str) -> list[Statement]:
    """Split SQL at its semicolons (not those in strings, bodies and comments).

    A comment on a statement's last line, or alone on the line after it, may hold its
    expectation. Raises ``MisplacedExpectation`` for one that belongs to no statement.
    """
    statements: list[Statement] = []
    for kind, text, line in _pieces(source):
        if kind == "statement":
            end_line = line + text.rstrip().count("\n")
            statements.append(Statement(text, line, end_line))
            continue
        expectation = read_comment(text.lstrip("-"), line)
        if expectation is None:
            continue
        if not statements or line - statements[-1].end_line > 1:
            raise MisplacedExpectation(line, f"no statement for '{expectation.text}'")
        if statements[-1].expectation is not None:
            raise MisplacedExpectation(line, "this statement has an expectation already")
        last = statements[-1]
        statements[-1] = Statement(last.text, last.line, last.end_line, expectation)
    return statements


def _pieces(source: str) -> Iterator[tuple[str, str, int]]:
    """Yield ("statement" or "comment", text, line) in the order of the text."""
    line = 1
    for parsed in sqlparse.parse(source):
        text, start = "", line
        comments: list[tuple[str, int]] = []
        for token in parsed.flatten():  # type: ignore[no-untyped-call]
            is_comment = token.ttype is not None and token.ttype in T.Comment.Single
            if is_comment and token.value.startswith("--"):
                comments.append((token.value.strip(), line))
                # A comment between statements speaks of the one before it.
                if not text.strip():
                    text = ""
                    yield "comment", *comments.pop()
            elif text.strip() or not token.is_whitespace:
                start = start if text.strip() else line
                text += token.value
            line += token.value.count("\n")
        if text.strip(" \t\n;"):
            yield "statement", text, start
        for comment in comments:
            yield "comment", *comment


def draw_table(result: PGresult) -> str:
    """Draw a result as psql does by default, with the server's own text for each value."""
    columns = range(result.nfields)
    names = [(result.fname(column) or b"").decode() for column in columns]
    rows = [
        [(result.get_value(row, column) or b"").decode() for column in columns]
        for row in range(result.ntuples)
    ]
    widths = [max(map(len, cells)) for cells in zip(names, *rows, strict=True)]
    right = [result.ftype(column) in _RIGHT_ALIGNED for column in columns]
    lines = [_draw_row(_center(name, width) for name, width in zip(names, widths, strict=True))]
    lines.append("+".join("-" * (width + 2) for width in widths))
    for row in rows:
        cells = zip(row, widths, right, strict=True)
        lines.append(_draw_row(c.rjust(w) if r else c.ljust(w) for c, w, r in cells))
    lines.append(f"({result.ntuples} row{'' if result.ntuples == 1 else 's'})")
    return "\n".join(lines)


def _center(name: str, width: int) -> str:
    # psql puts an odd blank to the right, str.center() sometimes to the left.
    return (" " * ((width - len(name)) // 2) + name).ljust(width)


def _draw_row(cells: Iterable[str]) -> str:
    return (" " + " | ".join(cells)).rstrip()
