"""SQLSpec's methods that select go on working on both adapters."""

from __future__ import annotations

import pytest
from sqlspec.exceptions import MultipleResultsFoundError, NotFoundError


async def test_select_gives_a_list_of_dicts(session):
    assert await session.select("SELECT id, name FROM users ORDER BY id LIMIT 2") == [
        {"id": 1, "name": "Ada"},
        {"id": 2, "name": "Grace"},
    ]


async def test_select_one_gives_the_row(session):
    assert await session.select_one("SELECT name FROM users WHERE id = $1", 2) == {"name": "Grace"}


async def test_select_one_of_no_row_is_a_not_found_error(session):
    with pytest.raises(NotFoundError):
        await session.select_one("SELECT name FROM users WHERE id = $1", 99)


@pytest.mark.parametrize("method", ["select_one", "select_one_or_none"])
async def test_one_row_of_several_is_refused(session, method):
    with pytest.raises((MultipleResultsFoundError, ValueError), match=r"(?i)multiple|exactly one"):
        await getattr(session, method)("SELECT name FROM users")


async def test_select_one_or_none_of_no_row_is_none(session):
    assert await session.select_one_or_none("SELECT name FROM users WHERE id = $1", 99) is None


async def test_select_value_gives_the_value_of_the_only_column(session):
    assert await session.select_value("SELECT count(*) FROM users") == 3


async def test_select_value_of_no_row_is_a_not_found_error(session):
    with pytest.raises(NotFoundError):
        await session.select_value("SELECT id FROM users WHERE name = $1", "nobody")


async def test_select_value_or_none_of_no_row_is_none(session):
    value = await session.select_value_or_none("SELECT id FROM users WHERE name = $1", "nobody")
    assert value is None


@pytest.mark.parametrize(
    ("alias", "expected"),
    [
        ("fetch", [{"id": 1}]),
        ("fetch_one", {"id": 1}),
        ("fetch_one_or_none", {"id": 1}),
        ("fetch_value", 1),
        ("fetch_value_or_none", 1),
        ("fetch_with_total", ([{"id": 1}], 1)),
    ],
)
async def test_the_fetch_names_are_the_select_names(session, alias, expected):
    assert await getattr(session, alias)("SELECT id FROM users WHERE name = $1", "Ada") == expected


async def test_fetch_to_arrow_is_select_to_arrow(session):
    result = await session.fetch_to_arrow("SELECT id FROM users WHERE name = $1", "Ada")
    assert result.data.to_pylist() == [{"id": 1}]


async def test_fetch_stream_is_select_stream(session):
    async with session.fetch_stream("SELECT id FROM users ORDER BY id") as stream:
        assert [row["id"] async for row in stream] == [1, 2, 3]


@pytest.mark.parametrize("count_with_window", [False, True])
async def test_select_with_total_counts_the_rows_beyond_the_page(session, count_with_window):
    rows, total = await session.select_with_total(
        "SELECT name FROM users ORDER BY id LIMIT 2", count_with_window=count_with_window
    )
    assert ([row["name"] for row in rows], total) == (["Ada", "Grace"], 3)


async def test_select_with_total_counts_only_the_rows_that_match(session):
    rows, total = await session.select_with_total(
        "SELECT name FROM users WHERE age > $1 ORDER BY id LIMIT 1", 20
    )
    assert (rows, total) == ([{"name": "Ada"}], 2)
