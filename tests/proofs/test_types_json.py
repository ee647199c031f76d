"""Proofs of references/types.md: JSON."""

from __future__ import annotations

import json
import math
from datetime import date
from time import time

import pyarrow as pa
import pytest
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import SQLSpecError
from types_tools import outcomes

INSERT = "INSERT INTO documents (j) VALUES ({}) RETURNING j"
ENCODED = INSERT.format("$1::text::jsonb")
DOCUMENT = {"tags": ["new"], "rating": 4.5, "stock": None}
REFUSED = [
    {"ms": 2**31}, {"a": [-(2**31) - 1]}, [0.5], ["a", 0.5], {"day": date(2026, 1, 2)}, {1: "one"},
    "text", 5, 5.5, True,
]  # fmt: skip


@pytest.fixture
async def documents(session):
    await session.execute("CREATE TEMP TABLE documents (j jsonb)")
    return session


@proves(
    "Pass a `{first}` or a `{second}`, without a cast.",
    "It comes back decoded.",
    "A lone dict or list goes into a tuple.",
    "Without it, a list or dict that is its first value is stored in its place, without an error.",
    adapter="stock",
)
async def test_a_dict_or_a_list_goes_in_without_a_cast(documents, first: str, second: str) -> None:
    taken = []
    sql = INSERT.format("$1")
    for value in (DOCUMENT, ["a", 1], {"a", 1}, "text", b"{}"):
        if await outcomes(documents, sql, (value,)) == [True] * 3:
            taken.append(type(value).__name__)
            assert await documents.select_value(sql, (value,)) == value
            beside = "INSERT INTO documents (j) SELECT $1 WHERE $2 = 1 RETURNING j"
            for _ in range(3):
                assert await documents.select_value(beside, value, 1) == value
    assert taken == [first, second]
    for value, wrong in ((DOCUMENT, ["new"]), ({"a": {}, "b": 1}, {}), ([{"a": 1}], {"a": 1})):
        assert await documents.select_value(sql, value) == wrong
    for value in ({"a": 1}, ["a", 1], [1]):
        with pytest.raises(SQLSpecError):
            await documents.execute(sql, value)


@proves(
    "It refuses large integers, a list with a float as the whole document, dates, keys that are "
    "no `str`, and a document that is a bare string or number:",
    "For all of these, encode to text yourself: next section.",
    "`$1::text::jsonb` takes the text of any JSON value, at every run.",
    adapter="stock",
)
async def test_what_psqlpy_refuses_goes_in_as_text(documents) -> None:
    for value in REFUSED:
        assert await outcomes(documents, INSERT.format("$1"), (value,)) == [False] * 3
        text = json.dumps(value, default=str)
        for _ in range(3):
            assert await documents.select_value(ENCODED, text) == json.loads(text)
    for value in (None, False, "", [], {}, [None, [1.5]], 2**63):
        assert await documents.select_value(ENCODED, json.dumps(value)) == value


@proves(
    "An integer in JSON must fit {bits} bits: a timestamp in {unit} does not.",
    "NaN and infinity in a dict become `{nothing}` without an error.",
    adapter="stock",
)
async def test_numbers_in_json(documents, bits: int, unit: str, nothing: str) -> None:
    sql = INSERT.format("$1")
    limit = 2 ** (bits - 1)
    for value in ({"n": limit - 1}, [-limit], {"n": int(time())}):
        assert await documents.select_value(sql, (value,)) == value
    for value in ({"n": limit}, [-limit - 1], {"n": int(time() * {"milliseconds": 1000}[unit])}):
        with pytest.raises(OverflowError):
            await documents.execute(sql, (value,))
    text = INSERT.format("$1") + "::text"
    for number in (math.nan, math.inf, -math.inf):
        assert await documents.select_value(text, ({"n": number},)) == f'{{"n": {nothing}}}'


@proves("`$1::jsonb` takes the text of an object or an array, and only {times}.", adapter="stock")
async def test_a_cast_to_jsonb_takes_text_once(documents, times: str) -> None:
    for number, value in enumerate(({"a": 1}, {}, [0.5], [])):
        sql = f"SELECT $1::jsonb AS v{number}"
        runs = await outcomes(documents, sql, json.dumps(value))
        assert runs.index(False) == ["never", "once", "twice"].index(times)
        assert not any(runs[1:])
    for number, value in enumerate(("a", 5, None, True)):
        sql = f"SELECT $1::jsonb AS w{number}"
        assert not any(await outcomes(documents, sql, json.dumps(value)))


@proves(
    "psqlpy encodes the value itself.",
    "`{encoder}` is not called for a dict or a list, and `{decoder}` is not called for what a "
    "SELECT reads.",
    "Only JSON text that `{method}` copies into a `json` or `jsonb` column goes through "
    "`{decoder_}`.",
    adapter="stock",
)
async def test_when_the_json_functions_are_called(
    dsn, encoder: str, decoder: str, method: str, decoder_: str
) -> None:
    called = []

    def noting(name, function):
        return lambda value: called.append(name) or function(value)

    config = PsqlpyConfig(
        connection_config={"dsn": dsn, "max_db_pool_size": 2},
        driver_features={
            "json_serializer": noting("json_serializer", json.dumps),
            "json_deserializer": noting("json_deserializer", json.loads),
        },
    )
    assert {encoder, decoder} == config.driver_features.keys() & {encoder, decoder, "json_loads"}
    async with config.provide_session() as session:
        await session.execute("CREATE TEMP TABLE texts (a json, b jsonb)")
        for value in ({"x": 1}, ["x"]):
            for cast in ("", "::jsonb"):
                sql = f"INSERT INTO texts (b) VALUES ($1{cast}) RETURNING b"
                assert [await session.select_value(sql, (value,)) for _ in "123"] == [value] * 3
        assert len(await session.select("SELECT a, b FROM texts")) == 12
        assert called == []
        for column in ("a", "b"):
            await getattr(session, method)("texts", pa.table({column: ['{"y": 2}']}))
        assert called == [decoder_] * 2
        assert decoder_ == decoder
        assert await session.select_value("SELECT count(*) FROM texts WHERE b->>'y' = '2'") == 1
    await config.close_pool()


@proves(
    "Fractions in JSON, and integers that do not fit {bits} bits, come back as `{kind}`, which "
    "keeps at most {digits} digits.",
    "Read the text to keep them all.",
    adapter="stock",
)
async def test_numbers_of_json_that_lose_digits(
    documents, bits: int, kind: str, digits: int
) -> None:
    async def read(number: str) -> object:
        (found,) = await documents.select_value(f"SELECT '[{number}]'::jsonb")
        text = await documents.select_value(f"SELECT '[{number}]'::jsonb::text")
        assert text == f"[{number}]"
        return found

    for number in (2**bits - 1, -(2 ** (bits - 1))):
        assert repr(await read(str(number))) == str(number)
    lost = [await read(n) for n in (str(2**bits), str(-(2 ** (bits - 1)) - 1), "0." + "12" * 15)]
    assert {type(number).__name__ for number in lost} == {kind}
    shown = [repr(number).partition("e")[0].lstrip("-0.").replace(".", "") for number in lost]
    assert max(map(len, shown)) == digits
