"""What a keeper does for its clients: every request is one method, started things are shared."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proveskill.servers._embedded import MAIN, Embedded
from proveskill.servers._model import CONTAINER, EMBEDDED, ServerError, ServerSpec
from proveskill.servers._once import Once
from proveskill.servers._processes import Processes
from proveskill.servers._programs import unprivileged_account
from proveskill.servers._timings import Timings

if TYPE_CHECKING:
    from proveskill.servers._address import Address
    from proveskill.servers._container import Container
    from proveskill.servers._databases import Databases
    from proveskill.servers._gates import Gates
    from proveskill.servers._pair import Pair


class Desk:
    """The servers of one run, with their files in `run`. Thread-safe; `close` is the end.

    Imports of what only some servers need stand where they are needed: each costs as much as
    a few databases.
    """

    def __init__(self, run: Path, spec: ServerSpec) -> None:
        self._run = run
        self._spec = spec
        self._token = secrets.token_hex(4)
        self._timings = Timings()
        self._account = unprivileged_account()
        self._processes = Processes(self._account)
        self._container: Container | None = None
        self._foreign: Databases | None = None
        self._primary = Once(lambda: self._embedded(MAIN).start(spec.port))
        self._main = Once(self._start_main)
        self._pair = Once(self._start_pair)
        self._gates = Once(self._open_gates)
        self._requests: Mapping[str, Callable[..., Any]] = {
            "warm": self.warm,
            "create": self.create,
            "drop": self.drop,
            "variables": self.variables,
            "describe": self.describe,
            "timings": self.timings,
        }

    def serve(self, request: Mapping[str, Any]) -> Any:
        """Do what a request asks, return the answer's value. Raises ServerError."""
        arguments = dict(request)
        operation = arguments.pop("operation")
        if operation not in self._requests:
            raise ServerError(f"the keeper does not know the request {operation!r}")
        return self._requests[operation](**arguments)

    def warm(self) -> None:
        """Begin to start the main server; an error stays for whoever needs the server."""
        threading.Thread(target=self._try_main, name="warm", daemon=True).start()

    def create(self) -> dict[str, str]:
        """A fresh database: its name and URL."""
        try:
            databases = self._main.get()
            name = databases.create()
        except ServerError as error:
            primary = self._primary.peek()
            why = primary.explain() if primary else ""
            raise ServerError(f"{error}\n{why}".rstrip()) from error
        return {"name": name, "url": databases.address.database(name)}

    def drop(self, name: str) -> None:
        """Drop a section's databases in the background."""
        databases = self._main.peek()
        if databases is not None:
            databases.drop(name)
        pair = self._pair.peek()
        if pair is not None:
            pair.drop(name)

    def variables(self, names: Iterable[str], database: str) -> dict[str, str]:
        """Values of the environment variables `names` for the section with `database`."""
        values: dict[str, str] = {}
        for name in names:
            if name in values:
                continue
            if name == "DATABASE_URL":
                values[name] = self._main.get().address.database(database)
            elif name in ("PRIMARY_DATABASE_URL", "STANDBY_DATABASE_URL", "CLUSTER_DATABASE_URL"):
                values |= self._pair.get().variables(database)
            else:
                values[name] = self._gates.get().variable(name, database)
        return {name: values[name] for name in names}

    def describe(self) -> dict[str, Any]:
        """Kind of the server, its version and those of the extensions; None if not started."""
        databases = self._main.peek()
        found = databases.extensions if databases else {}
        return {
            "server": self._spec.family,
            "postgresql": databases.version if databases else None,
            "extensions": {name: found.get(name) for name in self._spec.extensions},
        }

    def timings(self) -> dict[str, float]:
        """Seconds by step, as far as they happened."""
        return dict(self._timings.seconds)

    def close(self) -> None:
        """Stop everything, and drop what was made on a server that stays. Raises ServerError."""
        try:
            if self._foreign is not None:
                self._foreign.drop_all()
            if self._container is not None:
                self._container.stop()
        finally:
            self._processes.stop_all()

    def _try_main(self) -> None:
        try:
            self._main.get()
        except ServerError:
            return

    def _embedded(self, name: str) -> Embedded:
        return Embedded(name, self._run, self._processes, self._account, self._timings)

    def _start_main(self) -> Databases:
        if self._spec.family == EMBEDDED:
            databases = self._databases(self._primary.get().address)
        elif self._spec.family == CONTAINER:
            databases = self._databases(self._start_container())
        else:
            from proveskill.servers._address import Address

            databases = self._databases(Address.parse(self._spec.kind))
            # Known before anything is made there, so that it is dropped even after a failure.
            self._foreign = databases
        with self._timings.of("template"):
            databases.prepare()
        return databases

    def _start_container(self) -> Address:
        from proveskill.servers._container import Container

        self._container = Container(self._spec.image, self._token)
        with self._timings.of("container"):
            return self._container.start()

    def _start_pair(self) -> Pair:
        # Of its own also where the main server is embedded: a standby of that would replay all
        # that the whole run writes, which costs more than a second server.
        primary = self._embedded("auxiliary").start(None)
        databases = self._databases(primary.address)
        with self._timings.of("auxiliary template"):
            databases.prepare()
        from proveskill.servers._pair import Pair
        from proveskill.servers._standby import start_standby

        standby = self._embedded("standby")
        with self._timings.of("standby"):
            start_standby(primary, standby, self._run, self._processes)
        return Pair(primary, standby, databases)

    def _databases(self, address: Address) -> Databases:
        from proveskill.servers._databases import Databases

        return Databases(address, self._token, self._spec)

    def _open_gates(self) -> Gates:
        address = self._main.get().address
        with self._timings.of("fronts"):
            from proveskill.servers._gates import Gates

            return Gates(address, self._run)
