"""The places to connect to: names, addresses and ports, matched with each other.

psqlpy 0.13.1 takes `hostaddr` in a connection string only, and lists that do not match fail when
the pool opens. Here it is a key as well, and the lists must match when the configuration is made
(PostgreSQL manual 34.1.1.3 and 34.1.2). May be unnecessary when psqlpy checks them itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlspec.exceptions import ImproperConfigurationError


@dataclass(frozen=True)
class Host:
    """One place to connect to.

    `name` is a host name, an address or a socket directory; TLS verifies it. `address`, libpq's
    hostaddr, is the IP address to connect to, where the name is not to be looked up.
    """

    name: str = "localhost"
    port: int = 5432
    address: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether it is a Unix socket."""
        return self.name[:1] in "/@"

    def __str__(self) -> str:
        name = f"[{self.name}]" if ":" in self.name else self.name
        place = f"{name}:{self.port}"
        return place if self.address in (None, self.name) else f"{place} at {self.address}"


def hosts_of(values: Mapping[str, Any]) -> tuple[Host, ...]:
    """The places that checked keys name. Raises ImproperConfigurationError."""
    for one, many in (("host", "hosts"), ("port", "ports")):
        if one in values and many in values:
            raise ImproperConfigurationError(f"{one!r} and {many!r} are both given; give one")
    addresses = values.get("hostaddr")
    names = values.get("hosts") or _only(values.get("host")) or addresses or ("localhost",)
    ports = values.get("ports", (values.get("port", 5432),))
    if len(ports) not in (1, len(names)):
        raise ImproperConfigurationError(
            f"'ports' has {len(ports)} items and there are {len(names)} hosts; give one port for "
            "all of them or one for each"
        )
    if len(ports) == 1:
        ports = tuple(ports) * len(names)
    if addresses is None:
        return tuple(map(Host, names, ports))
    if len(addresses) != len(names):
        raise ImproperConfigurationError(
            f"'hostaddr' has {len(addresses)} items and there are {len(names)} hosts; give one "
            "address for each"
        )
    hosts = tuple(map(Host, names, ports, addresses))
    for host in hosts:
        if host.is_local:
            raise ImproperConfigurationError(
                f"'hostaddr' is {host.address!r} and the host {host.name!r} a Unix socket; give "
                "one of them"
            )
    return hosts


def _only(name: str | None) -> tuple[str, ...] | None:
    return None if name is None else (name,)
