"""A primary with its streaming standby, as sections see them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from proveskill.servers._databases import Databases
from proveskill.servers._embedded import Embedded
from proveskill.servers._standby import wait_for_replay


@dataclass
class Pair:
    """Two embedded servers, beside the main one and with its extensions and schema.

    A section that asks for them gets a second database there.
    """

    primary: Embedded
    standby: Embedded
    databases: Databases
    _names: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def variables(self, section: str) -> dict[str, str]:
        """URLs for a section by its database, which the standby has replayed. ServerError."""
        name = self._name(section)
        wait_for_replay(self.primary, self.standby)
        first = self.standby.address.database(name)
        credentials = urlsplit(first).netloc.rpartition("@")[0]
        hosts = f"127.0.0.1:{self.standby.port},127.0.0.1:{self.primary.port}"
        return {
            "PRIMARY_DATABASE_URL": self.primary.address.database(name),
            "STANDBY_DATABASE_URL": first,
            "CLUSTER_DATABASE_URL": f"postgresql://{credentials}@{hosts}/{name}",
        }

    def drop(self, section: str) -> None:
        """Drop what the section has on the pair's primary."""
        with self._lock:
            name = self._names.pop(section, None)
        if name is not None:
            self.databases.drop(name)

    def _name(self, section: str) -> str:
        with self._lock:
            if section not in self._names:
                self._names[section] = self.databases.create()
            return self._names[section]
