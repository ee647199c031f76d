"""Every failure as a SQLSpec error, named after what the server said.

What SQLSpec 0.69 does: it looks for words such as "unique", "connection" or "parse" anywhere in
the message, names and values included, so a missing table called `unique_items` is a
`UniqueViolationError`; what fails before a statement runs (connecting, binding a value, a Rust
panic) is not a `SQLSpecError` at all. psqlpy 0.13 gives no SQLSTATE: only the text.

What this does instead: it finds the SQLSTATE again from the whole text (`server_messages`), puts
it on the error as `sqlstate`, and takes the class that SQLSpec gives to that SQLSTATE. Everything
else (connection, pool, binding, panic) is told apart by psqlpy's exception class and by the fixed
beginnings of its own messages. `__cause__` is always the original.

May be unnecessary when psqlpy exposes the SQLSTATE (asked for in psqlpy's issues; 0.13.1 does not).
"""

from __future__ import annotations

import re

import psqlpy.exceptions as psqlpy_errors
from sqlspec import exceptions
from sqlspec.exceptions import (
    ConnectionTimeoutError,
    DatabaseConnectionError,
    DataError,
    ImproperConfigurationError,
    OperationCancelledError,
    PermissionDeniedError,
    QueryTimeoutError,
    SQLSpecError,
    TransactionError,
)

from psqlpy_adapter.server_messages import sqlstate_of

# psqlpy puts one or more of these before the text of the server or of tokio-postgres.
_PSQLPY_PREFIX = re.compile(
    r"(?:Cannot execute query, error - "
    r"|Cannot prepare statement, error - "
    r"|Error occurred in `execute_many` statement: "
    r"|Cannot build statement in execute_many: "
    r"|Cannot open transaction wrap in execute_many: "
    r"|Failed to finalize execute_many wrap: "
    r"|Transaction (?:begin|commit|rollback|savepoint|execute) error: "
    r"|Cannot (?:start transaction due to - |execute [A-Z ]+ statement, error - )"
    r"|Cursor (?:start|close|fetch) error: "
    r"|Connection pool (?:build |configuration |execute )?error: "
    r"|Database engine pool exception: "
    r"|Error occurred while creating a new object: "
    r"|Listener (?:start )?error: )+"
)
_SERVER = re.compile(r"db error: (ERROR|FATAL|PANIC): (.*)", re.DOTALL)
_LOST = re.compile(
    r"(?:connection closed"
    r"|unexpected message from server"
    r"|error communicating with the server: "
    r"|error connecting to server: "
    r"|Underlying connection is returned to the pool"
    r"|Pool has been closed)"
)
_TIMED_OUT = re.compile(
    r"(?:timeout waiting for server"
    r"|error connecting to server: .*(?:timed out|deadline has elapsed)"
    r"|Timeout occurred while )"
)
# Classes that SQLSpec's map by SQLSTATE lacks or gives too little of; the longest prefix wins.
_CLASSES: dict[str, type[SQLSpecError]] = {
    "08": DatabaseConnectionError,
    "25": TransactionError,
    "25P03": DatabaseConnectionError,
    "25P04": DatabaseConnectionError,
    "3B": TransactionError,
    "3D": DatabaseConnectionError,
    "42501": PermissionDeniedError,
    "53300": DatabaseConnectionError,
    "57P": DatabaseConnectionError,
}
_DESCRIPTIONS: dict[str, str] = {
    "23505": "unique constraint violation",
    "23503": "foreign key constraint violation",
    "23502": "not-null constraint violation",
    "23514": "check constraint violation",
    "40001": "serialization failure",
    "40P01": "deadlock detected",
    "42501": "permission denied",
    "42601": "SQL syntax error",
    "57014": "query terminated",
}


class CommitOutcomeUnknownError(DatabaseConnectionError):
    """The connection was lost while COMMIT was under way: the server may or may not have done it.

    Look for the transaction's rows, or make the work idempotent, before you send it again.
    """


def mapped(error: BaseException) -> SQLSpecError:
    """Return the SQLSpec error for what psqlpy raised.

    Args:
        error: a psqlpy exception, a `PanicException`, or the TypeError, OverflowError or ValueError
            with which psqlpy refuses a value that it cannot bind. A SQLSpec error is returned as
            it is.

    Returns:
        The error to raise: `sqlstate` is the server's SQLSTATE or None, `__cause__` is `error`.
    """
    if isinstance(error, SQLSpecError):
        return error
    text = _PSQLPY_PREFIX.sub("", str(error), count=1)
    server = _SERVER.match(text)
    if server is not None:
        severity, message = server.groups()
        sqlstate = sqlstate_of(message)
        kind = _class_of(sqlstate, message)
        if kind is SQLSpecError and (severity != "ERROR" or _is_pool_error(error)):
            kind = DatabaseConnectionError
        description = _DESCRIPTIONS.get(sqlstate or "", "error")
    else:
        sqlstate = None
        kind, description = _outside_the_server(error, text)
    result = kind(f"PostgreSQL {description}: {error}")
    result.sqlstate = sqlstate  # type: ignore[attr-defined]
    result.__cause__ = error
    return result


def is_panic(error: BaseException) -> bool:
    """Tell a Rust panic: a BaseException of a class that cannot be imported."""
    kind = type(error)
    return kind.__name__ == "PanicException" and kind.__module__ == "pyo3_runtime"


def ends_connection(error: BaseException) -> bool:
    """Tell whether the connection on which psqlpy raised `error` can never be used again.

    So it is after a FATAL message, a closed socket, a Rust panic (psqlpy closes the connection),
    and after "unexpected message from server": psqlpy and the server are out of step for good.
    """
    if is_panic(error):
        return True
    text = _PSQLPY_PREFIX.sub("", str(error), count=1)
    server = _SERVER.match(text)
    if server is not None:
        return server.group(1) != "ERROR"
    return isinstance(error, psqlpy_errors.Error) and _LOST.match(text) is not None


def _class_of(sqlstate: str | None, message: str) -> type[SQLSpecError]:
    if sqlstate is None:
        return SQLSpecError
    if sqlstate == "57014" or message.startswith("canceling statement due to lock timeout"):
        by_request = message.startswith("canceling statement due to user request")
        return OperationCancelledError if by_request else QueryTimeoutError
    for length in (5, 3, 2):
        if kind := _CLASSES.get(sqlstate[:length]):
            return kind
    return exceptions.map_sqlstate_to_exception(sqlstate) or SQLSpecError


def _is_pool_error(error: BaseException) -> bool:
    return isinstance(error, psqlpy_errors.BaseConnectionPoolError)


def _outside_the_server(error: BaseException, text: str) -> tuple[type[SQLSpecError], str]:
    """Class and description of what psqlpy, tokio-postgres or the binding of a value raised."""
    if is_panic(error):
        return SQLSpecError, "driver error (a Rust panic; the connection is lost)"
    if isinstance(error, psqlpy_errors.ConnectionPoolConfigurationError) or text.startswith(
        "invalid configuration: "
    ):
        return ImproperConfigurationError, "configuration error"
    if isinstance(error, psqlpy_errors.DataError | TypeError | OverflowError | ValueError):
        return DataError, "data error"
    if isinstance(error, psqlpy_errors.Error):
        if _TIMED_OUT.match(text):
            return ConnectionTimeoutError, "connection timeout"
        if _LOST.match(text) or _is_pool_error(error):
            return DatabaseConnectionError, "connection error"
        if text.startswith("error serializing parameter "):
            return DataError, "data error"
    return SQLSpecError, "database error"
