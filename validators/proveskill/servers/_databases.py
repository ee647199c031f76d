"""The databases of a run on one server: a template, fresh copies of it, and their removal."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psycopg

from proveskill.servers._address import Address
from proveskill.servers._connect import connect, execute, reason
from proveskill.servers._model import ServerError, ServerSpec
from proveskill.servers._schema import apply_schema

OLDEST = 13
"""The first version that can drop a database in spite of its connections."""
FIRST_WITH_STRATEGY = 15
"""The first version that lets one choose how a database is copied."""
DROP_STATEMENT = "DROP DATABASE IF EXISTS {} WITH (FORCE)"
PATIENCE = 5.0
"""Seconds that a step in progress gets when the run ends."""
REMEDIES = {
    "vector": "install pgvector there, or use the image pgvector/pgvector:pg18",
}


class Databases:
    """Databases named `proveskill_<token>_<n>` on the server at `address`. Thread-safe.

    `prepare` comes first; afterwards `version` and `extensions` (name to version) are known.
    """

    def __init__(self, address: Address, token: str, spec: ServerSpec) -> None:
        self.address = address
        self.version = ""
        self.extensions: dict[str, str] = {}
        self.template = f"proveskill_{token}_template"
        self._prefix = f"proveskill_{token}_"
        self._spec = spec
        self._admin: psycopg.Connection | None = None
        self._remover: psycopg.Connection | None = None
        self._copy_statement = ""
        self._count = 0
        self._made: list[str] = []
        self._spare: str | None = None
        self._closed = False
        self._lock = threading.Lock()
        self._gate = threading.Lock()
        self._background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="databases")

    def prepare(self) -> None:
        """Make the template. Raises ServerError: unreachable, no right, extension, schema."""
        with self._lock:
            info = self._connection().info
            number = info.server_version // 10000
            if number < OLDEST:
                raise ServerError(
                    f"the server at {self.address.place} is PostgreSQL {number}; "
                    f"use version {OLDEST} or newer"
                )
            strategy = " STRATEGY file_copy" if number >= FIRST_WITH_STRATEGY else ""
            self._copy_statement = f"CREATE DATABASE {{}} TEMPLATE {{}}{strategy}"
            self.version = (info.parameter_status("server_version") or "").partition(" ")[0]
            self._make("CREATE DATABASE {}", self.template)
            with connect(self.address, self.template) as template:
                self._fill(template)

    def create(self) -> str:
        """Make a fresh copy of the template, return its name. Raises ServerError."""
        with self._lock:
            name, self._spare = self._spare or self._copy(), None
        self._later(self._make_spare)
        return name

    def drop(self, name: str) -> None:
        """Drop a database, soon; returns at once. A name that was not made here is ignored."""
        self._later(self._drop, name)

    def drop_all(self) -> None:
        """Drop everything that was made, the template included. Raises ServerError."""
        with self._gate:
            self._closed = True
        self._background.shutdown(cancel_futures=True)
        # Whoever makes a database now gets to finish it; a long schema is cut off by FORCE.
        free = self._lock.acquire(timeout=PATIENCE)
        try:
            if self._made:
                with connect(self.address) as connection:
                    self._drop_made(connection)
        finally:
            if free:
                self._lock.release()

    def _drop_made(self, connection: psycopg.Connection) -> None:
        failures = []
        for name in self._made:
            try:
                execute(connection, DROP_STATEMENT, name)
            except psycopg.Error as error:
                failures.append(f"{name} ({reason(error)})")
        if failures:
            raise ServerError(
                f"the server at {self.address.place} keeps {', '.join(failures)}; drop them there"
            )

    def _fill(self, template: psycopg.Connection) -> None:
        for extension in self._spec.extensions:
            try:
                execute(template, "CREATE EXTENSION IF NOT EXISTS {} CASCADE", extension)
            except psycopg.Error as error:
                raise self._extension_error(extension, error) from error
        if self._spec.schema is not None:
            apply_schema(template, self._spec.schema)
        query = "SELECT extname, extversion FROM pg_extension WHERE extname = ANY(%s)"
        found = template.execute(query, [list(self._spec.extensions)]).fetchall()
        self.extensions = dict(found)

    def _extension_error(self, extension: str, error: psycopg.Error) -> ServerError:
        missing = (psycopg.errors.FeatureNotSupported, psycopg.errors.UndefinedFile)
        remedy = REMEDIES.get(extension, "install it there, or choose another with --server")
        if isinstance(error, missing):
            return ServerError(
                f"the server at {self.address.place} has no extension {extension!r}; {remedy}"
            )
        return ServerError(
            f"the server at {self.address.place} does not create the extension {extension!r}: "
            f"{reason(error)}; connect as a user who may, or choose another with --server"
        )

    def _later(self, job: Callable[..., None], *arguments: str) -> None:
        with self._gate:
            if not self._closed:
                self._background.submit(job, *arguments)

    def _make_spare(self) -> None:
        # Whoever asks next makes the copy then, and hears of the error.
        with self._lock, suppress(ServerError):
            if self._spare is None and not self._closed:
                self._spare = self._copy()

    def _copy(self) -> str:
        self._count += 1
        name = f"{self._prefix}{self._count}"
        self._make(self._copy_statement, name, self.template)
        return name

    def _make(self, statement: str, name: str, *others: str) -> None:
        if self._closed:
            raise ServerError("the run is ending, so no database is made any more")
        self._made.append(name)
        try:
            execute(self._connection(), statement, name, *others)
        except psycopg.Error as error:
            refused = isinstance(error, psycopg.errors.InsufficientPrivilege)
            remedy = "connect as a user with the right CREATEDB" if refused else "see its log"
            raise ServerError(
                f"the server at {self.address.place} does not create a database: "
                f"{reason(error)}; {remedy}"
            ) from error

    def _drop(self, name: str) -> None:
        # A second connection, so that nobody who wants a database waits for a removal. What
        # cannot be dropped now is tried again at the end.
        if name not in self._made:
            return
        with suppress(ServerError, psycopg.Error):
            if self._remover is None or self._remover.closed or self._remover.broken:
                self._remover = connect(self.address)
            execute(self._remover, DROP_STATEMENT, name)
            self._made.remove(name)

    def _connection(self) -> psycopg.Connection:
        if self._admin is None or self._admin.closed or self._admin.broken:
            self._admin = connect(self.address)
        return self._admin
