"""A streaming standby of an embedded server."""

from __future__ import annotations

import time
from pathlib import Path

from proveskill.servers._connect import connect
from proveskill.servers._embedded import USER, Embedded
from proveskill.servers._model import ServerError
from proveskill.servers._processes import Processes, last_lines

DEADLINE = 30.0
"""Seconds until a standby that does not catch up is given up."""
POLL = 0.005
"""Seconds between two looks at what the standby has replayed."""


def start_standby(primary: Embedded, standby: Embedded, run: Path, processes: Processes) -> None:
    """Copy `primary` and start the copy as its streaming standby. Raises ServerError."""
    standby.prepare_directory()
    standby.programs = primary.programs
    standby.password = primary.password
    log = run / f"{standby.name}-basebackup.log"
    command: list[str | Path] = [standby.programs / "pg_basebackup", "-D", standby.data]
    command += ["-h", "127.0.0.1", "-p", str(primary.port), "-U", USER]
    command += ["-X", "stream", "-c", "fast", "--no-sync", "--no-manifest", "--write-recovery-conf"]
    secret = {"PGPASSWORD": primary.password}
    status = processes.start(command, standby.directory, log, secret).wait()
    if status != 0:
        raise ServerError(
            f"the standby cannot be made: pg_basebackup failed (status {status}):\n"
            f"{last_lines(log)}\npoint TMPDIR to a place with more room if that one is full"
        )
    standby.serve(None)


def wait_for_replay(primary: Embedded, standby: Embedded) -> None:
    """Wait until the standby shows all that the primary has written by now. ServerError."""
    with connect(primary.address) as connection:
        row = connection.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone()
    written = row[0] if row else None
    deadline = time.monotonic() + DEADLINE
    query = "SELECT coalesce(pg_last_wal_replay_lsn() >= %s::pg_lsn, false)"
    with connect(standby.address) as connection:
        while connection.execute(query, [written]).fetchone() != (True,):
            if time.monotonic() > deadline:
                raise ServerError(
                    f"the standby has not replayed {written} within {DEADLINE:.0f} s; run again, "
                    "and see whether something holds a lock on the standby"
                )
            time.sleep(POLL)
