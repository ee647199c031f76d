"""P10: custom JSON functions are used, and documents hold what Python programs put into them."""

import datetime as dt
import json
import uuid
from decimal import Decimal

import pytest
from harness import Breaks, promise
from sqlspec.exceptions import DataError

AT = dt.datetime(2024, 5, 6, 7, 8, 9, tzinfo=dt.UTC)
KEY = uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
INSERT = "INSERT INTO products (name, price, metadata) VALUES ($1, $2, $3)"
SELECT = "SELECT metadata FROM products WHERE name = $1 ORDER BY id DESC LIMIT 1"


async def stored(session, document):
    """Store a document twice (two executions) and return what comes back the second time."""
    for _ in (1, 2):
        await session.execute(INSERT, "doc", Decimal(1), document)
    await session.select_value(SELECT, "doc")
    return await session.select_value(SELECT, "doc")


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
        yield session
    await config.close_pool()


@promise("P10", stock=Breaks(AssertionError))
async def test_the_custom_encoder_and_decoder_are_called(adapter, custom):
    assert await stored(custom, {"a": 1}) == {"read": {"sent": {"a": 1}}}


@promise("P10", stock=Breaks(Exception))
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


@promise("P10", stock=Breaks(Exception))
async def test_a_datetime_inside_a_document_is_stored(adapter, session):
    assert await stored(session, {"at": AT}) == {"at": AT.isoformat()}


@promise("P10", stock=Breaks(Exception))
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


@promise("P10", stock=Breaks(Exception))
async def test_scalars_are_documents_too(adapter, session):
    for scalar in ("text", 5, 1.5, True):
        assert await stored(session, scalar) == scalar


@promise("P10", stock=None)
async def test_a_dict_of_plain_values_comes_back(adapter, session):
    document = {"tags": ["new", None], "rating": 4.5, "nested": {"a": [1, {"b": False}]}}
    assert await stored(session, document) == document


@promise("P10", stock=Breaks(Exception))
async def test_the_text_of_a_document_is_the_document(adapter, session):
    assert await stored(session, '{"a": [1, 2]}') == {"a": [1, 2]}


@promise("P10", stock=None)
async def test_what_cannot_be_encoded_is_a_data_error_before_anything_is_stored(adapter, session):
    with pytest.raises(DataError, match="object"):
        await session.execute(INSERT, "odd", Decimal(1), {"x": object()})
    assert await session.select_value("SELECT count(*) FROM products WHERE name = 'odd'") == 0
