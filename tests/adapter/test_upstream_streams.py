"""select_stream and select_to_arrow go on working as SQLSpec's on both adapters."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pytest
from sqlspec.exceptions import ImproperConfigurationError, SQLSpecError

NUMBERS = "SELECT i, 'row ' || i AS label FROM generate_series(1, 2500) AS i ORDER BY i"


@pytest.mark.parametrize("chunk_size", [1, 100, 1000, 5000])
async def test_a_stream_gives_every_row_in_order(session, chunk_size):
    count = 50 if chunk_size == 1 else 2500
    stream = session.select_stream(
        "SELECT i FROM generate_series(1, $1::int) AS i ORDER BY i", (count,), chunk_size=chunk_size
    )
    assert [row["i"] async for row in stream] == list(range(1, count + 1))


async def test_the_rows_of_a_stream_are_those_of_a_select(session):
    statement = "SELECT id, name, price, rating, tags, metadata FROM products ORDER BY id"
    async with session.select_stream(statement) as stream:
        assert [row async for row in stream] == await session.select(statement)


async def test_a_stream_is_native(session):
    async with session.select_stream("SELECT id FROM users ORDER BY id", native_only=True) as rows:
        assert [row["id"] async for row in rows] == [1, 2, 3]


async def test_a_stream_of_nothing_is_empty(session):
    async with session.select_stream("SELECT id FROM users WHERE id < 0") as stream:
        assert [row async for row in stream] == []


async def test_a_stream_that_is_left_early_leaves_the_session_usable(session):
    async with session.select_stream(NUMBERS, chunk_size=10) as stream:
        async for row in stream:
            if row["i"] == 15:
                break
    assert await session.select_value("SELECT count(*) FROM users") == 3


async def test_a_stream_that_is_closed_by_hand_leaves_the_session_usable(session):
    stream = session.select_stream(NUMBERS, chunk_size=10)
    assert (await anext(aiter(stream)))["i"] == 1
    await stream.aclose()
    assert await session.select_value("SELECT count(*) FROM users") == 3


async def test_a_stream_leaves_no_transaction_open(session, config):
    pid = await session.select_value("SELECT pg_backend_pid()")
    async with session.select_stream(NUMBERS, chunk_size=10) as stream:
        await anext(aiter(stream))
    async with config.provide_session() as watcher:
        state = await watcher.select_value("SELECT state FROM pg_stat_activity WHERE pid = $1", pid)
    assert state == "idle"


async def test_an_error_in_the_loop_over_a_stream_comes_out(session):
    async def loop() -> None:
        async with session.select_stream(NUMBERS, chunk_size=10) as stream:
            async for _ in stream:
                raise LookupError

    with pytest.raises(LookupError):
        await loop()
    assert await session.select_value("SELECT 1") == 1


async def test_a_stream_in_a_transaction_sees_its_rows_and_leaves_it_open(session):
    await session.begin()
    await session.execute("INSERT INTO users (name) VALUES ('new')")
    async with session.select_stream("SELECT name FROM users ORDER BY id", chunk_size=2) as stream:
        assert [row["name"] async for row in stream][-1] == "new"
    await session.rollback()
    assert await session.select_value("SELECT count(*) FROM users") == 3


async def test_a_stream_of_a_missing_table_fails_at_its_first_row(session):
    stream = session.select_stream("SELECT * FROM no_such_table")
    with pytest.raises(SQLSpecError):
        await anext(aiter(stream))
    assert await session.select_value("SELECT 1") == 1


async def test_an_error_of_the_server_in_the_middle_of_a_stream_comes_out(session):
    statement = "SELECT 1 / (50 - i) AS n FROM generate_series(1, 100) AS i"
    stream = session.select_stream(statement, chunk_size=10)
    rows = aiter(stream)
    assert (await anext(rows))["n"] == 0
    with pytest.raises(SQLSpecError, match="division by zero"):
        [_ async for _ in rows]
    assert await session.select_value("SELECT 1") == 1


@pytest.mark.parametrize(
    ("placeholder", "parameters"), [("?", (1,)), ("$1", (1,)), (":id", {"id": 1})]
)
async def test_a_stream_takes_parameters(session, placeholder, parameters):
    statement = f"SELECT name FROM users WHERE id > {placeholder} ORDER BY id"
    for _ in range(2):
        async with session.select_stream(statement, parameters) as stream:
            assert [row["name"] async for row in stream] == ["Grace", "Linus"]


async def test_a_stream_makes_objects_of_a_schema_type(session):
    @dataclass
    class User:
        id: int
        name: str

    async with session.select_stream(
        "SELECT id, name FROM users ORDER BY id", schema_type=User, chunk_size=2
    ) as stream:
        assert [row.name async for row in stream] == ["Ada", "Grace", "Linus"]


async def test_a_chunk_size_below_one_is_refused(session):
    with pytest.raises(ValueError, match="chunk_size"):
        session.select_stream("SELECT 1", chunk_size=0)


async def test_select_to_arrow_gives_a_table(session):
    result = await session.select_to_arrow("SELECT id, name FROM users ORDER BY id")
    assert isinstance(result.data, pa.Table)
    assert result.data.to_pylist() == await session.select("SELECT id, name FROM users ORDER BY id")
    assert (result.rows_affected, result.data.column_names) == (3, ["id", "name"])


async def test_select_to_arrow_gives_a_record_batch(session):
    result = await session.select_to_arrow(
        "SELECT id FROM users ORDER BY id", return_format="batch"
    )
    assert isinstance(result.data, pa.RecordBatch)
    assert result.data.to_pydict() == {"id": [1, 2, 3]}


async def test_select_to_arrow_gives_batches_of_the_size_asked_for(session):
    result = await session.select_to_arrow(
        "SELECT id FROM users ORDER BY id", return_format="batches", batch_size=2
    )
    assert [batch.to_pydict()["id"] for batch in result.data] == [[1, 2], [3]]


async def test_select_to_arrow_gives_a_reader(session):
    result = await session.select_to_arrow(
        "SELECT id FROM users ORDER BY id", return_format="reader", batch_size=2
    )
    assert isinstance(result.data, pa.RecordBatchReader)
    assert result.data.read_all().to_pydict() == {"id": [1, 2, 3]}


async def test_select_to_arrow_takes_parameters_and_keeps_nulls(session):
    await session.execute("INSERT INTO users (name) VALUES ('ageless')")
    result = await session.select_to_arrow("SELECT age FROM users WHERE id > ? ORDER BY id", (2,))
    assert result.data.to_pydict() == {"age": [17, None]}


async def test_select_to_arrow_casts_to_a_schema(session):
    schema = pa.schema([("id", pa.int16()), ("name", pa.large_string())])
    result = await session.select_to_arrow(
        "SELECT id, name FROM users ORDER BY id", arrow_schema=schema
    )
    assert result.data.schema.equals(schema)


async def test_select_to_arrow_of_no_row_has_no_row(session):
    result = await session.select_to_arrow("SELECT id FROM users WHERE id < $1", (0,))
    assert (result.data.num_rows, result.rows_affected) == (0, 0)


async def test_select_to_arrow_keeps_the_kinds_of_types(session):
    result = await session.select_to_arrow(
        "SELECT 1::int8 AS i, 1.5::float8 AS f, 'x'::text AS t, true AS b, "
        "timestamptz '2024-01-01 00:00+00' AS ts, ARRAY['a', 'b'] AS l"
    )
    kinds = {field.name: field.type for field in result.data.schema}
    assert kinds["i"] == pa.int64()
    assert kinds["f"] == pa.float64()
    assert pa.types.is_string(kinds["t"]) or pa.types.is_large_string(kinds["t"])
    assert kinds["b"] == pa.bool_()
    assert pa.types.is_timestamp(kinds["ts"])
    assert pa.types.is_list(kinds["l"])


async def test_select_to_arrow_of_a_vector_holds_its_numbers(session):
    result = await session.select_to_arrow("SELECT vector FROM embeddings ORDER BY id LIMIT 2")
    assert [list(v) for v in result.data.column("vector").to_pylist()] == [[1, 0, 0], [0, 1, 0]]


async def test_select_to_arrow_takes_many_rows(session):
    result = await session.select_to_arrow("SELECT i FROM generate_series(1, 5000) AS i")
    assert result.rows_affected == 5000
    assert sum(result.data.column("i").to_pylist()) == 5000 * 5001 // 2


async def test_native_only_arrow_is_refused_or_works(session):
    try:
        result = await session.select_to_arrow("SELECT id FROM users", native_only=True)
    except ImproperConfigurationError:
        return
    assert result.data.num_rows == 3
