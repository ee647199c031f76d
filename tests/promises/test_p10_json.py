"""P10: custom JSON functions are used, and documents hold what Python programs put into them."""

import datetime as dt
import json
import uuid
from decimal import Decimal

import pytest
from faults import NO_DOCUMENT
from harness import Breaks, promise
from sqlspec.exceptions import DataError

AT = dt.datetime(2024, 5, 6, 7, 8, 9, tzinfo=dt.UTC)
KEY = uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
NO_JSON = Breaks(DataError, "Cannot convert your type into Rust type")
INSERT = "INSERT INTO products (name, price, metadata) VALUES ($1, $2, $3)"
SELECT = "SELECT metadata FROM products WHERE name = $1 ORDER BY id DESC LIMIT 1"


async def stored(session, document):
    """Store a document twice (two executions) and return what comes back the second time."""
    for _ in (1, 2):
        await session.execute(INSERT, "doc", Decimal(1), document)
    await session.select_value(SELECT, "doc")
    return await session.select_value(SELECT, "doc")


BOTH = "SELECT $1::jsonb AS b, $2::json AS j"


async def twice(session, value):
    """A value as jsonb and as json comes back, at the first execution and at the second."""
    for _ in (1, 2):
        assert await session.select_one(BOTH, value, value) == {"b": value, "j": value}


@pytest.fixture
async def custom(adapter, dsn):
    """A session of a configuration with JSON functions that leave their marks."""
    config = adapter.config(
        connection_config={"dsn": dsn, "max_db_pool_size": 2},
        driver_features={
            "json_serializer": lambda value: json.dumps({"sent": value}),
            "json_deserializer": lambda text: {"read": json.loads(text)},
        },
    )
    async with config.provide_session() as session:
        await session.execute_script("CREATE TEMP TABLE docs (j json, b jsonb, l jsonb[])")
        yield session
    await config.close_pool()


@promise("P10", stock=Breaks(AssertionError))
async def test_the_custom_encoder_and_decoder_are_called(adapter, custom):
    assert await stored(custom, {"a": 1}) == {"read": {"sent": {"a": 1}}}


@promise("P10", stock=Breaks(AssertionError))
async def test_the_custom_functions_are_called_for_json_and_for_arrays_too(adapter, custom):
    for _ in (1, 2):
        await custom.execute("INSERT INTO docs VALUES ($1, $2, $3)", {"a": 1}, {"a": 2}, [{"a": 3}])
    one, two, three = ({"read": {"sent": {"a": n}}} for n in (1, 2, 3))
    for row in await custom.select("SELECT * FROM docs"):
        assert row == {"j": one, "b": two, "l": [three]}


@promise("P10", stock=Breaks(AssertionError))
async def test_the_custom_functions_are_called_in_batches_and_streams(adapter, custom):
    rows = [({"a": n},) for n in range(30)]
    await custom.execute_many("INSERT INTO docs (b) VALUES ($1)", rows)
    stream = custom.select_stream("SELECT b FROM docs ORDER BY (b->'sent'->>'a')::int")
    found = [row["b"] async for row in stream]
    assert found == [{"read": {"sent": {"a": n}}} for n in range(30)]


@promise("P10", stock=NO_JSON)
async def test_the_custom_encoder_may_encode_what_json_has_no_type_for(adapter, dsn):
    config = adapter.config(
        connection_config={"dsn": dsn, "max_db_pool_size": 2},
        driver_features={"json_serializer": lambda value: json.dumps(value, default=repr)},
    )
    try:
        async with config.provide_session() as session:
            assert await stored(session, {"at": dt.date(2024, 1, 2)}) == {
                "at": "datetime.date(2024, 1, 2)"
            }
    finally:
        await config.close_pool()


@promise("P10", stock=NO_JSON)
async def test_a_datetime_inside_a_document_is_stored(adapter, session):
    assert await stored(session, {"at": AT}) == {"at": AT.isoformat()}


@promise("P10", stock=NO_JSON)
async def test_a_uuid_inside_a_document_is_stored(adapter, session):
    assert await stored(session, {"id": KEY}) == {"id": str(KEY)}


@promise("P10", stock=Breaks(AssertionError))
async def test_a_decimal_inside_a_document_keeps_its_digits(adapter, session):
    digits = "12345678901234567890.123456789"
    await stored(session, {"n": Decimal(digits)})
    assert await session.select_value("SELECT metadata->>'n' AS n FROM products "
                                      "WHERE name = 'doc' LIMIT 1") == digits  # fmt: skip


@promise("P10", stock=Breaks(AssertionError))
async def test_an_integer_beyond_64_bits_comes_back_whole(adapter, session):
    assert await session.select_value("SELECT '{\"n\": 123456789012345678901}'::jsonb AS d") == {
        "n": 123456789012345678901
    }


@pytest.mark.parametrize("document", [{"v": 2**70}, [2**70]], ids=repr)
@promise("P10", stock=Breaks(OverflowError, "too large"))
async def test_an_integer_beyond_64_bits_is_stored_whole(adapter, session, document):
    await twice(session, document)


@promise("P10", stock=NO_DOCUMENT)
async def test_scalars_are_documents_too(adapter, session):
    for scalar in ("text", "", "null", "[1", 5, 0, -1.5, 2**70, True, False):
        await twice(session, scalar)


INSIDE = [None, [], {}, [None], [1, "a", {"b": []}], -0.5, "", "null", "é\u2028🐘\\\"", False,
          {"": {"": None}}, [[[]]]]  # fmt: skip


@pytest.mark.parametrize("value", INSIDE, ids=repr)
@promise("P10", stock=None)
async def test_what_is_inside_of_a_document_comes_back(adapter, session, value):
    await twice(session, {"v": value})
    await twice(session, [value])


@promise("P10", stock=None)
async def test_a_dict_of_plain_values_comes_back(adapter, session):
    document = {"tags": ["new", None], "rating": 4.5, "nested": {"a": [1, {"b": False}]}}
    assert await stored(session, document) == document


@promise("P10", stock=NO_DOCUMENT)
async def test_the_text_of_a_document_is_the_document(adapter, session):
    assert await stored(session, '{"a": [1, 2]}') == {"a": [1, 2]}


@promise("P10", stock=None)
async def test_what_cannot_be_encoded_is_a_data_error_before_anything_is_stored(adapter, session):
    with pytest.raises(DataError, match="object"):
        await session.execute(INSERT, "odd", Decimal(1), {"x": object()})
    assert await session.select_value("SELECT count(*) FROM products WHERE name = 'odd'") == 0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN")], ids=repr)
@promise("P10", stock=Breaks(pytest.fail.Exception, "DID NOT RAISE"))
async def test_what_json_has_no_number_for_is_refused_and_not_stored_as_null(
    adapter, session, value
):
    for _ in (1, 2):
        with pytest.raises(DataError):
            await session.execute(INSERT, "nan", Decimal(1), {"x": value})
    assert await session.select_value("SELECT count(*) FROM products WHERE name = 'nan'") == 0


@promise("P10", stock=None)
async def test_the_text_of_a_document_is_the_document_in_a_load_too(adapter, session):
    # Whether the text of a scalar is one or a string depends on the load: see P17 for Arrow's.
    texts = ['{"a": 1}', '[1, "b"]']
    for text in texts:
        await session.load_from_records("products", [{"name": "x", "metadata": text}])
    rows = await session.select(
        "SELECT metadata::text AS t FROM products WHERE name = 'x' ORDER BY id"
    )
    assert [row["t"] for row in rows] == texts
