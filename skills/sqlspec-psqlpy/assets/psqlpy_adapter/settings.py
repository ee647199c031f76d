"""Every key of `connection_config`: checked when the configuration is made, not at first use.

SQLSpec 0.69.0 documents keys that psqlpy 0.13.1 does not take (they fail with a TypeError when
the pool opens), enumerations as words (TypeError), and says nothing of contradictions (beside
`dsn`, psqlpy ignores host, port, user, password and database in silence). Here each key is
honoured, or refused at once with its name, what is allowed and what to do instead. Keys inside
of `dsn` are treated like keyword keys. May be unnecessary when SQLSpec checks them itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlspec.exceptions import ImproperConfigurationError

from psqlpy_adapter.dsn import parse_dsn
from psqlpy_adapter.hosts import Host, hosts_of
from psqlpy_adapter.keys import ALIASES, NANOSECONDS, checked
from psqlpy_adapter.tls import ENCRYPTED, TlsSettings, Way, tls_settings

DEFAULT_CONNECT_TIMEOUT = 30.0
DEFAULT_POOL_TIMEOUT = 30.0
DEFAULT_POOL_SIZE = 10
LOCATION = (
    "dsn", "host", "hosts", "hostaddr", "port", "ports", "username", "password", "db_name",
)  # fmt: skip
"""The keys that say where to connect and as whom."""


@dataclass(frozen=True)
class Keepalives:
    """TCP keepalives; `idle` and `interval` in seconds, None for the operating system's own."""

    enabled: bool = True
    idle: float | None = None
    interval: float | None = None
    retries: int | None = None


@dataclass(frozen=True)
class Settings:
    """The checked configuration. Times are seconds; None has no limit."""

    hosts: tuple[Host, ...] = (Host(),)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    database: str | None = None
    options: str | None = None
    application_name: str | None = None
    channel_binding: str | None = None
    target: str = "any"
    is_balanced: bool = False
    connect_timeout: float | None = DEFAULT_CONNECT_TIMEOUT
    tcp_user_timeout: float | None = None
    keepalives: Keepalives = Keepalives()
    tls: TlsSettings = field(default_factory=TlsSettings)
    max_size: int = DEFAULT_POOL_SIZE
    min_size: int = 0
    pool_timeout: float | None = DEFAULT_POOL_TIMEOUT
    statement_timeout: float | None = None
    recycling: str = "fast"


def read_settings(connection_config: Mapping[str, Any]) -> Settings:
    """The settings that a `connection_config` asks for. Raises ImproperConfigurationError."""
    values = checked(connection_config)
    if "dsn" in values:
        values = _merged(_from_dsn(values.pop("dsn")), values)
    return _settings(values)


def direct_location(
    connection_config: Mapping[str, Any], direct: str | Mapping[str, Any]
) -> dict[str, Any]:
    """The keys of a configuration for another place.

    SQLSpec puts the address of `direct_dsn` beside the old host keys, which contradict it. Here a
    connection string replaces every key of the place, a mapping those that it names.
    """
    named = {"dsn": direct} if isinstance(direct, str) else dict(direct)
    named = {ALIASES.get(key, key): value for key, value in named.items()}
    config = {ALIASES.get(key, key): value for key, value in connection_config.items()}
    if "dsn" in named:
        config = {key: value for key, value in config.items() if key not in LOCATION}
    elif "dsn" in config:
        config = {**_from_dsn(config.pop("dsn")), **config}
    for keys in (("host", "hosts", "hostaddr"), ("port", "ports")):
        if not named.keys().isdisjoint(keys):
            config = {key: value for key, value in config.items() if key not in keys}
    return {**config, **named}


def _from_dsn(dsn: str) -> dict[str, Any]:
    pairs = parse_dsn(dsn)
    values: dict[str, Any] = {}
    fallback = pairs.pop("fallback_application_name", None)
    for key in ("host", "port"):
        if "," in pairs.get(key, ""):
            listed = pairs.pop(key).split(",")
            blank = "localhost" if key == "host" else "5432"
            values[f"{key}s"] = [item or blank for item in listed]
    values |= pairs
    if fallback is not None:
        values.setdefault("application_name", fallback)
    return checked(values)


def _merged(from_dsn: Mapping[str, Any], keywords: Mapping[str, Any]) -> dict[str, Any]:
    single = {"host": "hosts", "port": "ports", "hosts": "host", "ports": "port"}
    for key, value in keywords.items():
        beside = from_dsn.get(key, from_dsn.get(single.get(key, "")))
        if beside is not None and beside != value:
            raise ImproperConfigurationError(
                f"{key!r} is given in 'dsn' and beside it, with different values; give it once"
            )
    return {**from_dsn, **keywords}


def _settings(values: Mapping[str, Any]) -> Settings:
    sizes = _sizes(values)
    tls = tls_settings(values)
    hosts = hosts_of(values)
    if tls.mode in ENCRYPTED and (local := [host for host in hosts if host.is_local]):
        raise ImproperConfigurationError(
            f"'ssl_mode' is {tls.mode!r} and the host {local[0].name!r} a Unix socket, which has "
            "no TLS"
        )
    binding = values.get("channel_binding")
    if binding == "require" and tls.way is not Way.NATIVE:
        raise ImproperConfigurationError(
            "'channel_binding' is 'require', which needs psqlpy's own TLS: ssl_mode='require' or "
            "'verify-full', without client certificate and 'sslcrl'"
        )
    recycling = values.get("conn_recycling_method", "fast")
    return Settings(
        hosts=hosts,
        username=values.get("username"),
        password=values.get("password"),
        database=values.get("db_name"),
        options=_options(values),
        application_name=values.get("application_name"),
        channel_binding=binding,
        target=values.get("target_session_attrs", "any"),
        is_balanced=values.get("load_balance_hosts") == "random",
        connect_timeout=_limit(values, "connect_timeout", DEFAULT_CONNECT_TIMEOUT),
        tcp_user_timeout=_limit(values, "tcp_user_timeout", None),
        keepalives=_keepalives(values),
        tls=tls,
        pool_timeout=values.get("pool_timeout_sec", DEFAULT_POOL_TIMEOUT) or None,
        statement_timeout=values.get("statement_timeout_sec") or None,
        recycling="clean" if recycling == "auto" else recycling,
        **sizes,
    )


def _sizes(values: Mapping[str, Any]) -> dict[str, int]:
    least = values.get("min_db_pool_size", 0)
    most = values.get("max_db_pool_size", max(DEFAULT_POOL_SIZE, least))
    if least > most:
        raise ImproperConfigurationError(
            f"'min_db_pool_size' is {least} and 'max_db_pool_size' {most}; it must not be larger"
        )
    return {"min_size": least, "max_size": most}


def _limit(values: Mapping[str, Any], name: str, default: float | None) -> float | None:
    whole, part = values.get(f"{name}_sec"), values.get(f"{name}_nanosec")
    if whole is None and part is not None:
        raise ImproperConfigurationError(f"'{name}_nanosec' is given without '{name}_sec'")
    if whole is None:
        return default
    # As in libpq, 0 is no limit.
    return whole + (part or 0) / NANOSECONDS or None


def _keepalives(values: Mapping[str, Any]) -> Keepalives:
    enabled = values.get("keepalives", True)
    given = [key for key in values if key.startswith("keepalives_")]
    if given and not enabled:
        raise ImproperConfigurationError(f"'keepalives' is False and {given[0]!r} is given")
    return Keepalives(
        enabled=enabled,
        idle=_whole("keepalives_idle", _limit(values, "keepalives_idle", None)),
        interval=_whole("keepalives_interval", _limit(values, "keepalives_interval", None)),
        retries=values.get("keepalives_retries"),
    )


def _whole(name: str, seconds: float | None) -> float | None:
    """Refuse less than a second, which the socket options of TCP cannot say."""
    if seconds is not None and seconds < 1:
        raise ImproperConfigurationError(
            f"'{name}_sec' and '{name}_nanosec' are {seconds:g} s; TCP takes 1 s or more"
        )
    return seconds


def _options(values: Mapping[str, Any]) -> str | None:
    options, limit = values.get("options"), values.get("statement_timeout_sec")
    if limit is None:
        return options
    if options is not None and "statement_timeout" in options:
        raise ImproperConfigurationError(
            "'statement_timeout_sec' is given, and statement_timeout in 'options' too; give it once"
        )
    # A limit of less than a millisecond must not become 0, which is none.
    milliseconds = max(round(limit * 1000), 1 if limit else 0)
    timeout = f"-c statement_timeout={milliseconds}"
    return timeout if options is None else f"{options} {timeout}"
