"""What the proofs of events look at: who listens, and what is notified."""

from __future__ import annotations

import psycopg
from watching_tools import ask

LISTENERS = (
    "FROM pg_stat_activity WHERE query LIKE 'LISTEN%%' AND state = 'idle' "
    "AND datname = current_database()"
)


def listeners(dsn: str) -> int:
    """How many connections of the database listen."""
    return int(ask(dsn, f"SELECT count(*) {LISTENERS}"))


def kill_listener(dsn: str) -> bool:
    """End the connection that listens, if there is one."""
    return bool(ask(dsn, f"SELECT pg_terminate_backend(pid, 5000) {LISTENERS}"))


class Ear:
    """A client past psqlpy that hears a channel."""

    def __init__(self, dsn: str, channel: str) -> None:
        self._connection = psycopg.connect(dsn, autocommit=True)
        self._connection.execute(f"LISTEN {channel}")

    def heard(self) -> list[str]:
        """The payloads since the last call. A round trip brings what was sent before it."""
        found: list[str] = []
        self._connection.add_notify_handler(lambda notify: found.append(notify.payload))
        self._connection.execute("SELECT 1")
        return found

    def close(self) -> None:
        """Stop listening."""
        self._connection.close()
