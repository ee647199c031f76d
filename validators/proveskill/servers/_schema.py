"""Apply an SQL file to a database, naming the line of an error."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path
from typing import Any

import psycopg
from psycopg import pq
from sqlparse.engine import FilterStack
from sqlparse.tokens import Comment

from proveskill.servers._model import ServerError


def apply_schema(connection: psycopg.Connection, schema: Path) -> None:
    """Run every statement of `schema` over `connection`.

    The server splits the text itself, so that anything it understands can stand there.
    Raises ServerError with file:line and the server's message.
    """
    try:
        text = schema.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ServerError(f"the schema file {schema} cannot be read: {error}") from error
    wire = connection.pgconn
    wire.send_query(text.encode())
    completed = 0
    failed: pq.abc.PGresult | None = None
    while result := wire.get_result():
        if result.status == pq.ExecStatus.FATAL_ERROR:
            failed = result
        elif result.status == pq.ExecStatus.COPY_IN:
            wire.put_copy_end(b"COPY FROM STDIN cannot stand in a schema file")
        else:
            completed += 1
    if failed is not None:
        line = _line_of_error(text, failed, completed)
        raise ServerError(
            f"{schema}:{line}: the schema cannot be applied: {_field(failed, 'MESSAGE_PRIMARY')} "
            f"(SQLSTATE {_field(failed, 'SQLSTATE')}); correct the statement"
        )


def _line_of_error(text: str, failed: pq.abc.PGresult, completed: int) -> int:
    position = _field(failed, "STATEMENT_POSITION")
    if position:
        return text.count("\n", 0, int(position) - 1) + 1
    return _line_of_statement(text, completed)


def _line_of_statement(text: str, index: int) -> int:
    """Line on which the statement `index` begins, counted from 0 in statements that run."""
    line = 1
    statements = FilterStack().run(text)  # type: ignore[no-untyped-call]
    for statement in statements:
        tokens = list(statement.flatten())
        blank = list(takewhile(_is_blank, tokens))
        if len(blank) < len(tokens):
            if index == 0:
                return line + "".join(token.value for token in blank).count("\n")
            index -= 1
        line += str(statement).count("\n")
    return line


def _is_blank(token: Any) -> bool:
    return bool(token.is_whitespace or token.ttype in Comment or token.value == ";")


def _field(result: pq.abc.PGresult, name: str) -> str:
    value = result.error_field(pq.DiagnosticField[name])
    return (value or b"").decode("utf-8", "replace")
