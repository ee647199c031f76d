"""Proofs of references/types.md: what the drop-in makes of the same types."""

from __future__ import annotations

from decimal import Decimal
from ipaddress import ip_interface, ip_network
from uuid import UUID

import numpy as np
import pytest
from proveskill import proves
from psqlpy_adapter.types import Interval, Range
from types_tools import AWARE, NAIVE, SETUP

KEY = UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
VALUES = [
    ("smallint", -7), ("integer", 7), ("bigint", 2**40), ("float8", 0.1), ("float4", 0.5),
    ("numeric", Decimal("1E-7")), ("numeric", Decimal(2**96)), ("money", Decimal("19.99")),
    ("boolean", True), ("text", "a"), ("varchar", "a"), ("char(3)", "abc"), ("bytea", b"\x00"),
    ("uuid", KEY), ("date", NAIVE.date()), ("date", float("inf")), ("time", NAIVE.time()),
    ("timestamp", NAIVE), ("timestamptz", AWARE), ("interval", Interval(14)), ("json", {"a": 1}),
    ("jsonb", [0.5, None]), ("jsonb", 2**70), ("feeling", "sad"), ("feeling[]", ["sad", None]),
    ("int[]", [1, None]), ("text[]", ["a", None]), ("uuid[]", [KEY]), ("float8[]", [0.1]),
    ("float4[]", [0.5]), ("numeric[]", [Decimal("1.50")]), ("inet", ip_interface("10.0.0.1/8")),
    ("cidr", ip_network("10.0.0.0/8")), ("macaddr", "08:00:2b:01:02:03"), ("point", (1.5, 2.5)),
    ("int4range", Range(1, 5)), ("int4multirange", [Range(1, 5)]), ("bit(3)", "101"),
    ("varbit", "101"), ("timetz", AWARE.timetz()), ("tsvector", "'a'"), ("tsquery", "'a'"),
    ("jsonpath", '$."a"'), ("xid8", 1), ("regclass", 1259), ("pg_lsn", "0/1"), ("tid", "(0,1)"),
    ("pair", {"a": 1, "b": "x"}), ("polygon", ((0.0, 0.0), (1.0, 1.0))), ("hstore", {"a": "1"}),
    ("vector", np.array([1, 2.5], np.float32)), ("halfvec", np.array([1, 2.5], np.float16)),
]  # fmt: skip


@pytest.fixture
async def typed(dropin):
    if not await dropin.select("SELECT 1 AS one FROM pg_type WHERE typname = 'pair'"):
        await dropin.execute_script(f"{SETUP}; CREATE TYPE pair AS (a int, b text)")
    return dropin


@proves("On the drop-in every type of this file goes in and comes back.")
async def test_every_type_goes_into_the_dropin_and_comes_back(typed) -> None:
    columns = ", ".join(f"c{number} {kind}" for number, (kind, _) in enumerate(VALUES))
    marks = ", ".join(f"${number + 1}" for number in range(len(VALUES)))
    await typed.execute(f"CREATE TEMP TABLE everything ({columns})")
    for _ in range(3):
        values = [value for _, value in VALUES]
        await typed.execute(f"INSERT INTO everything VALUES ({marks})", *values)
        rows = await typed.select("SELECT * FROM everything")
    assert len(rows) == 3
    for row in rows:
        for (kind, value), found in zip(VALUES, row.values(), strict=True):
            assert type(found) is type(value), kind
            assert np.array_equal(found, value) if isinstance(value, np.ndarray) else found == value
