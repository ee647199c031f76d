"""Connections of the keeper itself, and its errors in words that tell what to do."""

from __future__ import annotations

import psycopg
from psycopg import sql

from proveskill.servers._address import Address
from proveskill.servers._model import ServerError

CONNECT_TIMEOUT = 10
"""Seconds to wait for a server's greeting."""


def connect(address: Address, database: str | None = None) -> psycopg.Connection:
    """Connect in autocommit mode; the administrative database by default. ServerError."""
    url = address.url if database is None else address.database(database)
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_TIMEOUT)
    except psycopg.Error as error:
        raise ServerError(
            f"the server at {address.place} cannot be reached: {reason(error)}; "
            "check the address and that the server runs, or use --server embedded"
        ) from None


def execute(connection: psycopg.Connection, statement: str, *names: str) -> None:
    """Run a statement whose {} stand for identifiers. Raises psycopg.Error."""
    identifiers = [sql.Identifier(name) for name in names]
    connection.execute(sql.SQL(statement).format(*identifiers))


def reason(error: psycopg.Error) -> str:
    """The server's message without what libpq puts around it, on one line."""
    if error.diag.message_primary:
        return error.diag.message_primary
    text = str(error).removeprefix("connection failed: ").strip()
    last = [line for line in text.splitlines() if not line.startswith("\t")][-1:]
    return (last or [text])[0].rpartition("failed: ")[2]
