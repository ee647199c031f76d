"""P12: a value alone, such as a document, an array or a vector, is the one parameter."""

import pytest
from faults import NO_DOCUMENT
from harness import Breaks, promise
from sqlspec.exceptions import DataError, SQLSpecError

DOCUMENTS = [{"k": 7}, {"2024": 5}, {"2024": 5, "total": 9}, {"7": 1}, {"param_1": 5}, {}]
FORMS = ["$1", "?", "%s"]


async def first(stream):
    async with stream:
        return await anext(row["v"] async for row in stream)


@pytest.mark.parametrize("form", FORMS)
@promise("P12", stock=NO_DOCUMENT)
async def test_a_dict_alone_is_the_document_whatever_its_keys(adapter, session, form):
    await session.execute_script("CREATE TEMP TABLE docs (doc jsonb)")
    text = f"SELECT {form}::jsonb AS v"
    for document in DOCUMENTS:
        assert await session.select_value(text, document) == document
        assert await session.select_value(text, (document,)) == document
        assert await session.select_value(text, [document]) == document
        assert await first(session.select_stream(text, document)) == document
    await session.execute_many(f"INSERT INTO docs VALUES ({form})", DOCUMENTS)
    await session.execute_many(f"INSERT INTO docs VALUES ({form})", [(d,) for d in DOCUMENTS])
    stored = await session.select("SELECT doc FROM docs")
    assert [row["doc"] for row in stored] == DOCUMENTS * 2


@pytest.mark.parametrize("form", FORMS)
@promise("P12", stock=Breaks(SQLSpecError, "insufficient data left in message"))
async def test_a_list_alone_is_the_array_whatever_its_items(adapter, session, form):
    text = f"SELECT {form}::text[] AS v"
    for items in (["a"], ["a", "b"], [], ["{a}"], ["{a}", "b"], ["{}"], [None, "a"]):
        assert await session.select_value(text, items) == items
        assert await session.select_value(text, (items,)) == items
        assert await first(session.select_stream(text, items)) == items


@pytest.mark.parametrize("form", FORMS)
@promise("P12", stock=Breaks(SQLSpecError, "vector must have at least 1 dimension"))
async def test_a_list_alone_is_the_vector(adapter, session, form):
    for items in ([1], [1, 2, 3]):
        for given in (items, (items,), [items]):
            value = await session.select_value(f"SELECT {form}::vector AS v", given)
            assert value.tolist() == items


@promise("P12", stock=None)
async def test_a_list_in_a_list_is_the_row_as_in_sqlspec(adapter, session):
    text = "SELECT id FROM users WHERE id = ANY($1) ORDER BY id"
    for _ in (1, 2):
        assert await session.select(text, [[1, 2]]) == [{"id": 1}, {"id": 2}]


@pytest.mark.parametrize(("kind", "value"), [
    ("jsonb", [{"a": 1}, {"b": 2}]), ("jsonb", []), ("jsonb", ("a", "b")),
    ("int[]", [[1], [2]]), ("vector[]", [[1, 2], [3, 4]]), ("vector[]", [[1, 2]]),
    ("int", {"a": 1, "b": 2}),
])  # fmt: skip
@pytest.mark.parametrize("form", FORMS)
@promise(
    "P12",
    stock=(
        # It takes the value apart, and each kind fails in a way of its own, or not at all.
        Breaks(SQLSpecError),
        Breaks(pytest.fail.Exception, "DID NOT RAISE"),
    ),
)
async def test_what_may_mean_two_things_is_refused(adapter, session, form, kind, value):
    text = f"SELECT {form}::{kind} AS v"
    for _ in (1, 2):
        with pytest.raises(DataError, match=r"write \(value,\)"):
            await session.select_value(text, value)
        with pytest.raises(DataError, match=r"write \(value,\)"):
            await first(session.select_stream(text, value))


@promise("P12", stock=Breaks(AssertionError))
async def test_null_in_a_list_is_refused_for_an_array(adapter, session):
    assert await session.select_value("SELECT $1::int[] IS NULL", (None,)) is True
    refused = False
    try:
        await session.select_value("SELECT $1::int[] IS NULL", [None])
    except DataError:
        refused = True
    assert refused
