"""schema_type makes objects of rows on both adapters."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from decimal import Decimal
from typing import TypedDict
from uuid import UUID

import pytest

QUERY = "SELECT id, name FROM users ORDER BY id"


@dataclass
class UserRecord:
    id: int
    name: str


class UserDict(TypedDict):
    id: int
    name: str


async def test_select_makes_dataclasses(session):
    rows = await session.select(QUERY, schema_type=UserRecord)
    assert rows == [UserRecord(1, "Ada"), UserRecord(2, "Grace"), UserRecord(3, "Linus")]


async def test_select_makes_typed_dicts(session):
    assert (await session.select(QUERY, schema_type=UserDict))[0] == {"id": 1, "name": "Ada"}


async def test_select_makes_msgspec_structs(session):
    msgspec = pytest.importorskip("msgspec")
    User = msgspec.defstruct("User", [("id", int), ("name", str)])
    assert (await session.select(QUERY, schema_type=User))[0] == User(1, "Ada")


async def test_select_makes_pydantic_models(session):
    pydantic = pytest.importorskip("pydantic")
    User = pydantic.create_model("User", id=int, name=str)
    assert (await session.select(QUERY, schema_type=User))[0] == User(id=1, name="Ada")


async def test_select_makes_attrs_objects(session):
    pytest.importorskip("cattrs")
    attrs = pytest.importorskip("attrs")
    User = attrs.make_class("User", {"id": attrs.field(type=int), "name": attrs.field(type=str)})
    assert (await session.select(QUERY, schema_type=User))[0] == User(1, "Ada")


@pytest.mark.parametrize("method", ["select_one", "select_one_or_none"])
async def test_one_row_becomes_an_object(session, method):
    statement = "SELECT id, name FROM users WHERE id = $1"
    row = await getattr(session, method)(statement, 1, schema_type=UserRecord)
    assert row == UserRecord(1, "Ada")


async def test_no_row_stays_none(session):
    statement = "SELECT id, name FROM users WHERE id = $1"
    assert await session.select_one_or_none(statement, 99, schema_type=UserRecord) is None


async def test_the_rows_of_a_page_become_objects(session):
    rows, total = await session.select_with_total(f"{QUERY} LIMIT 1", schema_type=UserRecord)
    assert (rows, total) == ([UserRecord(1, "Ada")], 3)


async def test_the_rows_of_a_returning_clause_become_objects(session):
    result = await session.execute(
        "INSERT INTO users (name) VALUES ($1) RETURNING id, name", ("Edsger",)
    )
    assert result.get_data(schema_type=UserRecord) == [UserRecord(4, "Edsger")]
    assert result.get_first(schema_type=UserRecord) == UserRecord(4, "Edsger")


async def test_the_fields_hold_the_types_that_they_name(session):
    @dataclass
    class Account:
        id: UUID
        balance: Decimal
        opened: datetime.datetime
        tags: list[str]

    row = await session.select_one(
        "INSERT INTO accounts (owner, balance) VALUES ('Ada', 1.50) "
        "RETURNING id, balance, timestamptz '2024-01-01 00:00+00' AS opened, "
        "ARRAY['a'] AS tags",
        schema_type=Account,
    )
    assert UUID(str(row.id)).version == 4
    assert row.balance == Decimal("1.50")
    assert row.opened == datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    assert row.tags == ["a"]


async def test_select_value_checks_the_type_that_is_asked_for(session):
    assert await session.select_value("SELECT count(*) FROM users", value_type=int) == 3
