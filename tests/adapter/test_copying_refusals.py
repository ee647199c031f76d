"""Values and types of Arrow that a load refuses."""

from __future__ import annotations

import psqlpy_adapter
import pyarrow as pa
import pytest
from copying_cases import ID, TYPES, at, decimals, load
from harness import Adapter
from sqlspec.exceptions import DataError


@pytest.fixture
def adapter() -> Adapter:
    return Adapter("bundled", psqlpy_adapter)


@pytest.mark.parametrize(
    ("pg_type", "array", "reason"),
    [
        ("int2", pa.array([1, 40_000]), "out of the range of int2: 40000"),
        ("int8", pa.array([0, 2**63], pa.uint64()), "out of the range of int8"),
        ("int8", pa.array([0, 2.0**63]), "out of the range of int8"),
        ("int4", pa.array([0, 1.5]), "not a whole number: 1.5"),
        ("int4", pa.array([0, float("nan")]), "not a whole number"),
        ("int4", decimals(5, 2, "1", "1.5"), "not a whole number: 1.50"),
        ("int4", decimals(38, 0, "1", "9" * 30), "out of the range of int4"),
        ("float4", pa.array([0, 1e300]), "out of the range of float4"),
        ("text", pa.array(["a", "b\0c"]), "U+0000"),
        ("text", pa.array([b"a", b"\xff"]), "not UTF-8"),
        ("varchar(3)", pa.array(["abc", "abcd"]), "longer than 3 characters: abcd"),
        ("uuid", pa.array([str(ID), "nonsense"]), "not a UUID: nonsense"),
        ("uuid", pa.array([ID.bytes, b"short"]), "a UUID has 16 bytes"),
        ("date", pa.array([at(2020, 1, 1), at(2020, 1, 1, 1)]), "not at midnight"),
        ("varchar(3)", pa.array(["é" * 3, "é" * 4]), "longer than 3 characters"),
        ("vector(3)", pa.array([[1, 2, 3], [1, 2]]), "2 dimensions instead of 3"),
        ("vector", pa.array([[1], []]), "0 dimensions instead of 1 to 16,000"),
        ("vector(2)", pa.array([[1, 2], [1, None]]), "an element is NULL"),
        ("vector(2)", pa.array([[1, 2], [1, float("nan")]]), "element nan is not finite"),
        ("halfvec(2)", pa.array([[1, 2], [1, 70_000]]), "element 70000 is not finite in a halfvec"),
        ("int4[]", pa.array([[[1]], [[1], [2, 3]]]), "differ in length"),
        ("int4[]", pa.array([[[1]], [None]]), "NULL"),
        ("int2[]", pa.array([[1, 2, 3], [4, 40_000]]), "out of the range of int2: 40000"),
        ("jsonb", pa.array([1.0, float("nan")]), "JSON has no such number"),
        ("jsonb", pa.array(["{}", "{nonsense}"]), "Expecting property name"),
        ("timestamp", pa.array([0, 2**50], pa.timestamp("s")), "out of range: 1125899906842624"),
        ("timestamp", pa.array([0, -(2**62)], pa.timestamp("us")), "out of the range of timestamp"),
        ("timestamp", pa.array([0, -(2**63)], pa.timestamp("us")), "out of the range of timestamp"),
        ("timestamptz", pa.array([0, -(2**63)], pa.timestamp("s", "UTC")), "out of range"),
        ("interval", pa.array([0, -(2**63)], pa.duration("ms")), "out of range"),
        ("date", pa.array([0, -3_000_000], pa.date32()), "out of the range of date: -3000000"),
        ("date", pa.array([0, 2**62], pa.timestamp("s")), ""),
        ("inet", pa.array(["::1", "nonsense"]), "the server cannot read 'nonsense'"),
        ("int4", pa.array(["1", "one"]), "the server cannot read 'one'"),
        ("positive", pa.array(["1", "-1"]), "the server cannot read '-1'"),
    ],
    ids=str,
)
async def test_a_value_that_does_not_fit_is_refused_with_its_row(session, pg_type, array, reason):
    await session.execute_script(TYPES)
    with pytest.raises(DataError) as failure:
        await load(session, pg_type, array)
    message = str(failure.value)
    assert message.startswith(f'column "value", row 1: Arrow {array.type} cannot be loaded into')
    assert reason in message
    assert await session.select_value("SELECT count(*) FROM loaded") == 0


@pytest.mark.parametrize(
    ("pg_type", "array"),
    [
        ("int4", pa.array([True])),
        ("bool", pa.array([1])),
        ("int4", pa.array([b"1"])),
        ("bytea", pa.array([1])),
        ("text", pa.array([b"abcd"], pa.binary(4))),
        ("date", pa.array([1])),
        ("interval", pa.array([1])),
        ("mood", pa.array([1])),
        ("money", pa.array([1999])),
        ("int4[]", pa.array([1])),
        ("int4", pa.array([[1]])),
        ("vector(2)", pa.array([1.0])),
        ("pair", pa.array([{"a": 1}])),
        ("pair", pa.array([1])),
        ("uuid[]", pa.array([[1]])),
        ("jsonb", pa.array([b"{}"])),
        (
            "text",
            pa.UnionArray.from_dense(
                pa.array([0], pa.int8()), pa.array([0], pa.int32()), [pa.array([1])]
            ),
        ),
    ],
    ids=str,
)
async def test_a_type_that_does_not_go_into_another_is_refused(session, pg_type, array):
    await session.execute_script(TYPES)
    with pytest.raises(DataError, match=r'column "value": Arrow .* cannot be loaded into'):
        await load(session, pg_type, array)


@pytest.mark.parametrize(
    ("pg_type", "fits", "array", "sqlstate"),
    [
        ("bit(3)", "101", pa.array(["10110"]), "22026"),
        ("bit(3)", "101", pa.array(["1"]), "22026"),
        ("varbit(3)", "101", pa.array(["10110"]), "22001"),
        ("bit(3)[]", "{101}", pa.array([["10110"]]), "22026"),
        ("varchar(3)[]", "{abc}", pa.array(["{abcd}"]), "22001"),
        ("char(3)[]", "{abc}", pa.array(["{abcd}"]), "22001"),
        ("short_text", "abc", pa.array([1234]), None),  # refused before it is sent
        ("short_bits", "101", pa.array(["10110"]), "22001"),
        ("bits_inside", "(101)", pa.array([{"b": "10110"}]), "22026"),
        ("numeric(5,2)", "1.00", pa.array([123456.0]), "22003"),
    ],
    ids=str,
)
async def test_what_is_too_long_for_the_type_is_refused_and_never_cut(
    session, pg_type, fits, array, sqlstate
):
    await session.execute_script(
        "CREATE DOMAIN short_text AS varchar(3); CREATE DOMAIN short_bits AS varbit(3);"
        f"CREATE TYPE bits_inside AS (b bit(3)); CREATE TABLE loaded (id int8, value {pg_type})"
    )
    await session.load_from_arrow("loaded", pa.table({"id": [0], "value": [fits]}))
    with pytest.raises(DataError) as failure:
        await session.load_from_arrow("loaded", pa.table({"id": [1], "value": array}))
    assert getattr(failure.value, "sqlstate", None) == sqlstate
    rows = await session.select("SELECT value::text AS value FROM loaded")
    assert rows == [{"value": fits}]
