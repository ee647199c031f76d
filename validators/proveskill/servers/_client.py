"""The client of a run's servers."""

from __future__ import annotations

import atexit
import json
import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from proveskill.servers._model import VARIABLES, Database, ServerError, ServerSpec
from proveskill.servers._owner import OwnedKeeper
from proveskill.servers._run_directory import SPEC_NAME
from proveskill.servers._wire import ask

KEEPER_VARIABLE = "PROVESKILL_KEEPER"
"""Environment variable with the socket of a keeper that processes of a run share."""


class Servers:
    """The servers of a run. Cheap to make: nothing is started before it is needed. Thread-safe.

    The process that needs a server first, or that calls `share`, owns it: with its end,
    however it ends, everything is gone. A process that finds PROVESKILL_KEEPER in its
    environment, set by the `share` of an owner with the same spec, uses that owner's servers.
    """

    def __init__(self, spec: ServerSpec) -> None:
        self._spec = spec
        self._lock = threading.Lock()
        self._owned: OwnedKeeper | None = None
        self._shared = _shared_keeper(spec)
        self._closed = False
        self._description: dict[str, Any] = {
            "server": spec.family,
            "postgresql": None,
            "extensions": dict.fromkeys(spec.extensions),
        }
        self._timings: dict[str, float] = {}

    def __enter__(self) -> Servers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def share(self) -> None:
        """Let processes that are started from now on use the servers of this one.

        Starts the keeper, but no server. Does nothing where the servers are someone else's.
        Raises ServerError.
        """
        self._keeper()
        if self._owned is not None:
            os.environ[KEEPER_VARIABLE] = str(self._owned.socket)

    def warm(self) -> None:
        """Begin to start the main server; returns at once, an error shows up at its use."""
        threading.Thread(target=self._warm, name="warm", daemon=True).start()

    def create_database(self) -> Database:
        """A fresh database with the extensions and the schema. Raises ServerError."""
        fields = ask(self._keeper(), "create")
        return Database(fields["name"], fields["url"])

    def drop_database(self, database: Database) -> None:
        """Drop a database in the background, whoever is still connected; returns at once."""
        # What is not dropped now goes with the server, or with the keeper's end.
        with suppress(ServerError):
            ask(self._keeper(), "drop", name=database.name)

    def variables(self, names: Iterable[str], database: Database) -> dict[str, str]:
        """The values of the environment variables `names` (see VARIABLES) for a section.

        Starts what they need and waits until it serves. Raises ServerError.
        """
        wanted = sorted(set(names))
        unknown = [name for name in wanted if name not in VARIABLES]
        if unknown:
            raise ServerError(
                f"no server sets {', '.join(unknown)}; there are {', '.join(VARIABLES)}"
            )
        if set(wanted) <= {"DATABASE_URL"}:
            return dict.fromkeys(wanted, database.url)
        values: dict[str, str] = ask(
            self._keeper(), "variables", names=wanted, database=database.name
        )
        return values

    def describe(self) -> dict[str, Any]:
        """The server's kind and version, and the versions of the extensions by name.

        {"server": "embedded", "postgresql": "18.6", "extensions": {"vector": "0.8.6"}}, with
        None for what is not known because no server was started.
        """
        self._learn()
        return dict(self._description)

    def timings(self) -> dict[str, float]:
        """Seconds by step (initdb, start, template, standby ...), as far as they happened."""
        self._learn()
        return dict(self._timings)

    def close(self) -> None:
        """Stop and delete everything, and wait for it, if this process owns it; idempotent."""
        self._learn()
        with self._lock:
            self._closed = True
            owned, self._owned, self._shared = self._owned, None, None
        if owned is not None:
            if os.environ.get(KEEPER_VARIABLE) == str(owned.socket):
                del os.environ[KEEPER_VARIABLE]
            owned.stop()
            atexit.unregister(self.close)

    def _keeper(self) -> Path:
        with self._lock:
            if self._closed:
                raise ServerError("these servers are closed; make a new Servers object")
            if self._shared is None:
                self._owned = OwnedKeeper(self._spec)
                self._shared = self._owned.socket
                atexit.register(self.close)
            return self._shared

    def _warm(self) -> None:
        with suppress(ServerError):
            ask(self._keeper(), "warm")

    def _learn(self) -> None:
        keeper = self._shared
        if keeper is not None:
            # When the keeper has gone, what was known last still stands.
            with suppress(ServerError):
                self._description = ask(keeper, "describe")
                self._timings = ask(keeper, "timings")


def _shared_keeper(spec: ServerSpec) -> Path | None:
    """The keeper of the environment, unless it is gone or keeps other servers than these."""
    address = os.environ.get(KEEPER_VARIABLE)
    if not address:
        return None
    keeper = Path(address)
    try:
        kept = json.loads(keeper.with_name(SPEC_NAME).read_text(encoding="utf-8"))
    except OSError:
        return None
    return keeper if keeper.exists() and kept == spec.to_json() else None
