"""Proofs of references/psqlpy-direct.md: rows, decoders, single rows."""

from __future__ import annotations

import struct

import psqlpy
import pytest
from proveskill import proves
from psqlpy.exceptions import RustToPyValueMappingError

USERS = "SELECT id, name FROM users ORDER BY id"


@proves("`{method}()` gives rows with access by name and by position:")
async def test_records_have_names_and_positions(session, method: str) -> None:
    records = getattr(await session.connection.fetch(USERS), method)()
    assert [(record["name"], record[1]) for record in records] == [
        (name, name) for name in ("Ada", "Grace", "Linus")
    ]
    assert [(record["id"], record[0]) for record in records] == [(1, 1), (2, 2), (3, 3)]
    assert (records[0].keys(), dict(records[0].items())) == (
        ["id", "name"],
        {"id": 1, "name": "Ada"},
    )


@proves("Two columns with one name collapse in a dict and fail in `{method}()`:")
async def test_columns_of_one_name(session, method: str) -> None:
    twice = await session.connection.fetch("SELECT 1 AS id, 2 AS id")
    assert twice.result() == [{"id": 2}]
    once = await session.connection.fetch("SELECT 1 AS id")
    for name in (method, "result"):
        assert len(getattr(once, name)()) == 1
    with pytest.raises(psqlpy.Error, match="Duplicate column name 'id'"):
        getattr(twice, method)()


@proves(
    "`{keyword}` maps a column name to a function of the raw bytes.",
    "Here a `{kind}`, which psqlpy cannot read:",
)
async def test_a_custom_decoder_reads_a_column(session, keyword: str, kind: str) -> None:
    seen = []

    def decode(data: bytes) -> tuple[float, ...]:
        seen.append(bytes(data))
        return struct.unpack_from("!2e", data, 4)

    answer = await session.connection.fetch("SELECT '[1,2]'::halfvec AS half, '[1,2]'::vector AS v")
    with pytest.raises(RustToPyValueMappingError, match=f"Cannot convert {kind} into"):
        answer.result()
    assert answer.result(**{keyword: {"half": decode}}) == [{"half": (1.0, 2.0), "v": [1.0, 2.0]}]
    assert seen == [struct.pack("!hh2e", 2, 0, 1.0, 2.0)]


@proves(
    "`{a}` and `{b}` want one row; none and several raise the same error:",
    'For "one or none" use `session.{c}` and `session.{d}`.',
)
async def test_one_row_and_no_other_number(session, a: str, b: str, c: str, d: str) -> None:
    one = "SELECT name FROM users WHERE id = $1"
    row = await getattr(session.connection, a)(one, [1])
    assert row.result() == {"name": "Ada"}
    assert await getattr(session.connection, b)(one, [1]) == "Ada"
    errors = set()
    for method in (a, b):
        for sql, values in ((one, [0]), (USERS, [])):
            with pytest.raises(psqlpy.Error, match="unexpected number of rows") as raised:
                await getattr(session.connection, method)(sql, values)
            errors.add((type(raised.value), str(raised.value)))
    assert len(errors) == 1
    assert await getattr(session, c)(one, 1) == {"name": "Ada"}
    assert await getattr(session, d)(one, 1) == "Ada"
    for method in (c, d):
        assert await getattr(session, method)(one, 0) is None
