"""Proofs of references/bulk-loading.md: unnest and execute_many."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from time import perf_counter
from typing import Any
from uuid import UUID

import psqlpy.extra_types
import pyarrow as pa
import pytest
from copy_tools import buffer
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyDriver
from sqlspec.exceptions import SQLSpecError, UniqueViolationError
from traffic_tools import overheard

INSERT = "INSERT INTO kept SELECT * FROM unnest($1::int[], $2::text[]) ON CONFLICT DO NOTHING"
COUNT = "SELECT count(*) FROM kept"


@pytest.fixture
async def kept(session: PsqlpyDriver) -> PsqlpyDriver:
    """A session with a temporary table of one row."""
    await session.execute_script(
        "CREATE TEMP TABLE kept (id int PRIMARY KEY, note text); INSERT INTO kept VALUES (1, 'a')"
    )
    return session


@proves(
    "One statement, one array a column.",
    "It obeys your transaction and reports the rows it wrote.",
    "With `RETURNING` you get the new ids:",
    "`zip(*rows, strict=True)` makes equal lengths from rows.",
)
async def test_unnest_inserts_arrays(dsn: str, kept: PsqlpyDriver) -> None:
    rows = [(1, "again"), (2, None), (3, "c")]
    columns = list(map(list, zip(*rows, strict=True)))
    assert columns == [[1, 2, 3], ["again", None, "c"]]
    await kept.begin()
    assert (await kept.execute(INSERT, *columns)).rows_affected == 2
    await kept.rollback()
    assert await kept.select_value(COUNT) == 1
    assert await kept.select(f"{INSERT} RETURNING id", *columns) == [{"id": 2}, {"id": 3}]
    async with overheard(dsn) as (session, wire):
        await session.execute("INSERT INTO products (name) SELECT * FROM unnest($1::text[])", ([],))
        assert sum("INSERT" in text for text in set(wire.texts())) <= 2
    with pytest.raises(ValueError, match="shorter"):
        list(zip(*[(1, "a"), (2,)], strict=True))


@proves("Arrays of different lengths are filled up with NULL, without an error.")
async def test_arrays_of_different_lengths(kept: PsqlpyDriver) -> None:
    assert (await kept.execute(INSERT, [5, 6, 7], ["five"])).rows_affected == 3
    found = await kept.select("SELECT note FROM kept WHERE id > 4 ORDER BY id")
    assert [row["note"] for row in found] == ["five", None, None]


@proves(
    "Pass final types: `{array}` for `float8[]`, `UUID` objects, `Decimal`, aware `datetime`s, "
    "`{vector}`s.",
    "Send JSON as text and cast it in the SELECT.",
    adapter="stock",
)
async def test_final_types(session: PsqlpyDriver, array: str, vector: str) -> None:
    types: Any = psqlpy.extra_types
    key, moment = UUID(int=1), datetime(2026, 1, 1, tzinfo=UTC)
    for kind, final, plain in (
        ("float8", getattr(types, array)([1.5, 2.5]), [1.5, 2.5]),
        ("uuid", [key, key], [str(key), str(key)]),
        ("numeric", [Decimal("1.5"), Decimal(2)], [1, 2]),
        ("timestamptz", [moment, moment], [moment.isoformat()] * 2),
        ("vector", [getattr(types, vector)([1.0, 2.0])], ["[1,2]"]),
    ):
        table = f"final_{kind}"
        await session.execute(f"CREATE TEMP TABLE {table} (value {kind})")
        insert = f"INSERT INTO {table} SELECT * FROM unnest($1::{kind}[])"
        for _ in range(2):
            await session.execute(insert, (final,))
        with pytest.raises(SQLSpecError):
            await session.execute(insert, (plain,))
        assert await session.select_value(f"SELECT count(*) FROM {table}") == 4 - 2 * (
            kind == "vector"
        )
    await session.execute("CREATE TEMP TABLE final_jsonb (value jsonb)")
    cast = "INSERT INTO final_jsonb SELECT t::jsonb FROM unnest($1::text[]) AS t"
    documents = [{"a": [1, 2.5]}, [1, 2.5], "text", None, True]
    for _ in range(2):
        await session.execute(cast, (list(map(json.dumps, documents)),))
    found = await session.select("SELECT value::text AS v FROM final_jsonb")
    assert [json.loads(row["v"]) for row in found] == documents * 2
    direct = "INSERT INTO final_jsonb SELECT * FROM unnest($1::jsonb[])"
    with pytest.raises(SQLSpecError):
        await session.execute(direct, (documents,))


@proves(
    "That count is the number of parameter rows, not of changed rows: nobody has the third "
    "address.",
    "Rows of `{word}` are dropped.",
    "If you need either, use unnest.",
    adapter="stock",
)
async def test_what_execute_many_reports(kept: PsqlpyDriver, word: str) -> None:
    nothing = await kept.execute_many(
        f"INSERT INTO kept VALUES ($1, $2) ON CONFLICT DO NOTHING {word} id",
        [(1, "again"), (2, "b"), (3, "c")],
    )
    assert (nothing.rows_affected, nothing.all()) == (3, [])
    assert await kept.select_value(COUNT) == 3
    found = await kept.execute(f"{INSERT} {word} id", [1, 4], ["again", "d"])
    assert (found.rows_affected, found.all()) == (1, [{"id": 4}])


@proves(
    "It is no multi-row INSERT: the server executes the statement once a row, all of them in "
    "{number} transaction of `{method}`'s own.",
    "So one bad row undoes the call.",
)
async def test_execute_many_runs_a_statement_for_each_row(
    session: PsqlpyDriver, number: int, method: str
) -> None:
    await session.execute_script("""
        CREATE TEMP TABLE logged (n int PRIMARY KEY);
        CREATE TEMP TABLE ran (transaction xid8);
        CREATE FUNCTION pg_temp.note_run() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO ran VALUES (pg_current_xact_id()); RETURN NULL; END $$;
        CREATE TRIGGER note AFTER INSERT ON logged
        FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.note_run();
    """)
    many, insert = getattr(session, method), "INSERT INTO logged VALUES ($1)"
    await many(insert, [(1,), (2,), (3,)])
    assert await session.select_one(
        "SELECT count(*) AS statements, count(DISTINCT transaction) AS transactions FROM ran"
    ) == {"statements": 3, "transactions": number}
    with pytest.raises(UniqueViolationError):
        await many(insert, [(4,), (1,), (5,)])
    assert await session.select_value("SELECT max(n) FROM logged") == 3


@proves(
    "Inside your transaction it commits that transaction, so nothing can be rolled back.",
    "Only a transaction of psqlpy's own stays open.",
    "Use `{way}` or COPY there: Transactions.",
    adapter="stock",
)
async def test_execute_many_in_a_transaction(kept: PsqlpyDriver, way: str) -> None:
    many = "INSERT INTO kept VALUES ($1, 'many')"
    await kept.begin()
    await kept.execute("INSERT INTO kept VALUES (2, 'before')")
    await kept.execute_many(many, [(3,)])
    await kept.rollback()
    assert await kept.select_value(COUNT) == 3

    transaction = kept.connection.transaction()
    await transaction.begin()
    await kept.execute_many(many, [(4,)])
    await transaction.rollback()
    assert await kept.select_value(COUNT) == 3

    await kept.begin()
    assert f"{way}(" in INSERT
    await kept.execute(INSERT, [5], ["unnest"])
    await kept.load_from_arrow("kept", pa.table({"id": [6]}))
    await kept.rollback()
    assert await kept.select_value(COUNT) == 3


@proves(
    "Sending one encoded buffer is the fastest, `{second}` in calls of {rows} rows comes next, and "
    "`{last}` is last; the times are in Performance.",
    adapter="stock",
)
async def test_the_order_of_the_ways(
    session: PsqlpyDriver, second: str, rows: int, last: str
) -> None:
    await session.execute("CREATE TEMP TABLE timed (name text)")
    encoded, table = buffer("x" * 20, rows), pa.table({"name": ["x" * 20] * rows})
    insert, sets = "INSERT INTO timed VALUES ($1)", [("x" * 20,)] * rows
    ways = {
        "buffer": lambda: session.connection.binary_copy_to_table(encoded, "timed"),
        "arrow": lambda: getattr(session, second)("timed", table),
        "many": lambda: getattr(session, last)(insert, sets),
    }
    best = dict.fromkeys(ways, float("inf"))
    # The first two are close: the fastest of many rounds tells them apart on a busy machine too.
    for name in (*("buffer", "arrow") * 12, "many"):
        start = perf_counter()
        await ways[name]()
        best[name] = min(best[name], perf_counter() - start)
    assert best["buffer"] < best["arrow"] < best["many"]
    assert rows == 5_000


@proves(
    "On the drop-in `{many}` obeys your transaction, counts and returns rows: many rows.",
    "Its `{load}` loads any size, and vectors: Arrow.",
    "With `dropin`, a session of the drop-in, one call loads any size:",
)
async def test_the_dropin(dropin: Any, many: str, load: str) -> None:
    await dropin.execute_script("CREATE TEMP TABLE many (id int, name text, e vector(3))")
    await dropin.begin()
    update = "INSERT INTO many (id) SELECT $1 WHERE $1 < 2 RETURNING id"
    done = await getattr(dropin, many)(update, [(1,), (2,)])
    assert (done.rows_affected, done.all()) == (1, [{"id": 1}])
    await dropin.rollback()
    assert await dropin.select_value("SELECT count(*) FROM many") == 0
    vectors = pa.array([[1, 2, 3]] * 5_000, pa.list_(pa.float32(), 3))
    large = pa.table({"name": ["x" * 1_000] * 5_000, "e": vectors})
    assert (await getattr(dropin, load)("many", large)).telemetry["rows_processed"] == 5_000
    found = "SELECT count(*) FROM many WHERE e = '[1,2,3]' AND length(name) = 1000"
    assert await dropin.select_value(found) == 5_000
