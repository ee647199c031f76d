"""What of Arrow's types goes into which of PostgreSQL's: every row of the cases."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import numpy as np
import psqlpy_adapter
import pyarrow as pa
import pytest
from copying_cases import NULLS, NUMBERS, TEXTS, TIMES, TYPES, load
from copying_nested_cases import DOCUMENTS, NESTED, VECTORS
from harness import Adapter
from sqlspec.exceptions import DataError

TABLE = [*NUMBERS, *TEXTS, *TIMES, *NESTED, *VECTORS, *DOCUMENTS, *NULLS]
ELEMENTS = [*NUMBERS, *TEXTS, *TIMES, *VECTORS[:3], *DOCUMENTS[:2]]


@pytest.fixture
def adapter() -> Adapter:
    return Adapter("bundled", psqlpy_adapter)


@pytest.mark.parametrize(
    ("pg_type", "array", "texts"), TABLE, ids=[f"{name}-{array.type}" for name, array, _ in TABLE]
)
async def test_an_arrow_type_goes_into_a_postgresql_type(session, pg_type, array, texts):
    await session.execute_script(TYPES + "SET TIME ZONE 'Europe/Berlin'")
    assert await load(session, pg_type, array) == texts
    # The same from a slice, whose buffers begin before it and go on after it.
    middle = pa.concat_arrays([array, array, array]).slice(len(array), len(array))
    assert await load(session, pg_type, middle) == texts


@pytest.mark.parametrize(
    ("pg_type", "array", "texts"),
    ELEMENTS,
    ids=[f"{name}-{array.type}" for name, array, _ in ELEMENTS],
)
async def test_what_goes_into_a_type_goes_into_its_array(session, pg_type, array, texts):
    await session.execute_script(TYPES + "SET TIME ZONE 'Europe/Berlin'")
    lists = pa.ListArray.from_arrays(pa.array([0, 0, len(array), len(array)], pa.int32()), array)
    found = await load(session, f"{pg_type}[]", lists)
    assert (found[0], found[2]) == ("{}", "{}")
    rows = await session.select(
        "SELECT e::text AS e FROM loaded, unnest(value) WITH ORDINALITY AS u (e, n) ORDER BY n"
    )
    assert [row["e"] for row in rows] == texts
    assert await load(session, f"{pg_type}[]", lists.slice(0, 1)) == ["{}"]


@pytest.mark.filterwarnings("error")
async def test_half_floats_go_into_bigint_without_a_warning(session):
    assert await load(session, "int8", pa.array(np.array([2.0, -3.0], np.float16))) == ["2", "-3"]


async def test_decimals_in_vectors_are_the_nearest_numbers(session):
    lists = pa.array([[Decimal("43451.44963869245"), Decimal("0.1")]])
    (found,) = await load(session, "vector(2)", lists)
    expected = np.float32([43451.44963869245, 0.1]).tolist()
    assert np.float32(json.loads(found)).tolist() == expected


@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe", "Europe/Dublin"])
@pytest.mark.parametrize("unit", ["s", "us", "ns"])
async def test_times_after_2037_are_read_in_the_zone_of_the_session(session, zone, unit):
    await session.execute(f"SET timezone = '{zone}'")
    await session.execute("CREATE TABLE far (said text, at timestamptz, recorded timestamptz)")
    years = (2036, 2037, 2038, 2100, 2200)
    times = [dt.datetime(year, month, 3, 12, 30) for year in years for month in range(1, 13)]
    said = [str(time) for time in times]
    at = pa.array([None, *times], pa.timestamp(unit))
    await session.load_from_arrow("far", pa.table({"said": [None, *said], "at": at}))
    await session.load_from_records(
        "far", list(zip(said, times, strict=True)), columns=["said", "recorded"]
    )
    wrong = "SELECT said FROM far WHERE said::timestamptz <> coalesce(at, recorded)"
    assert await session.select(wrong) == []
    assert await session.select_value("SELECT count(coalesce(at, recorded)) FROM far") == 120


async def test_a_time_after_2037_that_the_clocks_leave_out_is_refused(session):
    await session.execute("SET timezone = 'Europe/Berlin'")
    with pytest.raises(DataError, match="2040-03-25 02:30:00 is left out in Europe/Berlin"):
        await load(session, "timestamptz", pa.array([dt.datetime(2040, 3, 25, 2, 30)]))
