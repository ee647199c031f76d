"""Connection strings: URLs and `key=value` lists, as libpq reads them.

psqlpy reads a connection string by itself and knows a part of libpq's keywords only (sslrootcert,
sslcert, client_encoding, keepalives_count are errors there), and gives no way to look into it.
Source: PostgreSQL manual 34.1.1. May be unnecessary when psqlpy knows all of libpq's keywords.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

from sqlspec.exceptions import ImproperConfigurationError

SCHEMES = ("postgresql://", "postgres://")
_PAIR = re.compile(
    r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*('(?:[^'\\]|\\.)*'|(?:[^\s'\\]|\\.)*)(?=\s|$)"
)
_PORT = re.compile(r"(?:(?P<host>\[[^\]]*\]|[^:\[\]]*))(?::(?P<port>[0-9]*))?")


def parse_dsn(dsn: str) -> dict[str, str]:
    """The keywords of a connection string, by libpq's names; never empty values.

    "host" and "port" are comma-separated where there are several hosts. Raises
    ImproperConfigurationError; its message never holds a password.
    """
    pairs = _parse_url(dsn) if dsn.startswith(SCHEMES) else _parse_pairs(dsn)
    return {key: value for key, value in pairs.items() if value != ""}


def format_dsn(keywords: Mapping[str, object]) -> str:
    """A `key=value` connection string; values are quoted, None is left out."""
    pairs = []
    for key, value in keywords.items():
        if value is not None:
            text = str(value).replace("\\", "\\\\").replace("'", "\\'")
            pairs.append(f"{key}='{text}'")
    return " ".join(pairs)


def _parse_pairs(dsn: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    position = 0
    text = dsn.rstrip()
    while position < len(text):
        found = _PAIR.match(text, position)
        if found is None:
            raise ImproperConfigurationError(
                "'dsn' is neither a URL that starts with postgresql:// nor a list of key=value "
                f"pairs: it cannot be read after {_known(pairs)}"
            )
        key, value = found.groups()
        if value.startswith("'"):
            value = value[1:-1]
        _add(pairs, key, re.sub(r"\\(.)", r"\1", value))
        position = found.end()
    return pairs


def _parse_url(dsn: str) -> dict[str, str]:
    rest = dsn.partition("://")[2]
    rest, _, query = rest.partition("?")
    authority, _, path = rest.partition("/")
    credentials, _, addresses = authority.rpartition("@")
    user, _, password = credentials.partition(":")
    pairs = {"user": _decoded(user), "password": _decoded(password), "dbname": _decoded(path)}
    hosts, ports = [], []
    for address in addresses.split(","):
        found = _PORT.fullmatch(address)
        if found is None:
            raise ImproperConfigurationError(
                "a host of 'dsn' cannot be read: it must be NAME, NAME:PORT or [IPV6]:PORT, with "
                "'@', ':', '/' and ',' of user and password written as %40, %3A, %2F and %2C"
            )
        hosts.append(_decoded(found["host"]).strip("[]"))
        ports.append(found["port"] or "")
    pairs["host"] = ",".join(hosts).strip(",") if any(hosts) else ""
    pairs["port"] = ",".join(ports) if any(ports) else ""
    pairs = {key: value for key, value in pairs.items() if value != ""}
    for field in filter(None, query.split("&")):
        key, equals, value = field.partition("=")
        if not equals:
            raise ImproperConfigurationError(f"'dsn' has the key {_decoded(key)!r} without a value")
        _add(pairs, _decoded(key), _decoded(value))
    return pairs


def _decoded(text: str) -> str:
    """What percent-encoded text stands for."""
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError as error:
        raise ImproperConfigurationError(
            "'dsn' has percent-encoded bytes (%FF) that are not UTF-8"
        ) from error


def _add(pairs: dict[str, str], key: str, value: str) -> None:
    if key in pairs and pairs[key] != value:
        raise ImproperConfigurationError(f"'dsn' gives {key!r} twice, with different values")
    pairs[key] = value


def _known(pairs: Mapping[str, str]) -> str:
    return f"the key {list(pairs)[-1]!r}" if pairs else "its beginning"
