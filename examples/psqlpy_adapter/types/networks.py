"""Network addresses.

psqlpy drops an inet's prefix length and reads no cidr. Here inet is an IPv4/IPv6Address, or an
IPv4/IPv6Interface when its prefix is not the whole address; cidr is an IPv4/IPv6Network; macaddr
and macaddr8 are text in the server's own form.

Source: PostgreSQL manual 8.9; src/backend/utils/adt/network.c. May be unnecessary when psqlpy
(0.13.1) reads prefixes.
"""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Any

from psqlpy_adapter.types.pgtype import Binary, ServerParses, Unfit, expected

_FAMILY = {4: 2, 6: 3}
_ADDRESSES = (IPv4Address, IPv6Address)
_INTERFACES = (IPv4Interface, IPv6Interface)
_NETWORKS = (IPv4Network, IPv6Network)


def inet(value: Any) -> bytes:
    """Encode an address, with a prefix length if it is an interface or a network."""
    if isinstance(value, str):
        raise ServerParses(value)
    if isinstance(value, (*_INTERFACES, *_NETWORKS)):
        address = value.ip if isinstance(value, _INTERFACES) else value.network_address
        prefix = value.network.prefixlen if isinstance(value, _INTERFACES) else value.prefixlen
    elif isinstance(value, _ADDRESSES):
        address, prefix = value, value.max_prefixlen
    else:
        raise expected("an ipaddress object")
    if getattr(address, "scope_id", None):
        raise Unfit("PostgreSQL addresses have no scope")
    return bytes((_FAMILY[address.version], prefix, 0, len(address.packed))) + address.packed


def cidr(value: Any) -> bytes:
    """Encode a network, or an address as a network of one."""
    if isinstance(value, _INTERFACES):
        raise expected("an ip_network; an ip_interface may have bits right of its mask")
    encoded = inet(value)
    return encoded[:2] + b"\1" + encoded[3:]


def read_inet(data: bytes) -> Any:
    """Decode inet to an address, or to an interface when it has a prefix length."""
    address = ip_address(data[4:])
    return address if data[1] == address.max_prefixlen else ip_interface((data[4:], data[1]))


def read_cidr(data: bytes) -> Any:
    """Decode cidr to a network."""
    return ip_network((data[4:], data[1]))


def hardware(size: int) -> Binary:
    """Return the encoder of a hardware address of `size` bytes, from its bytes (or its text)."""

    def binary(value: Any) -> bytes:
        if isinstance(value, str):
            raise ServerParses(value)
        if isinstance(value, (bytes, bytearray)) and len(value) == size:
            return bytes(value)
        raise expected(f"its text or {size} bytes")

    return binary


def read_hardware(data: bytes) -> str:
    """Decode a hardware address to the server's text form (08:00:2b:01:02:03)."""
    return data.hex(":")
