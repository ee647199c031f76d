"""Proofs of references/types.md: interval, inet, money and float4."""

from __future__ import annotations

import struct
from datetime import timedelta
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface

import pytest
from proveskill import proves
from sqlspec.exceptions import SQLSpecError
from types_tools import outcomes

INET = "SELECT $1::inet::text"


@proves(
    "An interval comes back as a `{kind}`, in which a month is {month} days and a year {year}.",
    "Read it as text, or by field.",
    adapter="stock",
)
async def test_an_interval_of_months_is_read_in_days(
    session, kind: str, month: int, year: int
) -> None:
    for text, days in (("1 mon", month), ("5 mons", 5 * month), ("1 year", year)):
        found = await session.select_value(f"SELECT interval '{text}'")
        assert (type(found).__name__, found) == (kind, timedelta(days=days))
        assert await session.select_value(f"SELECT (interval '{text}')::text") == text
        field = text.split()[1].rstrip("s")
        sql = f"SELECT extract({field.replace('mon', 'month')} FROM interval '{text}')::int"
        assert await session.select_value(sql) == int(text.split()[0])


@proves(
    "`inet` loses its prefix length in both directions.",
    "An `{network}` or a `{text}` with a prefix is refused.",
    adapter="stock",
)
async def test_inet_loses_its_prefix_length(session, network: str, text: str) -> None:
    for interface, kind, whole in (
        (IPv4Interface("10.0.0.1/8"), IPv4Address, 32),
        (IPv6Interface("::1/64"), IPv6Address, 128),
    ):
        found = await session.select_value(f"SELECT '{interface}'::inet")
        assert (type(found), found) == (kind, interface.ip)
        assert await session.select_value(INET, interface) == f"{interface.ip}/{whole}"
    assert all(await outcomes(session, INET, "10.0.0.1"))
    refused = []
    for value in (IPv4Address("10.0.0.1"), IPv4Network("10.0.0.0/8"), "10.0.0.1/8"):
        if not any(await outcomes(session, INET, value)):
            refused.append(type(value).__name__)
    assert refused == [network, text]
    assert await session.select_value("SELECT $1::text::inet::text", "10.0.0.1/8") == "10.0.0.1/8"


@proves(
    "Cast `money` over `{over}`, both ways:",
    "Without the cast it is a number of {unit}:",
    adapter="stock",
)
async def test_money_is_a_number_of_cents_without_a_cast(session, over: str, unit: str) -> None:
    amount = Decimal("19.99")
    for _ in range(3):
        assert await session.select_value("SELECT $1::money::text", 1999) == "$19.99"
        assert await session.select_value("SELECT '19.99'::money") == 1999
        with pytest.raises(SQLSpecError, match="incorrect binary data format"):
            await session.select("SELECT $1::money::text", amount)
        assert await session.select_value(f"SELECT $1::{over}::money::text", amount) == "$19.99"
        assert await session.select_value(f"SELECT '19.99'::money::{over}") == amount
    assert amount * {"cents": 100}[unit] == 1999


@proves("`{kind}` comes back with the digits of its binary value.", adapter="stock")
async def test_a_float4_is_read_with_the_digits_of_its_binary_value(session, kind: str) -> None:
    (binary,) = struct.unpack("f", struct.pack("f", 0.1))
    found = {
        name: await session.select_value(f"SELECT 0.1::{name}") for name in ("float4", "float8")
    }
    assert [name for name, value in found.items() if value == binary] == [kind]
    assert binary != 0.1
    assert await session.select_value("SELECT 0.1::float4::text::float8") == 0.1
