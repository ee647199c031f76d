"""The main server as sections reach it through the fronts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from proveskill.servers._address import Address
from proveskill.servers._certificates import HOST, Certificates, make_certificates
from proveskill.servers._fronts import Fronts
from proveskill.servers._model import ServerError
from proveskill.servers._once import Once


class Gates:
    """Fronts before the server at `address`, each opened when a section needs it first."""

    def __init__(self, address: Address, run: Path) -> None:
        self._address = address
        self._fronts = Fronts()
        self._certificates: Once[Certificates] = Once(lambda: make_certificates(run))
        self._tls = Once(lambda: self._fronts.tls(address, self._certificates.get().context))
        self._plain = Once(lambda: self._fronts.plain(address))
        self._silent = Once(self._fronts.silent)
        self._variables: Mapping[str, Callable[[str], str]] = {
            "TLS_DATABASE_URL": lambda name: address.through(HOST, self._tls.get(), name),
            "TLS_CA_FILE": lambda _: str(self._certificates.get().authority),
            "TLS_OTHER_CA_FILE": lambda _: str(self._certificates.get().other_authority),
            "NO_TLS_DATABASE_URL": lambda name: self._local(self._plain.get(), name),
            "SILENT_DATABASE_URL": lambda name: self._local(self._silent.get(), name),
        }

    def variable(self, name: str, database: str) -> str:
        """Value of the environment variable `name` for a section. Raises ServerError."""
        try:
            return self._variables[name](database)
        except OSError as error:
            raise ServerError(f"{name} cannot be provided: {error}; run again") from error

    def _local(self, port: int, database: str) -> str:
        return self._address.through("127.0.0.1", port, database)
