"""The embedded server: PostgreSQL from the wheel, as a child of the keeper."""

from __future__ import annotations

import importlib
import os
import secrets
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from proveskill.servers._model import ServerError
from proveskill.servers._processes import Processes, last_lines
from proveskill.servers._programs import Account, copy_programs, major_version, server_programs
from proveskill.servers._timings import Timings

if TYPE_CHECKING:
    from proveskill.servers._address import Address

USER = "postgres"
MAIN = "primary"
"""Name of the main server, whose timings come without a name."""
DENIED = "Permission denied"
PORT_ATTEMPTS = 5
START_DEADLINE = 60.0
"""Seconds until a server that does not answer is given up."""
SETTINGS = {
    # The data is thrown away, so nothing needs to survive a crash of the machine.
    "fsync": "off",
    "log_checkpoints": "off",  # would drown what matters in the log
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "wal_level": "replica",
    "max_wal_senders": "4",
    "wal_keep_size": "256MB",
    # A standby sees what is flushed, and nobody should wait for that.
    "wal_writer_delay": "10ms",
    "checkpoint_timeout": "30min",
    "hot_standby_feedback": "on",
    "max_standby_streaming_delay": "5s",
    # Real SCRAM, but the password is random and lives for minutes: no need to make it dear.
    "scram_iterations": "1",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Embedded:
    """One embedded server with its files in `run`/`name`; `start` must come first."""

    def __init__(
        self, name: str, run: Path, processes: Processes, account: Account | None, timings: Timings
    ) -> None:
        self.name = name
        self.password = secrets.token_hex(16)
        self.port = 0
        self.programs = Path()
        self.directory = run / name
        self.data = self.directory / "data"
        self._run = run
        self._log = run / f"{name}.log"
        self._processes = processes
        self._account = account
        self._timings = timings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> Address:
        """Where the server listens."""
        from proveskill.servers._address import Address

        return Address.local(USER, self.password, self.port)

    def start(self, port: int | None) -> Embedded:
        """Make a fresh cluster and start it on `port`, or on a free one. Raises ServerError."""
        if port is not None:
            _check_free(port)
        with self._timings.of(self._step("initdb")):
            self._initialise()
        return self.serve(port)

    def serve(self, port: int | None) -> Embedded:
        """Start the server over the data that is there. Raises ServerError."""
        with self._timings.of(self._step("start")):
            for _ in range(PORT_ATTEMPTS):
                self.port = port or _free_port()
                if self._answers():
                    return self
                if port is not None or "Address already in use" not in last_lines(self._log):
                    break
        raise self._failure("the embedded server does not start", self._log)

    def prepare_directory(self) -> None:
        """Make the directory of the server's data, owned by the account it runs under."""
        self.directory.mkdir(mode=0o700)
        self._give(self.directory)

    def explain(self) -> str:
        """Why the server fails, by its log: empty when it runs and has room."""
        if self._process is None:
            return ""
        status = self._process.poll()
        if status is not None:
            return f"the {self.name} server ended (status {status}):\n{last_lines(self._log)}"
        if "No space left on device" in last_lines(self._log, 100):
            return f"the disk of the {self.name} server is full; point TMPDIR to another place"
        return ""

    def _step(self, step: str) -> str:
        return step if self.name == MAIN else f"{self.name} {step}"

    def _initialise(self) -> None:
        self.prepare_directory()
        secret = self.directory / "password"
        secret.write_text(self.password)
        self._give(secret)
        self.programs = server_programs()
        log = self._run / f"{self.name}-initdb.log"
        status = self._initdb(secret, log)
        if status != 0 and self._account is not None and DENIED in last_lines(log):
            # The account is kept from the wheel's files, so it gets its own.
            self.programs = copy_programs(self.programs, self._run / "programs")
            log.unlink()
            status = self._initdb(secret, log)
        secret.unlink()
        if status != 0:
            raise self._failure(f"initdb failed (status {status})", log)

    def _initdb(self, secret: Path, log: Path) -> int:
        command: list[str | Path] = [self.programs / "initdb", "-D", self.data]
        command += ["-U", USER, "-A", "scram-sha-256", f"--pwfile={secret}"]
        command += ["--locale=C", "--encoding=UTF8", "--no-sync"]
        command += ["--no-instructions"]
        if major_version(self.programs) >= 18:  # the older ones have none unless they are asked
            command += ["--no-data-checksums"]
        for name, value in SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        process = self._processes.start(command, self.directory, log)
        # Needed next, and it costs nothing while another process has the work.
        importlib.import_module("proveskill.servers._databases")
        return process.wait()

    def _answers(self) -> bool:
        import psycopg

        self._log.unlink(missing_ok=True)
        self._process = self._processes.start(
            [self.programs / "postgres", "-D", self.data, "-p", str(self.port)],
            self.directory,
            self._log,
        )
        deadline = time.monotonic() + START_DEADLINE
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                psycopg.connect(self.address.url, connect_timeout=5).close()
            except psycopg.OperationalError:
                time.sleep(0.01)
            else:
                return True
        return False

    def _failure(self, what: str, log: Path) -> ServerError:
        return ServerError(
            f"{what}; its last words:\n{last_lines(log)}\n"
            f"its files were in {self._run}; point TMPDIR to another place if that one is full "
            "or not allowed, or use --server container or a URL"
        )

    def _give(self, path: Path) -> None:
        if self._account is not None:
            os.chown(path, self._account.uid, self._account.gid)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def _check_free(port: int) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise ServerError(
                f"port {port} of 127.0.0.1 cannot be used for the embedded server: "
                f"{error.strerror}; choose another port, or leave it out for a free one"
            ) from error
