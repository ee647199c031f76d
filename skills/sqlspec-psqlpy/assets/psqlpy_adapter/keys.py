"""The keys of `connection_config`: their names, and the check of each value.

SQLSpec 0.69.0 documents these keys; psqlpy 0.13.1 takes two thirds of them. A key that cannot be
honoured has the reason here, which its user reads when the configuration is made.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

import psqlpy
from sqlspec.exceptions import ImproperConfigurationError

from psqlpy_adapter import words
from psqlpy_adapter.tls import SYSTEM

NANOSECONDS = 1_000_000_000

ALIASES = {
    "conninfo": "dsn",
    "url": "dsn",
    "connection_string": "dsn",
    "user": "username",
    "database": "db_name",
    "dbname": "db_name",
    "db": "db_name",
    "sslmode": "ssl_mode",
    "sslrootcert": "ca_file",
    "connect_timeout": "connect_timeout_sec",
    "tcp_user_timeout": "tcp_user_timeout_sec",
    "keepalives_idle": "keepalives_idle_sec",
    "keepalives_interval": "keepalives_interval_sec",
    "keepalives_count": "keepalives_retries",
}
"""Other names of keys: SQLSpec's, and libpq's in a connection string."""

_NO_GSS = "psqlpy has no GSSAPI; use a password or a client certificate"
_NANOSECONDS = words.integer(0, NANOSECONDS - 1)


def _ca_file(key: str, value: Any) -> str:
    return SYSTEM if value == SYSTEM else words.file(key, value)


def _list_of(check: words.Check, what: str) -> words.Check:
    def check_all(key: str, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or not value:
            raise words.refusal(key, value, f"a list of {what} that is not empty")
        return tuple(check(key, item) for item in value)

    return check_all


def _addresses(key: str, value: Any) -> tuple[str, ...]:
    """The IP addresses of a list, or of a string with commas, as libpq takes it."""
    items = value.split(",") if isinstance(value, str) else value
    if isinstance(items, list | tuple) and items:
        with contextlib.suppress(ValueError):
            # str() first: a number is an address for Python, too.
            return tuple(str(ip_address(str(item))) for item in items)
    raise words.refusal(key, value, "the IP address to connect to, or a list of one for each host")


def _encoding(key: str, value: Any) -> str:
    if str(value).lower().replace("-", "").replace("_", "") not in ("utf8", "unicode"):
        raise words.refusal(key, value, "'UTF8': psqlpy speaks nothing else")
    return "UTF8"


CHECKS: dict[str, words.Check] = {
    "dsn": words.text,
    "username": words.text,
    "password": words.text,
    "db_name": words.text,
    "host": words.text,
    "hosts": _list_of(words.text, "host names"),
    "hostaddr": _addresses,
    "port": words.integer(1, 65535),
    "ports": _list_of(words.integer(1, 65535), "ports"),
    "connect_timeout_sec": words.seconds(),
    "connect_timeout_nanosec": _NANOSECONDS,
    "tcp_user_timeout_sec": words.seconds(),
    "tcp_user_timeout_nanosec": _NANOSECONDS,
    "pool_timeout_sec": words.seconds(),
    "statement_timeout_sec": words.seconds(2_147_483),
    "keepalives": words.flag,
    "keepalives_idle_sec": words.seconds(),
    "keepalives_idle_nanosec": _NANOSECONDS,
    "keepalives_interval_sec": words.seconds(),
    "keepalives_interval_nanosec": _NANOSECONDS,
    "keepalives_retries": words.integer(1, 127),
    "ssl_mode": words.word(words.SSL_MODES, psqlpy.SslMode),
    "ca_file": _ca_file,
    "sslcert": words.file,
    "sslkey": words.file,
    "sslpassword": words.text,
    "sslcrl": words.file,
    "sslnegotiation": words.word(("postgres", "direct")),
    "sslcompression": words.only({"0": None, "false": None, "off": None}, "TLS has none any more"),
    "target_session_attrs": words.word(words.TARGETS, psqlpy.TargetSessionAttrs),
    "load_balance_hosts": words.word(words.BALANCING, psqlpy.LoadBalanceHosts),
    "options": words.text,
    "application_name": words.text,
    "client_encoding": _encoding,
    "channel_binding": words.word(("disable", "prefer", "require")),
    "gssencmode": words.only({"disable": None, "prefer": None}, _NO_GSS),
    "krbsrvname": words.refused(_NO_GSS),
    "gsslib": words.refused(_NO_GSS),
    "gssdelegation": words.only({"0": None, "false": None}, _NO_GSS),
    "require_auth": words.refused(
        "psqlpy answers whatever the server asks for; ssl_mode='verify-full' keeps the password "
        "from a false server, channel_binding='require' from one in the middle"
    ),
    "service": words.refused("psqlpy reads no service file; give its keys here"),
    "passfile": words.refused("psqlpy reads no password file; give 'password'"),
    "max_db_pool_size": words.integer(1, 10_000),
    "min_db_pool_size": words.integer(0, 10_000),
    "conn_recycling_method": words.word(words.RECYCLING, psqlpy.ConnRecyclingMethod),
    "max_cached_statement_lifetime": words.refused("it is asyncpg's; psqlpy has no such limit"),
    "configure": words.refused(
        "it is psycopg's; give driver_features={'on_connection_create': ...}"
    ),
}


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """The values in their normal form, by the names of CHECKS; None is as good as not given."""
    good: dict[str, Any] = {}
    names: dict[str, str] = {}
    for key, value in given.items():
        if value is None:
            continue
        name = ALIASES.get(key, key)
        check = CHECKS.get(name)
        if check is None:
            known = [*CHECKS, *ALIASES]
            raise ImproperConfigurationError(
                f"{key!r} is no key of connection_config{words.closest(key, known)} "
                f"(keys: {', '.join(sorted(CHECKS))})"
            )
        result = check(key, value)
        if name in names and good.get(name) != result:
            raise ImproperConfigurationError(
                f"{names[name]!r} and {key!r} are the same setting and have different values; "
                "give one of them"
            )
        names[name] = key
        if result is not None:
            good[name] = result
    return good
