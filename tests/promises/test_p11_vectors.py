"""P11: vectors are handled automatically, in every form, at every execution."""

import numpy as np
import pgvector
import pytest
from faults import AS_ROW, OTHER_FORMAT, PANICS, UNKNOWN
from harness import Breaks, promise
from sqlspec.exceptions import DataError, SQLSpecError

FORMS = {
    "ndarray of float64": np.array([1.0, 0.0, 0.0]),
    "ndarray of float32": np.array([1, 0, 0], np.float32),
    "ndarray of int": np.array([1, 0, 0]),
    "list": [1.0, 0.0, 0.0],
    "tuple": (1, 0, 0),
    "pgvector.Vector": pgvector.Vector([1, 0, 0]),
    "text": "[1,0,0]",
}
NEAREST = "SELECT id FROM embeddings ORDER BY vector <=> {} LIMIT 1"
NEAREST_ID = 1
INSERT = "INSERT INTO embeddings (id, label, vector) VALUES ($1, $2, {})"


BEYOND_STOCK = [
    (form, cast)
    for form in FORMS
    for cast in ("$3", "$3::vector")
    if (form, cast) not in (("list", "$3::vector"), ("tuple", "$3::vector"))
]


async def insert_three(session, form, cast):
    for number in (901, 902, 903):
        await session.execute(INSERT.format(cast), number, form, FORMS[form])
    text = "SELECT count(*) FROM embeddings WHERE id > 900 AND vector = '[1,0,0]'"
    assert await session.select_value(text) == 3


@pytest.mark.parametrize(("form", "cast"), BEYOND_STOCK)
@promise("P11", stock=(PANICS, UNKNOWN, *OTHER_FORMAT))
async def test_a_vector_goes_in_at_every_execution(adapter, session, form, cast):
    await insert_three(session, form, cast)


@pytest.mark.parametrize("form", ["list", "tuple"])
@promise("P11", stock=None)
async def test_a_list_with_a_cast_beside_other_parameters_goes_in(adapter, session, form):
    await insert_three(session, form, "$3::vector")


@pytest.mark.parametrize("cast", ["$1", "$1::vector"])
@pytest.mark.parametrize("form", FORMS)
@promise("P11", stock=(UNKNOWN, AS_ROW, *OTHER_FORMAT))
async def test_a_vector_alone_is_the_parameter_at_every_execution(adapter, session, form, cast):
    found = [await session.select_value(NEAREST.format(cast), FORMS[form]) for _ in range(3)]
    assert found == [NEAREST_ID] * 3


@promise("P11", stock=UNKNOWN)
async def test_a_vector_goes_in_by_name(adapter, session):
    for _ in range(3):
        found = await session.select_value(NEAREST.format(":query"), query=np.array([1.0, 0, 0]))
        assert found == NEAREST_ID


@promise("P11", stock=Breaks(AssertionError))
async def test_a_vector_comes_back_as_an_array_of_float32(adapter, session):
    for _ in (1, 2):
        vector = await session.select_value("SELECT '[1,2.5,-3]'::vector AS v")
        assert isinstance(vector, np.ndarray)
        assert vector.dtype == np.float32
        assert vector.tolist() == [1, 2.5, -3]


@promise("P11", stock=UNKNOWN)
async def test_halfvec_sparsevec_and_bit_go_in_and_come_back(adapter, session):
    await session.execute_script(
        "CREATE TEMP TABLE kinds (h halfvec(2), s sparsevec(4), b bit(3), list vector(2)[])"
    )
    sparse = pgvector.SparseVector({1: 2.0}, 4)
    for _ in (1, 2):
        await session.execute(
            "INSERT INTO kinds VALUES ($1, $2, $3, $4)", [0.5, 1], sparse, "101", [[1, 2], None]
        )
    for row in await session.select("SELECT * FROM kinds"):
        assert row["h"].dtype == np.float16
        assert row["h"].tolist() == [0.5, 1]
        assert row["s"].to_list() == [0, 2, 0, 0]
        assert row["b"] == "101"
        assert row["list"][0].tolist() == [1, 2]
        assert row["list"][1] is None


@pytest.mark.parametrize("wrong", [[1.0, float("nan"), 0.0], [1.0, 1e39, 0.0], ["a", "b", "c"], []])
@promise("P11", stock=(PANICS, Breaks(AssertionError, "Decimal")))
async def test_what_is_no_finite_vector_is_a_data_error_that_says_why(adapter, session, wrong):
    for _ in (1, 2):
        with pytest.raises(DataError, match=r"parameter \$3.*vector"):
            await session.execute(INSERT.format("$3"), 999, "wrong", wrong)


@promise("P11", stock=PANICS)
async def test_a_wrong_number_of_dimensions_is_an_error_with_both_numbers(adapter, session):
    for _ in (1, 2):
        with pytest.raises(SQLSpecError, match="expected 3 dimensions, not 2"):
            await session.execute(INSERT.format("$3"), 999, "wrong", [1, 2])


@promise("P11", stock=AS_ROW)
async def test_the_extension_may_be_in_any_schema(adapter, session):
    await session.execute_script(
        "DROP EXTENSION vector CASCADE; CREATE SCHEMA other; CREATE EXTENSION vector SCHEMA other"
    )
    for _ in (1, 2):
        assert await session.select_value("SELECT ($1::other.vector)::text AS v", [1, 2]) == "[1,2]"


@promise("P11", stock=Breaks(AssertionError, "list<item: double>"))
async def test_vectors_become_fixed_size_lists_of_floats_in_arrow(adapter, session):
    table = (await session.select_to_arrow("SELECT vector FROM embeddings")).data
    assert str(table.schema.field("vector").type) == "fixed_size_list<item: float>[3]"
    empty = (await session.select_to_arrow("SELECT vector FROM embeddings WHERE false")).data
    assert str(empty.schema.field("vector").type) == "list<item: float>"


HALF = {
    "ndarray of float16": np.array([0.5, 1], np.float16),
    "ndarray of float32": np.array([0.5, 1], np.float32),
    "ndarray of float64": np.array([0.5, 1]),
    "list": [0.5, 1],
    "tuple": (0.5, 1),
    "pgvector.HalfVector": pgvector.HalfVector([0.5, 1]),
    "pgvector.Vector": pgvector.Vector([0.5, 1]),
    "text": "[0.5,1]",
}
SPARSE = {
    "pgvector.SparseVector": pgvector.SparseVector({3: 1.5, 1: 2.0}, 4),
    "ndarray": np.array([0, 2.0, 0, 1.5]),
    "list": [0, 2, 0, 1.5],
    "tuple": (0, 2, 0, 1.5),
    "text": "{2:2,4:1.5}/4",
}
BITS = {
    "text": "101",
    "pgvector.Bit": pgvector.Bit("101"),
    "list": [True, False, True],
    "tuple": (True, False, True),
    "ndarray": np.array([True, False, True]),
}
KINDS = [
    *(("halfvec(2)", form, value, "[0.5,1]") for form, value in HALF.items()),
    *(("sparsevec(4)", form, value, "{2:2,4:1.5}/4") for form, value in SPARSE.items()),
    *(("bit(3)", form, value, "101") for form, value in BITS.items()),
]


@pytest.mark.parametrize("is_cast", [False, True], ids=["no cast", "cast"])
@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [(kind, value, text) for kind, _, value, text in KINDS],
    ids=[f"{kind}-{form}" for kind, form, _, _ in KINDS],
)
@promise("P11", stock=(PANICS, UNKNOWN, *OTHER_FORMAT))
async def test_the_other_kinds_go_in_in_every_form_at_every_execution(
    adapter, session, kind, value, text, is_cast
):
    await session.execute_script(f"CREATE TEMP TABLE kinds (id int, v {kind})")
    insert = f"INSERT INTO kinds VALUES ($1, $2{f'::{kind}' if is_cast else ''})"
    for number in range(3):
        await session.execute(insert, number, value)
    rows = await session.select("SELECT v::text AS v FROM kinds")
    assert [row["v"] for row in rows] == [text] * 3


SECOND = {
    "ndarray": np.array([0.0, 1.0, 0.0]),
    "list": [0.0, 1.0, 0.0],
    "tuple": (0, 1, 0),
    "pgvector.Vector": pgvector.Vector([0, 1, 0]),
}
"""The forms of the vector of the row "y"."""


@pytest.mark.parametrize("count", [3, 30])
@pytest.mark.parametrize("form", SECOND)
@promise("P11", stock=(PANICS, UNKNOWN))
async def test_a_vector_goes_in_by_execute_many(adapter, session, form, count):
    for start in (1000, 2000):
        sets = [(start + number, form, SECOND[form]) for number in range(count)]
        await session.execute_many(INSERT.format("$3"), sets)
    text = "SELECT count(*) FROM embeddings WHERE label = $1 AND vector = '[0,1,0]'"
    assert await session.select_value(text, form) == 2 * count


@pytest.mark.parametrize("form", SECOND)
@pytest.mark.parametrize("operator", ["<->", "<=>", "<#>", "<+>"])
@promise("P11", stock=(UNKNOWN, AS_ROW))
async def test_the_nearest_row_is_found_with_every_operator(adapter, session, form, operator):
    text = f"SELECT label FROM embeddings WHERE id < 5 ORDER BY vector {operator} $1, id LIMIT 1"
    for _ in range(3):
        assert await session.select_value(text, SECOND[form]) == "y"
        async with session.select_stream(text, SECOND[form]) as stream:
            assert [row["label"] async for row in stream] == ["y"]
