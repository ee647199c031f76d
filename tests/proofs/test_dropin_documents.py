"""Proofs of references/drop-in.md: JSON and vectors."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from decimal import Decimal
from typing import Any

import numpy as np
import pgvector
import pyarrow as pa
import pytest
from dropin_tools import opened
from proveskill import proves
from psqlpy_adapter.types import Json
from sqlspec.exceptions import DataError, SQLSpecError
from version_tools import has, versions_needed

KEY = uuid.uuid4()


@proves(
    "Any value is a document; `datetime`, `UUID` and `Decimal` may be inside it.",
    "A `str` that begins with `{{` or `[` and is JSON text is that document; "
    'any other is a JSON string, `"5"` and `"null"` too.',
    '`psqlpy_adapter.types.Json("[1]")` stores text as a string, '
    "`{cast}` any JSON text as what it says.",
)
async def test_any_value_is_a_document(cast: str, dropin) -> None:
    now = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    digits = "12345678901234567890.123456789"
    stored = {
        '{"a": [1, null]}': {"a": [1, None]}, '"x"': "x", "5": 5, "[0.5, 1]": [0.5, 1],
        "true": True, f'{{"at": "{now.isoformat()}"}}': {"at": now},
        f'{{"id": "{KEY}"}}': {"id": KEY}, f'{{"n": {digits}}}': {"n": Decimal(digits)},
        '{"b": 2}': '{"b":2}', "[2]": "[2]", '"[2"': "[2", '"5"': "5", '"null"': "null",
        '"[1]"': Json("[1]"),
    }  # fmt: skip
    for pg_type in ("jsonb", "json"):
        for document, value in stored.items():
            for _ in (1, 2):
                query = f"SELECT $1::{pg_type}::jsonb::text"
                assert await dropin.select_value(query, (value,)) == document
    for said in ("[1]", "5", "null", '"x"'):
        assert await dropin.select_value(f"SELECT ({cast})::text", said) == said


@proves("`{write}` and `{read}` are called.")
async def test_the_functions_of_the_config_are_called(write: str, read: str, dsn) -> None:
    features = {
        write: lambda value: json.dumps({"sent": value}),
        read: lambda text: {"read": json.loads(text)},
    }
    async with opened(dsn, features) as config, config.provide_session() as session:
        for _ in (1, 2):
            found = await session.select_value("SELECT $1::jsonb", {"a": 1})
            assert found == {"read": {"sent": {"a": 1}}}


@proves("In `{method}` a string is always JSON text.", "NaN is refused.")
async def test_a_string_of_a_load_is_json_text(method: str, dropin) -> None:
    await dropin.execute("CREATE TABLE documents (doc jsonb)")
    texts = ['"x"', "5", "null", '{"a": 1}']
    await getattr(dropin, method)("documents", pa.table({"doc": texts}))
    assert await dropin.select("SELECT doc::text FROM documents") == [{"doc": t} for t in texts]
    with pytest.raises(SQLSpecError):
        await getattr(dropin, method)("documents", pa.table({"doc": ["x"]}))
    for value in (float("nan"), {"n": float("nan")}, [float("inf")]):
        with pytest.raises(DataError):
            await dropin.execute("INSERT INTO documents VALUES ($1)", (value,))
    assert await dropin.select_value("SELECT count(*) FROM documents") == len(texts)


@proves(
    "Pass an ndarray, a list, a tuple or an object of {package} {version} or newer, with or "
    "without a cast."
)
async def test_vectors_in_every_form(package: str, version: str, dropin) -> None:
    assert version in versions_needed(package)
    forms: list[Any] = [np.array([0.5, 1, 2]), [0.5, 1, 2], (0.5, 1, 2)]
    if has(package, version):
        forms.append(pgvector.Vector([0.5, 1, 2]))
    else:
        assert not hasattr(pgvector, "Vector")
    await dropin.execute("CREATE TEMP TABLE given (v vector(3))")
    for form in forms:
        for cast in ("$1", "$1::vector"):
            for _ in (1, 2, 3):
                await dropin.execute(f"INSERT INTO given VALUES ({cast})", (form,))
    stored = await dropin.select_value("SELECT count(*) FROM given WHERE v = '[0.5,1,2]'")
    assert stored == 6 * len(forms)


@proves("A vector comes back as an {kind} of {number}.")
async def test_a_vector_comes_back_as_an_array(kind: str, number: str, dropin) -> None:
    found = await dropin.select_value("SELECT '[0.5,1,2]'::vector")
    assert (type(found).__name__, found.dtype.name) == (kind, number)
    assert found.tolist() == [0.5, 1, 2]


@proves(
    "The extension may be created later, and stand in any schema; "
    "its operators need that schema on the `{setting}`."
)
async def test_the_extension_comes_later_and_elsewhere(setting: str, dsn) -> None:
    """In a transaction, so that the other tests keep the extension."""
    async with opened(dsn, max_db_pool_size=1) as config, config.provide_session() as session:
        await session.begin()
        for statement in ("DROP EXTENSION vector CASCADE", "CREATE SCHEMA other"):
            await session.execute(statement)
        assert await session.select_value("SELECT to_regtype('vector')") is None
        await session.execute("CREATE EXTENSION vector SCHEMA other")
        found = await session.select_value("SELECT $1::other.vector", [1, 2])
        assert found.tolist() == [1, 2]
        near = "SELECT v <=> $1 FROM (SELECT '[1,0]'::other.vector AS v) AS one"
        await session.create_savepoint("before")
        with pytest.raises(SQLSpecError, match="operator does not exist"):
            await session.select_value(near, [1, 0])
        await session.rollback_to_savepoint("before")
        await session.execute(f"SET LOCAL {setting} = public, other")
        assert await session.select_value(near, [1, 0]) == 0
        await session.rollback()
