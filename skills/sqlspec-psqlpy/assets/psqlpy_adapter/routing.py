"""Which server a new connection goes to: several hosts, roles, standbys for reads, failover.

psqlpy 0.13.1 chooses a host by itself, knows no "standby" or "prefer-standby", limits the TCP
connect only (a host that accepts and says nothing stops it for ever, though the next one would
answer), and says of a failure neither which host nor, with several, what the others said. Here
the hosts are tried one by one as libpq does (PostgreSQL manual 34.1.1.3): each has
`connect_timeout_sec` for everything up to the end of the handshake, a refused password ends the
search, and the error names what each host said. A host that failed goes to the end of the list
for a while. May be unnecessary when psqlpy limits the handshake and knows libpq's six roles.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import psqlpy
from sqlspec.exceptions import (
    ConnectionTimeoutError,
    DatabaseConnectionError,
    PermissionDeniedError,
)

from psqlpy_adapter.arguments import connect_arguments
from psqlpy_adapter.carrying import sent
from psqlpy_adapter.hosts import Host
from psqlpy_adapter.pooled import close
from psqlpy_adapter.settings import Settings
from psqlpy_adapter.sockets import answers, has_tls
from psqlpy_adapter.tls import Way
from psqlpy_adapter.tunnel import Tunnel

PENALTY = 10.0
"""Seconds for which a host that failed is tried last."""
_PREFIX = "Database engine pool exception: Error occurred while creating a new object: "
_REFUSED = (
    "password authentication failed",
    "password missing",
    "no pg_hba.conf entry",
    "is not permitted to log in",
    "permission denied",
)
_TLS_FAILED = "error performing TLS handshake"
_ROLE = """SELECT pg_is_in_recovery() AS standby,
    current_setting('transaction_read_only') = 'on' AS read_only"""


class Router:
    """Opens connections to the hosts of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tunnel: Tunnel | None = None
        self._failed: dict[Host, float] = {}
        self._silent: set[Host] = set()

    async def connect(self, *, for_reads: bool = False) -> tuple[psqlpy.Connection, Host]:
        """A new connection, and the host that has the role of `target_session_attrs`.

        for_reads: to a standby if there is one, else to any other host; statements that write
        are refused by the server. Raises DatabaseConnectionError: PermissionDeniedError where
        the server refuses the login, ConnectionTimeoutError where the only host says nothing.
        """
        target = "prefer-standby" if for_reads else self._settings.target
        failures: list[DatabaseConnectionError] = []
        second_best: tuple[psqlpy.Connection, Host] | None = None
        for host in self._in_order(shuffled=for_reads or self._settings.is_balanced):
            try:
                connection = await self._open(host, for_reads=for_reads)
                role = None if target == "any" else await self._unfit(connection, target)
            except PermissionDeniedError:
                raise
            except DatabaseConnectionError as error:
                self._failed[host] = time.monotonic()
                failures.append(error)
                continue
            self._failed.pop(host, None)
            if role is None:
                return connection, host
            if target == "prefer-standby" and second_best is None:
                second_best = connection, host
                continue
            close(connection)
            failures.append(DatabaseConnectionError(f"{host} is {role}"))
        if second_best is not None:
            return second_best
        raise self._failure(target, failures)

    async def connect_to(self, host: Host) -> psqlpy.Connection:
        """A new connection to that host, whatever its role. Raises DatabaseConnectionError."""
        return await self._open(host, for_reads=False)

    def native_pool(self, *, for_reads: bool = False) -> psqlpy.ConnectionPool:
        """psqlpy's own pool with the same settings; it connects when it is used.

        Where plaintext would do ("prefer", "allow"), TLS is tried first. Raises OSError.
        """
        way = self._settings.tls.way
        if way in (Way.TRY_TLS, Way.TRY_PLAIN):
            way = Way.TUNNEL
        return psqlpy.ConnectionPool(**self._arguments(self._settings.hosts, for_reads, way))

    def close(self) -> None:
        """End the tunnel, if there is one, with its connections."""
        if self._tunnel is not None:
            self._tunnel.close()
            self._tunnel = None

    def _in_order(self, *, shuffled: bool) -> list[Host]:
        hosts = list(self._settings.hosts)
        if shuffled:
            random.shuffle(hosts)
        now = time.monotonic()
        return sorted(hosts, key=lambda host: now - self._failed.get(host, -PENALTY) < PENALTY)

    async def _open(self, host: Host, *, for_reads: bool) -> psqlpy.Connection:
        limit = self._settings.connect_timeout
        try:
            async with asyncio.timeout(limit):
                if host in self._silent:
                    # psqlpy cannot give a connection up that waits for an answer: its socket
                    # stays open. So a host that was silent is asked by the adapter first.
                    await answers(host, self._settings)
                    self._silent.discard(host)
                return await self._open_by_way(host, for_reads)
        except TimeoutError:
            self._silent.add(host)
            raise ConnectionTimeoutError(
                f"{host} did not answer within {limit} s ('connect_timeout_sec')"
            ) from None
        except (psqlpy.Error, OSError) as error:
            raise connection_error(host, error) from error

    async def _open_by_way(self, host: Host, for_reads: bool) -> psqlpy.Connection:
        match self._settings.tls.way:
            case Way.TRY_TLS if not host.is_local and await has_tls(host, self._settings):
                try:
                    return await self._connect(host, for_reads, Way.NATIVE)
                except psqlpy.Error as error:
                    if _TLS_FAILED not in str(error):
                        raise
                return await self._connect(host, for_reads, Way.PLAIN)
            case Way.TRY_TLS:
                return await self._connect(host, for_reads, Way.PLAIN)
            case Way.TRY_PLAIN:
                try:
                    return await self._connect(host, for_reads, Way.PLAIN)
                except psqlpy.Error as error:
                    if host.is_local or "db error" not in str(error):
                        raise
                    refusal = error
                try:
                    return await self._connect(host, for_reads, Way.NATIVE)
                except psqlpy.Error as error:
                    raise refusal from error
            case way:
                return await self._connect(host, for_reads, way)

    async def _connect(self, host: Host, for_reads: bool, way: Way) -> psqlpy.Connection:
        return await sent(psqlpy.connect(**self._arguments((host,), for_reads, way)))

    def _arguments(self, hosts: tuple[Host, ...], for_reads: bool, way: Way) -> dict[str, Any]:
        places = hosts
        if way is Way.TUNNEL:
            if self._tunnel is None:
                plaintext_will_do = self._settings.tls.way is not Way.TUNNEL
                self._tunnel = Tunnel(self._settings, plaintext_will_do=plaintext_will_do)
            places = tuple(Host(self._tunnel.directory(host), host.port) for host in hosts)
        return connect_arguments(self._settings, places, way, for_reads=for_reads)

    async def _unfit(self, connection: psqlpy.Connection, target: str) -> str | None:
        """What the server is instead of `target`, or None."""
        try:
            async with asyncio.timeout(self._settings.connect_timeout):
                found = (await sent(connection.fetch(_ROLE, []))).result()[0]
        except (TimeoutError, psqlpy.Error) as error:
            close(connection)
            raise DatabaseConnectionError(f"the server's role cannot be had: {error}") from error
        except BaseException:
            close(connection)
            raise
        standby, read_only = found["standby"], found["read_only"] or found["standby"]
        fits = {
            "read-write": not read_only,
            "read-only": read_only,
            "primary": not standby,
            "standby": standby,
            "prefer-standby": standby,
        }
        if fits[target]:
            return None
        return "a standby" if standby else "read-only" if read_only else "a primary"

    def _failure(
        self, target: str, failures: list[DatabaseConnectionError]
    ) -> DatabaseConnectionError:
        if len(self._settings.hosts) == 1 and target == "any":
            return failures[0]
        wanted = "" if target == "any" else f" that is {target!r} ('target_session_attrs')"
        said = "; ".join(str(failure) for failure in failures)
        all_silent = all(isinstance(failure, ConnectionTimeoutError) for failure in failures)
        kind = ConnectionTimeoutError if all_silent else DatabaseConnectionError
        return kind(f"no host{wanted} can be reached: {said}")


def connection_error(host: Host | str, error: Exception) -> DatabaseConnectionError:
    """What a failure to connect is for whoever asked for a session."""
    text = str(error).removeprefix(_PREFIX)
    kind = DatabaseConnectionError
    if any(refusal in text for refusal in _REFUSED):
        kind = PermissionDeniedError
    return kind(f"cannot connect to {host}: {text}")
