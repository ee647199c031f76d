"""Which INSERT of parameter sets is told as one statement, and how its values are packed."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psqlpy_adapter.arrays import array, column
from psqlpy_adapter.batch_insert import batch_insert
from psqlpy_adapter.types import Catalogue, PgType

INT4 = PgType(23, "pg_catalog", "int4", "b", "int4recv", 1007)
FLOAT8 = PgType(701, "pg_catalog", "float8", "b", "float8recv", 1022)
TEXT = PgType(25, "pg_catalog", "text", "b", "textrecv", 1009)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            "INSERT INTO t (a, b) VALUES ($1, $2)",
            "INSERT INTO t (a, b) SELECT batch.p1, batch.p2 FROM {} AS batch ",
        ),
        (
            "insert into s.t values (upper($2), $1::date) on conflict do nothing;",
            "insert into s.t SELECT upper(batch.p2), batch.p1::date FROM {} AS batch"
            "  on conflict do nothing",
        ),
        (
            'INSERT INTO "T" AS x (a, b) VALUES ($1, cast($2 AS numeric(9, 2))) RETURNING x.*',
            'INSERT INTO "T" AS x (a, b) SELECT batch.p1, cast(batch.p2 AS numeric(9, 2))'
            " FROM {} AS batch  RETURNING x.*",
        ),
    ],
)
def test_an_insert_of_one_row_is_told_as_one_of_many(statement, expected):
    insert = batch_insert(statement)
    arrays = (
        '(SELECT unnest($1::"pg_catalog"."int4"[]) AS p1, unnest($2::"pg_catalog"."text"[]) AS p2)'
    )
    assert insert is not None
    assert insert.sql([INT4, TEXT]) == expected.format(arrays)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO t (a) VALUES ($1), ($2)",
        "INSERT INTO t (a) VALUES ($2)",
        "INSERT INTO t (a) SELECT $1",
        "INSERT INTO t DEFAULT VALUES",
        "INSERT INTO t (a, b) VALUES ($1, DEFAULT)",
        "INSERT INTO t (a, b) VALUES ($1, 'text')",
        "INSERT INTO t (a) VALUES (f($1))",
        "INSERT INTO t (a) VALUES (s.lower($1))",
        "INSERT INTO t (a) VALUES (row($1, $2))",
        "INSERT INTO t (a) VALUES (($1, $2))",
        'INSERT INTO t (a) VALUES ("F"($1))',
        "INSERT INTO t (a, b) VALUES ($1, (SELECT max(b) FROM t))",
        "INSERT INTO t (a) VALUES ($1) RETURNING f(a)",
        "INSERT INTO t (a) VALUES ($1) ON CONFLICT (a) DO UPDATE SET b = $2",
        "INSERT INTO t (a) VALUES ($1) ON CONFLICT (a) DO UPDATE SET b = (SELECT count(*) FROM t)",
        "WITH x AS (SELECT 1) INSERT INTO t (a) VALUES ($1)",
        "UPDATE t SET a = $1",
        "INSERT INTO t (a) VALUES ($1",
        "",
    ],
)
def test_an_insert_that_may_mean_something_else_is_left_alone(statement):
    assert batch_insert(statement) is None


@given(st.lists(st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1))))
def test_a_column_of_numbers_is_packed_like_its_values(values):
    binary = Catalogue().binary(INT4)
    fields = [None if value is None else binary(value) for value in values]
    assert column(INT4, values, binary) == array(INT4, fields)


@given(st.lists(st.floats()))
def test_a_column_of_floats_is_packed_like_its_values(values):
    binary = Catalogue().binary(FLOAT8)
    packed = column(FLOAT8, values, binary)
    assert packed == array(FLOAT8, [struct.pack(">d", value) for value in values])


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))))
def test_a_column_of_texts_is_packed_like_its_values(values):
    binary = Catalogue().binary(TEXT)
    assert column(TEXT, values, binary) == array(TEXT, [value.encode() for value in values])
