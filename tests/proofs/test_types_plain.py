"""Proofs of references/types.md: integers, booleans, text and uuid."""

from __future__ import annotations

import enum
import random
from uuid import UUID

import pytest
from proveskill import proves
from sqlspec.exceptions import SQLSpecError
from types_tools import outcomes, refusal

KEY = UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
READABLE = UUID(bytes=b"sixteen of ascii")


@proves(
    "Pass the type that the column has: psqlpy does not parse a `str` and does not print a number.",
    "These `{first}` and `{second}` are no `SQLSpecError`: `except SQLSpecError` does not catch "
    "them.",
    adapter="stock",
)
async def test_a_value_of_another_type_is_refused_with_an_error_of_python(
    session, first: str, second: str
) -> None:
    await session.execute("CREATE TEMP TABLE plain (i int, t text, b boolean)")
    for _ in range(3):
        assert await refusal(session.execute("INSERT INTO plain VALUES (1, 'a', true)")) is None
        for column, value in [("i", "37"), ("t", 37), ("b", 1), ("b", "true")]:
            with pytest.raises(TypeError) as raised:
                await session.execute(f"INSERT INTO plain ({column}) VALUES ($1)", value)
            assert not isinstance(raised.value, SQLSpecError)
            assert type(raised.value).__name__ == first
        for value in (2**31, -(2**31) - 1):
            with pytest.raises(ArithmeticError) as raised:
                await session.execute("INSERT INTO plain (i) VALUES ($1)", value)
            assert not isinstance(raised.value, SQLSpecError)
            assert type(raised.value).__name__ == second


@proves("An enum column takes a `{a}` or an `{b}` member and gives a `{c}`.", adapter="stock")
async def test_an_enum_column(session, a: str, b: str, c: str) -> None:
    class Mood(enum.Enum):
        HAPPY = "happy"

    await session.execute("CREATE TYPE plain_mood AS ENUM ('happy')")
    await session.execute("CREATE TEMP TABLE moods (m plain_mood)")
    taken = {}
    for value in ("happy", Mood.HAPPY, 1, 0.5):
        runs = await outcomes(session, "INSERT INTO moods VALUES ($1)", value)
        taken[type(value).__mro__[-2].__name__] = runs
    assert [kind for kind, runs in taken.items() if all(runs)] == [a, b]
    rows = await session.select("SELECT m FROM moods")
    assert [row["m"] for row in rows] == ["happy"] * 6
    assert {type(row["m"]).__name__ for row in rows} == {c}


@proves(
    "Pass a `{given}`; a `uuid` column comes back as `{read}`.",
    "So what you read does not go back in.",
    "Convert it, or cast it twice.",
    adapter="stock",
)
async def test_a_uuid_that_was_read_must_be_converted(session, given: str, read: str) -> None:
    insert = "INSERT INTO accounts (id, owner) VALUES ($1, 'Test') RETURNING id"
    key = KEY
    stored = await session.select_value(insert, key)
    assert (type(key).__name__, type(stored).__name__) == (given, read)
    assert stored == str(key)
    find = "SELECT owner FROM accounts WHERE id = "
    try:
        for _ in range(3):
            with pytest.raises(SQLSpecError, match="incorrect binary data format"):
                await session.select(f"{find}$1", stored)
            assert await session.select_value(f"{find}$1", UUID(stored)) == "Test"
            assert await session.select_value(f"{find}$1::text::uuid", stored) == "Test"
    finally:
        await session.execute("DELETE FROM accounts WHERE id = $1", key)


@proves(
    "A `UUID` for a `text` column is sent as its {size} raw bytes.",
    "They are refused unless they are valid UTF-8; where they are, they are stored as that text, "
    "without an error.",
    "For an integer column it is refused.",
    adapter="stock",
)
async def test_a_uuid_for_a_text_column(session, size: int) -> None:
    await session.execute("CREATE TEMP TABLE notes (note text, number bigint)")
    insert = "INSERT INTO notes (note) VALUES ($1) RETURNING convert_to(note, 'UTF8')"
    chance = random.Random(1)
    two_bytes = UUID(bytes="ä1234567890123".encode() + b"x")
    keys = [READABLE, two_bytes, *(UUID(int=chance.getrandbits(128), version=4) for _ in "1234567")]
    for key in keys:
        try:
            is_text = "\0" not in key.bytes.decode()
        except UnicodeDecodeError:
            is_text = False
        assert is_text == (key in keys[:2])
        for _ in range(2):
            if is_text:
                assert await session.select_value(insert, key) == key.bytes
            else:
                with pytest.raises(SQLSpecError, match='invalid byte sequence for encoding "UTF8"'):
                    await session.execute(insert, key)
        with pytest.raises(SQLSpecError, match="incorrect binary data format"):
            await session.execute("INSERT INTO notes (number) VALUES ($1)", key)
    sizes = await session.select("SELECT DISTINCT octet_length(note) AS size FROM notes")
    assert sizes == [{"size": size}]
