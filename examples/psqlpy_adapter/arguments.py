"""The settings as psqlpy's arguments.

psqlpy 0.13.1 ignores `keepalives=False`, and the other keepalive arguments unless `keepalives` is
True; beside a connection string it ignores host, user, password and database. So the place goes
into a connection string, which says "keepalives=0" and knows channel_binding, and the rest beside
it. May be unnecessary when psqlpy's arguments do what they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psqlpy

from psqlpy_adapter.dsn import format_dsn
from psqlpy_adapter.hosts import Host
from psqlpy_adapter.keys import NANOSECONDS
from psqlpy_adapter.settings import Settings
from psqlpy_adapter.tls import Way

READ_ONLY = "-c default_transaction_read_only=on"


def connect_arguments(
    settings: Settings, hosts: Sequence[Host], way: Way, *, for_reads: bool = False
) -> dict[str, Any]:
    """The arguments of psqlpy.connect for these hosts; all have an address, or none has."""
    options = " ".join(filter(None, (settings.options, READ_ONLY if for_reads else None)))
    kept = settings.keepalives
    keywords = {
        "host": ",".join(host.name for host in hosts),
        "hostaddr": ",".join(host.address for host in hosts if host.address) or None,
        "port": ",".join(str(host.port) for host in hosts),
        "user": settings.username,
        "password": settings.password,
        "dbname": settings.database,
        "options": options or None,
        "application_name": settings.application_name,
        "channel_binding": settings.channel_binding,
        # psqlpy's own argument keepalives=False does nothing.
        "keepalives": None if kept.enabled else "0",
        "sslmode": None if way is Way.NATIVE else "disable",
    }
    arguments: dict[str, Any] = {"dsn": format_dsn(keywords)}
    if way is Way.NATIVE:
        arguments |= {"ssl_mode": psqlpy.SslMode.Require, "ca_file": settings.tls.ca_file}
    arguments |= _duration("connect_timeout", settings.connect_timeout)
    arguments |= _duration("tcp_user_timeout", settings.tcp_user_timeout)
    if kept.enabled:
        # Without keepalives=True psqlpy ignores the other keys.
        arguments |= {"keepalives": True, "keepalives_retries": kept.retries}
        arguments |= _duration("keepalives_idle", kept.idle)
        arguments |= _duration("keepalives_interval", kept.interval)
    return arguments


def _duration(name: str, seconds: float | None) -> dict[str, Any]:
    if seconds is None:
        return {}
    whole, part = divmod(round(seconds * NANOSECONDS), NANOSECONDS)
    return {f"{name}_sec": whole, f"{name}_nanosec": part}
