"""Built-in types of the PostgreSQL manual's chapter 8: numbers, texts, times and the like."""

from __future__ import annotations

import datetime as dt
import enum
import ipaddress
import math
from decimal import Decimal

import numpy as np
from psqlpy_adapter.types import Interval
from types_cases import INF, UTC, UUID_1, Case, same


class Mood(enum.Enum):
    SAD = "sad"
    OK = "ok"


class Size(enum.Enum):
    sad = 1


BIG = Decimal("-123456789012345678901234567890123456789.000000000000000000000000000000000123")
SCALARS = [
    # 8.1
    same("int2", -32768, "-32768"),
    same("int4", 2147483647, "2147483647"),
    same("int8", -(2**63), "-9223372036854775808"),
    Case("int4", True, 1, "1"),
    Case("int4", np.int64(7), 7, "7"),
    Case("int4", "42", 42, "42"),
    Case("int4", " 0x1F ", 31, "31"),
    same("numeric", BIG, str(BIG)),
    same("numeric", Decimal("1.10"), "1.10"),
    same("numeric", Decimal("0.00012300"), "0.00012300"),
    same("numeric", Decimal(0), "0"),
    same("numeric", Decimal("Infinity"), "Infinity"),
    same("numeric", Decimal("-Infinity"), "-Infinity"),
    Case("numeric", 5, Decimal(5), "5"),
    Case("numeric", 10**40, Decimal(10**40), str(10**40)),
    Case("numeric", 0.1, Decimal("0.1"), "0.1"),
    Case("numeric", Decimal("1E+5"), Decimal(100000), "100000"),
    Case("numeric(6,2)", 1.5, Decimal("1.50"), "1.50"),
    Case("numeric", "1e-5", Decimal("0.00001"), "0.00001"),
    same("float8", 1e300, "1e+300"),
    same("float8", -INF, "-Infinity"),
    Case("float8", 3, 3.0, "3"),
    Case("float8", Decimal("2.5"), 2.5, "2.5"),
    Case("float8", np.float32(0.5), 0.5, "0.5"),
    Case("float8", "NaN", math.nan, "NaN"),
    same("float4", 0.5, "0.5"),
    # 8.2
    same("money", Decimal("12.10"), "$12.10"),
    Case("money", "$1,000.50", Decimal("1000.50"), "$1,000.50"),
    # 8.3
    same("text", "x' \\ \" \n ü 🐘", "x' \\ \" \n ü 🐘"),
    same("varchar(5)", "abc", "abc"),
    Case("char(5)", "abc", "abc  ", "abc"),
    same("name", "a", "a"),
    same('"char"', "a", "a"),
    same("citext", "aBc", "aBc"),
    Case("text", UUID_1, str(UUID_1), str(UUID_1)),
    Case("text", Mood.SAD, "sad", "sad"),
    # 8.4
    same("bytea", b"\x00\xff'", "\\x00ff27"),
    Case("bytea", bytearray(b"a"), b"a", "\\x61"),
    Case("bytea", "\\xdead", b"\xde\xad", "\\xdead"),
    # 8.5
    same("date", dt.date(2024, 2, 29), "2024-02-29"),
    same("date", dt.date.max, "9999-12-31"),
    same("date", INF, "infinity"),
    Case("date", "-infinity", -INF, "-infinity"),
    Case("date", dt.datetime(2020, 1, 2, 3), dt.date(2020, 1, 2), "2020-01-02"),
    same("time", dt.time(23, 59, 59, 999999), "23:59:59.999999"),
    same("timetz", dt.time(1, 2, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30))),
         "01:02:00+05:30"),
    same("timestamp", dt.datetime(1, 1, 1), "0001-01-01 00:00:00"),
    same("timestamp", dt.datetime.max, "9999-12-31 23:59:59.999999"),
    same("timestamp", -INF, "-infinity"),
    Case("timestamp", dt.datetime(2020, 1, 1, 3, tzinfo=dt.timezone(dt.timedelta(hours=3))),
         dt.datetime(2020, 1, 1), "2020-01-01 00:00:00"),
    Case("timestamp", dt.date(2020, 1, 1), dt.datetime(2020, 1, 1), "2020-01-01 00:00:00"),
    Case("timestamp", np.datetime64("2020-01-01T10:00"), dt.datetime(2020, 1, 1, 10),
         "2020-01-01 10:00:00"),
    same("timestamptz", dt.datetime(2020, 1, 1, 12, tzinfo=UTC), "2020-01-01 07:00:00-05"),
    same("timestamptz", INF, "infinity"),
    Case("timestamptz", dt.datetime(2020, 1, 1, 12), dt.datetime(2020, 1, 1, 17, tzinfo=UTC),
         "2020-01-01 12:00:00-05"),
    Case("timestamptz", "2020-01-01 00:00 Europe/Berlin",
         dt.datetime(2019, 12, 31, 23, tzinfo=UTC), "2019-12-31 18:00:00-05"),
    same("interval", dt.timedelta(days=-3, seconds=5, microseconds=7), "-3 days +00:00:05.000007"),
    same("interval", Interval(14, -2, 3_000_000), "1 year 2 mons -2 days +00:00:03"),
    Case("interval", "1 mon", Interval(1), "1 mon"),
    Case("interval", "24 hours", dt.timedelta(days=1), "24:00:00"),
    # 8.6, 8.7
    same("bool", True, "true"),
    Case("bool", np.bool_(False), False, "false"),
    Case("bool", "yes", True, "true"),
    same("mood", "it's \"great\", isn't it", "it's \"great\", isn't it"),
    Case("mood", Mood.OK, "ok", "ok"),
    Case("mood", Size.sad, "sad", "sad"),
    same('"Odd schema"."Odd type"', "b", "b"),
    # 8.8
    same("point", (1.5, -2.0), "(1.5,-2)"),
    same("line", (1.0, 2.0, 3.0), "{1,2,3}"),
    same("lseg", [(1.0, 2.0), (3.0, 4.0)], "[(1,2),(3,4)]"),
    Case("box", ((1, 2), (3, 4)), ((3.0, 4.0), (1.0, 2.0)), "(3,4),(1,2)"),
    same("path", [(1.0, 2.0), (3.0, 4.0)], "[(1,2),(3,4)]"),
    same("path", ((1.0, 2.0), (3.0, 4.0)), "((1,2),(3,4))"),
    same("polygon", ((1.0, 2.0), (3.0, 4.0), (5.0, 6.0)), "((1,2),(3,4),(5,6))"),
    same("circle", ((1.0, 2.0), 3.0), "<(1,2),3>"),
    Case("circle", (1, 2, 3), ((1.0, 2.0), 3.0), "<(1,2),3>"),
    Case("point", "(1,2)", (1.0, 2.0), "(1,2)"),
    # 8.9
    same("inet", ipaddress.ip_address("10.1.2.3"), "10.1.2.3/32"),
    same("inet", ipaddress.ip_interface("10.1.2.3/8"), "10.1.2.3/8"),
    same("inet", ipaddress.ip_address("::1"), "::1/128"),
    same("cidr", ipaddress.ip_network("10.0.0.0/8"), "10.0.0.0/8"),
    Case("inet", "fe80::1/64", ipaddress.ip_interface("fe80::1/64"), "fe80::1/64"),
    same("macaddr", "08:00:2b:01:02:03", "08:00:2b:01:02:03"),
    Case("macaddr", "08-00-2B-01-02-03", "08:00:2b:01:02:03", "08:00:2b:01:02:03"),
    same("macaddr8", "08:00:2b:ff:fe:01:02:03", "08:00:2b:ff:fe:01:02:03"),
]  # fmt: skip
