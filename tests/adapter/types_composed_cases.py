"""Built-in types of the PostgreSQL manual's chapter 8: bits, queries, arrays, rows, ranges."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pgvector
from psqlpy_adapter.types import Interval, Json, Range
from types_cases import INF, UTC, UUID_1, Case, read_of, same

COMPOSED = [
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
