"""Every built-in type of the PostgreSQL manual's chapter 8: what goes in, what comes back.

Each value is stored twice (the first and the second execution of one text), read back by another
text twice, and compared with what the server says it is as text.
"""

from __future__ import annotations

import datetime as dt
import enum
import ipaddress
import math
import uuid
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pgvector
import pytest
from psqlpy_adapter import PsqlpyConfig
from psqlpy_adapter.types import Interval, Json, Range
from sqlspec.exceptions import DataError

UTC = dt.UTC
INF = math.inf
UUID_1 = uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
SETUP = """
CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS hstore;
CREATE EXTENSION IF NOT EXISTS citext;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s "great", isn''t it');
CREATE DOMAIN age AS int CHECK (VALUE >= 0);
CREATE DOMAIN tags AS text[];
CREATE TYPE item AS (name text, price numeric, tags text[]);
CREATE TYPE pair AS (first item, second item);
CREATE TYPE float_range AS RANGE (subtype = float8);
CREATE SCHEMA "Odd schema";
CREATE TYPE "Odd schema"."Odd type" AS ENUM ('a', 'b');
CREATE TABLE animals (id int);
"""


class Mood(enum.Enum):
    SAD = "sad"
    OK = "ok"


class Size(enum.Enum):
    sad = 1


@dataclass(frozen=True)
class Case:
    """A value given for a column of a type: what is read back, and its text on the server."""

    type: str
    given: Any
    read: Any
    text: str

    def __str__(self) -> str:
        return f"{self.type}-{type(self.given).__name__}-{str(self.given)[:30]}"


def same(type_: str, value: Any, text: str) -> Case:
    return Case(type_, value, value, text)


def read_of(text_of: str, type_: str, read: Any) -> Case:
    """A string given for a type: the server reads it."""
    return Case(type_, text_of, read, text_of)


BIG = Decimal("-123456789012345678901234567890123456789.000000000000000000000000000000000123")
CASES = [
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
    # 8.10
    same("bit(3)", "101", "101"),
    same("varbit", "1011000011", "1011000011"),
    same("varbit", "", ""),
    Case("varbit", [True, False], "10", "10"),
    Case("bit(2)", pgvector.Bit("01"), "01", "01"),
    # 8.11
    Case("tsvector", "a:1A,3 'it''s':2B \"q\"", "'\"q\"' 'a':1A,3 'it''s':2B",
         "'\"q\"' 'a':1A,3 'it''s':2B"),
    *(read_of(query, "tsquery", query) for query in (
        "'a' & !'b' | 'c':*AB",
        "'a' & ( 'b' | 'c' )",
        "'a' <-> ( 'b' & 'c' ) <2> 'd'",
        "'a' <-> ( 'b' <-> 'c' )",
        "!( 'a' & 'b' )",
        "!!'a'",
    )),
    # 8.12, 8.13, 8.14
    same("uuid", UUID_1, str(UUID_1)),
    Case("uuid", "{A0EEBC999C0B4EF8BB6D6BB9BD380A11}", UUID_1, str(UUID_1)),
    same("jsonb", {"a": [1, 2.5, None, "x", {"b": True}]},
         '{"a": [1, 2.5, null, "x", {"b": true}]}'),
    same("jsonb", [1, 2], "[1, 2]"),
    same("jsonb", 5, "5"),
    same("jsonb", "text", '"text"'),
    same("jsonb", "null", '"null"'),
    same("jsonb", False, "false"),
    same("jsonb", 2**70, str(2**70)),
    Case("jsonb", '{"a": 1}', {"a": 1}, '{"a": 1}'),
    Case("jsonb", Json("[1]"), "[1]", '"[1]"'),
    Case("jsonb", {"at": dt.datetime(2020, 1, 1, tzinfo=UTC), "id": UUID_1, "n": Decimal("1.10")},
         {"at": "2020-01-01T00:00:00+00:00", "id": str(UUID_1), "n": 1.1},
         f'{{"n": 1.10, "at": "2020-01-01T00:00:00+00:00", "id": "{UUID_1}"}}'),
    same("json", {"a": 1}, '{"a": 1}'),
    Case("json", [np.float64(1.5)], [1.5], "[1.5]"),
    Case("jsonpath", '$."a"[*]?(@ > 2)', '$."a"[*]?(@ > 2)', '$."a"[*]?(@ > 2)'),
    # 8.15
    same("int4[]", [1, None, 3], "{1,NULL,3}"),
    same("int4[]", [[1, 2], [3, 4]], "{{1,2},{3,4}}"),
    same("int4[]", [], "{}"),
    Case("int8[]", np.array([1, 2]), [1, 2], "{1,2}"),
    Case("int4[]", ["1", "2"], [1, 2], "{1,2}"),
    same("float8[]", [1.5, None, INF], "{1.5,NULL,Infinity}"),
    Case("float4[]", (0.5, 2), [0.5, 2.0], "{0.5,2}"),
    same("text[]", ["a", None, "b,c", "", "NULL"], '{a,NULL,"b,c","","NULL"}'),
    Case("text[]", "{x,y}", ["x", "y"], "{x,y}"),
    same("uuid[]", [UUID_1, None], f"{{{UUID_1},NULL}}"),
    Case("date[]", ["2020-01-01", None], [dt.date(2020, 1, 1), None], "{2020-01-01,NULL}"),
    same("numeric[]", [Decimal("1.50"), Decimal("NaN")], "{1.50,NaN}"),
    same("jsonb[]", [{"a": 1}, [1], None], '{"{\\"a\\": 1}",[1],NULL}'),
    same("mood[]", ["sad", None, "ok"], "{sad,NULL,ok}"),
    same("bool[]", [True, None], "{t,NULL}"),
    same("point[]", [(1.0, 2.0), None], '{"(1,2)",NULL}'),
    same("bytea[]", [b"a", b""], '{"\\\\x61","\\\\x"}'),
    same("interval[]", [Interval(1), dt.timedelta(1)], '{"1 mon","1 day"}'),
    # 8.16
    same("item", {"name": "x", "price": Decimal("1.5"), "tags": ["a", None]}, '(x,1.5,"{a,NULL}")'),
    Case("item", ("x", 2, None), {"name": "x", "price": Decimal(2), "tags": None}, "(x,2,)"),
    same("pair", {"first": {"name": "x", "price": None, "tags": []}, "second": None},
         '("(x,,{})",)'),
    same("item[]", [{"name": "x", "price": None, "tags": None}], '{"(x,,)"}'),
    # 8.17
    same("int4range", Range(1, 5), "[1,5)"),
    Case("int4range", Range(1, 4, "[]"), Range(1, 5), "[1,5)"),
    same("int4range", Range(isempty=True), "empty"),
    same("int8range", Range(None, 5, "()"), "(,5)"),
    same("numrange", Range(Decimal("1.5"), None, "[)"), "[1.5,)"),
    same("daterange", Range(dt.date(2020, 1, 1), dt.date(2020, 2, 1)), "[2020-01-01,2020-02-01)"),
    same("tstzrange", Range(dt.datetime(2020, 1, 1, tzinfo=UTC), INF, "(]"),
         '("2019-12-31 19:00:00-05",infinity]'),
    same("float_range", Range(0.5, 1.5, "[]"), "[0.5,1.5]"),
    same("int4multirange", [Range(1, 3), Range(5, 7)], "{[1,3),[5,7)}"),
    same("int4multirange", [], "{}"),
    same("int4range[]", [Range(1, 3), None], '{"[1,3)",NULL}'),
    Case("int4range", "[1,5)", Range(1, 5), "[1,5)"),
    # 8.18
    same("age", 5, "5"),
    same("tags", ["a", None], "{a,NULL}"),
    same("age[]", [1, None], "{1,NULL}"),
    # 8.19, 8.20 and the system's own
    same("oid", 4294967295, "4294967295"),
    Case("regclass", "pg_class", 1259, "pg_class"),
    Case("regtype", 23, 23, "integer"),
    same("pg_lsn", "16/B374D848", "16/B374D848"),
    Case("pg_lsn", 255, "0/FF", "0/FF"),
    same("xid", 5, "5"),
    same("xid8", 2**63 + 1, str(2**63 + 1)),
    same("tid", "(7,1)", "(7,1)"),
    same("pg_snapshot", "10:20:10,14,15", "10:20:10,14,15"),
    Case("int2vector", "1 2 3", [1, 2, 3], "1 2 3"),
    same("hstore", {"a": "1", "b": None}, '"a"=>"1", "b"=>NULL'),
    # pgvector
    Case("vector(3)", [1, 2.5, -3], np.array([1, 2.5, -3], np.float32), "[1,2.5,-3]"),
    Case("vector", (1, 2), np.array([1, 2], np.float32), "[1,2]"),
    Case("vector", np.array([1, 2], np.float64), np.array([1, 2], np.float32), "[1,2]"),
    Case("vector", np.array([1, 2], np.int16), np.array([1, 2], np.float32), "[1,2]"),
    Case("vector", pgvector.Vector([1, 2]), np.array([1, 2], np.float32), "[1,2]"),
    Case("vector", "[1,2]", np.array([1, 2], np.float32), "[1,2]"),
    Case("halfvec(2)", [0.5, 1], np.array([0.5, 1], np.float16), "[0.5,1]"),
    Case("halfvec", np.array([0.5], np.float32), np.array([0.5], np.float16), "[0.5]"),
    same("sparsevec(5)", pgvector.SparseVector({1: 2.0, 4: -1.5}, 5), "{2:2,5:-1.5}/5"),
    Case("sparsevec", [0, 1, 0], pgvector.SparseVector({1: 1.0}, 3), "{2:1}/3"),
    same("sparsevec(5)", pgvector.SparseVector({}, 5), "{}/5"),
]  # fmt: skip


def alike(a: Any, b: Any) -> bool:
    """Equal in value and type; NaN equals NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(alike(a[key], b[key]) for key in a)
    if isinstance(a, Decimal):
        return str(a) == str(b)
    if isinstance(a, pgvector.SparseVector):
        return (
            a.dimensions() == b.dimensions()
            and a.indices() == b.indices()
            and (a.values() == b.values())
        )
    return a == b or (a != a and b != b)


@pytest.fixture(scope="module")
def types_dsn(servers):
    database = servers.create_database()
    yield database.url
    servers.drop_database(database)


@pytest.fixture
async def session(types_dsn):
    config = PsqlpyConfig(
        connection_config={
            "dsn": types_dsn,
            "max_db_pool_size": 2,
            "options": "-c timezone=EST5EDT",
        }
    )
    async with config.provide_session() as session:
        if not await session.select("SELECT 1 AS one FROM pg_type WHERE typname = 'mood'"):
            await session.execute_script(SETUP)
        yield session
    await config.close_pool()


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_value_comes_back_as_documented_and_is_right_on_the_server(session, case):
    await session.execute(f"CREATE TEMP TABLE kept (id int, value {case.type})")
    for number in (1, 2):
        result = await session.execute("INSERT INTO kept VALUES ($1, $2)", number, case.given)
        assert result.rows_affected == 1
    for _ in (1, 2):
        rows = await session.select("SELECT value, value::text AS text FROM kept ORDER BY id")
        assert len(rows) == 2
        for row in rows:
            assert alike(row["value"], case.read), row["value"]
            assert row["text"] == case.text


@pytest.mark.parametrize("case", [c for c in CASES if c.given is c.read], ids=str)
async def test_a_value_that_was_read_can_be_written_again(session, case):
    await session.execute(f"CREATE TEMP TABLE kept (value {case.type})")
    await session.execute("INSERT INTO kept VALUES ($1)", (case.read,))
    (row,) = await session.select("SELECT value FROM kept")
    await session.execute("INSERT INTO kept VALUES ($1)", (row["value"],))
    texts = await session.select("SELECT value::text AS text FROM kept")
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    "number",
    [
        Decimal("9" * 5_000),
        Decimal("-" + "12345" * 1_000 + "." + "67890" * 1_000),
        Decimal("0." + "0" * 6_000 + "1"),
        Decimal("1" + "0" * 6_000),
    ],
    ids=["whole", "both", "small", "round"],
)
async def test_a_numeric_of_thousands_of_digits_is_read_with_all_of_them(session, number):
    assert await session.select_value("SELECT $1::numeric", number) == number
    assert await session.select_value("SELECT $1::numeric::text", number) == f"{number:f}"


async def test_money_does_not_depend_on_the_programs_decimal_context(session):
    amount = Decimal("92233720368547758.07")
    with localcontext(prec=5):
        assert str(await session.select_value("SELECT $1::money", amount)) == str(amount)


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("money", Decimal("1e30")),
        ("money", Decimal("92233720368547758.08")),
        ("money", Decimal("1e-30")),
        ("int4", 10**5_000),
        ("hstore", {"a": "\ud800"}),
        ("jsonb", "\ud800"),
        ("varbit", [[True], [True, False]]),
    ],
    ids=["money", "money", "money", "int4", "hstore", "jsonb", "varbit"],
)
async def test_a_value_that_is_out_of_range_is_a_data_error(session, type_, value):
    with pytest.raises(DataError, match=f"cannot be a PostgreSQL {type_}: "):
        await session.select_value(f"SELECT $1::{type_}", (value,))
