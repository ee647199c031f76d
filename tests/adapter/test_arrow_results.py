"""Results as Arrow tables: what `select` gives, and what `load_from_arrow` takes back."""

from __future__ import annotations

import psqlpy_adapter
import pyarrow as pa
import pytest
from harness import Adapter
from sqlspec import SQL
from sqlspec.exceptions import DataError


@pytest.fixture
def adapter() -> Adapter:
    return Adapter("bundled", psqlpy_adapter)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 AS id, 'a' AS name, '2'::text AS id",
        "SELECT 1 AS x, 'a' AS x, '{1}'::int[] AS x",
        """SELECT 1 AS "A", 'x' AS a""",
        "SELECT 1 AS x, 2 AS x",
    ],
)
async def test_columns_of_one_name_are_those_of_select(session, sql):
    for statement in (sql, SQL(sql)):
        expected = await session.select(statement)
        assert (await session.select_to_arrow(statement)).get_data().to_pylist() == expected
        assert (await session.fetch_to_arrow(statement)).get_data().to_pylist() == expected


async def test_an_empty_result_has_the_types_of_columns_of_one_name(session):
    found = await session.select_to_arrow("SELECT 1 AS x, 'a'::text AS x WHERE false")
    assert found.get_data().schema == pa.schema([("x", pa.string())])


@pytest.mark.parametrize(
    ("pg_type", "texts"),
    [
        ("sparsevec(3)", ["{1:1,3:0.1}/3", "{}/3", None]),
        ("sparsevec(3)[]", ['{"{1:1,3:2.5}/3",NULL}', None]),
        ("int4multirange", ["{[1,2),[5,8)}", "{}", None]),
        ("int4multirange[]", ['{"{[1,2)}",NULL}', "{}"]),
        ("tstzmultirange", ['{["2024-01-01 00:00:00+00",)}']),
        ("datemultirange", ["{[2024-01-01,infinity)}"]),
        ("texts", ['["a,""b","c d\\\\")', "(,)", "empty"]),
        ("numrange", ["[1.10,2.5]"]),
        ("point", ["(1,2.5)"]),
        ("line", ["{1,2,3}"]),
        ("lseg", ["[(1,2),(3,4)]"]),
        ("path", ["[(1,2),(3,4)]", "((1,2))"]),
        ("polygon", ["((1,2))", "((1,2),(3,4),(5,6))"]),
        ("circle", ["<(1,2),3>"]),
        ("box", ["(3,4),(1,2)"]),
        ("hstore", ['"a"=>"1", "b\\""=>NULL']),
        ("tsquery", ["'a' & !'b'"]),
        ("timetz", ["01:02:00+03"]),
        ("bit(3)", ["101"]),
        ("inet", ["10.0.0.1/8"]),
    ],
    ids=str,
)
async def test_what_is_read_as_text_can_be_loaded_again(session, pg_type, texts):
    await session.execute_script(
        "CREATE EXTENSION hstore; CREATE TYPE texts AS RANGE (subtype = text);"
        f"CREATE TABLE there (id int, value {pg_type}); CREATE TABLE back (LIKE there)"
    )
    for number, text in enumerate(texts):
        await session.execute(f"INSERT INTO there VALUES ($1, $2::text::{pg_type})", number, text)
    found = await session.select_to_arrow("SELECT * FROM there ORDER BY id")
    await session.load_from_arrow("back", found)
    rows = await session.select("SELECT value::text AS value FROM back ORDER BY id")
    assert [row["value"] for row in rows] == texts


async def test_sparsevec_and_multiranges_are_in_the_servers_text_form(session):
    found = await session.select_to_arrow(
        "SELECT '{1:1,3:0.1}/3'::sparsevec AS s, '{[1,2),[5,8)}'::int4multirange AS m"
    )
    assert found.get_data().to_pylist() == [{"s": "{1:1,3:0.1}/3", "m": "{[1,2),[5,8)}"}]


async def test_arrays_of_different_dimensions_are_refused_by_column(session):
    with pytest.raises(DataError, match=r'column "a": .*different dimensions'):
        await session.select_to_arrow("SELECT * FROM (VALUES ('{1}'::int[]), ('{{1,2}}')) v (a)")


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (pa.schema([("g", pa.int64())]), "Failed to parse string"),
        (pa.schema([("h", pa.string())]), "names"),
        (pa.schema([("g", pa.list_(pa.int8()))]), "cast"),
    ],
    ids=str,
)
async def test_a_schema_that_does_not_fit_is_a_data_error_with_the_reason(session, schema, reason):
    with pytest.raises(DataError, match=f"does not fit arrow_schema: .*{reason}"):
        await session.select_to_arrow("SELECT 'a' AS g", arrow_schema=schema)
