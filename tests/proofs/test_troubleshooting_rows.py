"""Proofs of references/troubleshooting.md: how rows are lost without an error."""

from __future__ import annotations

import asyncio
import logging

import pyarrow as pa
from best_practices_tools import failure
from proveskill import proves
from psqlpy.extra_types import PgVector
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import SQLSpecError
from watching_tools import ask

ADD = "INSERT INTO kept (id, name) VALUES ($1, 'a')"
COUNT = "SELECT count(*) FROM kept"


@proves(
    "SQL that SQLSpec cannot parse runs, but its rows are lost: any two `$n` without white space "
    "between them, for one.",
    "The trace is the `{mark}` `'{word}'`; for such `$n` there is a log record too, at the first "
    "run on a config.",
    adapter="stock",
)
async def test_sql_that_cannot_be_parsed(kept, dsn, mark: str, word: str):
    records = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = records.append
    logger = logging.getLogger("sqlspec.core.compiler")
    logger.addHandler(handler)
    for number, pair in enumerate(("$1,$2", "$1::int,$2", "(abs($1)),$2")):
        sql = f"INSERT INTO kept VALUES ({pair}) RETURNING id"
        for run in (0, 1):
            result = await kept.execute(sql, 2 * number + run, "a")
            assert (result.all(), getattr(result, mark)) == ([], word)
            assert len(records) == number + 1
        right = await kept.execute(sql.replace(",", ", "), 10 + number, "a")
        assert (len(right.all()), getattr(right, mark) == word) == (1, False)
    assert ask(dsn, COUNT) == 9
    assert len((await kept.execute("SELECT 1_000 AS n")).all()) == 0
    assert len(records) == 3
    logger.removeHandler(handler)


@proves(
    "The other ways to lose rows without an error:",
    "no rows, no error; writes that are gone | Find the missing rows",
    "a `{begin}()` without `{commit}()` (Transactions)",
    "`{stream}` on a session with an open transaction, which it rolls back (Results)",
    adapter="stock",
    table="You see | Section",
)
async def test_writes_that_are_rolled_back(kept, config, dsn, begin: str, commit: str, stream: str):
    for ends in (False, True):
        async with config.provide_session() as session:
            await getattr(session, begin)()
            await session.execute(ADD, 1)
            assert ask(dsn, COUNT) == 0
            if ends:
                await getattr(session, commit)()
        assert ask(dsn, COUNT) == ends
    async with kept.transaction():
        await kept.execute(ADD, 2)
        async for _ in getattr(kept, stream)("SELECT id FROM users"):
            pass
    assert ask(dsn, COUNT) == 1


@proves(
    "`{method}` that shares its session with a statement that fails (Concurrency)", adapter="stock"
)
async def test_a_batch_beside_a_failure(kept, dsn, method: str):
    """A race: the failure must come between the BEGIN and the COMMIT of the batch."""
    add = "INSERT INTO kept SELECT $1, 'a' FROM pg_sleep(0.01)"

    async def fail_later():
        await asyncio.sleep(0.005)
        await kept.select("SELECT * FROM nowhere")

    for _ in range(100):
        await kept.execute("TRUNCATE kept")
        many = failure(getattr(kept, method)(add, [(1,), (2,)]))
        error, failed = await asyncio.gather(many, failure(fail_later()))
        assert failed is not None
        if error is None and ask(dsn, COUNT) == 0:
            break
    assert error is None
    assert ask(dsn, COUNT) == 0


FOUND = """
    CREATE TABLE found AS
    SELECT i AS id, ARRAY[cos(i), sin(i), i]::vector(3) AS vector
    FROM generate_series(1, 1000) AS i;
    CREATE INDEX found_l2 ON found USING hnsw (vector vector_l2_ops);
    ANALYZE found;
"""


@proves("`{operator}` without the dialect `{dialect}` (pgvector)", adapter="stock")
async def test_a_search_without_the_dialect(dsn, operator: str, dialect: str):
    search = f"SELECT id FROM embeddings ORDER BY vector {operator} $1 LIMIT 1"
    for enabled, rows in ((True, [{"id": 5}]), (False, [])):
        config = PsqlpyConfig(
            connection_config={"dsn": dsn, "max_db_pool_size": 2},
            driver_features={"enable_pgvector": enabled},
        )
        async with config.provide_session() as session:
            assert (session.statement_config.dialect == dialect) is enabled
            assert await session.select(search, PgVector([1, 0, 0])) == rows
        await config.close_pool()


@proves("a filter beside an HNSW index, which filters {candidates} candidates (pgvector)")
async def test_a_filter_beside_an_index(session, candidates: int):
    await session.execute_script(FOUND)
    nearest = "SELECT id FROM found WHERE id {} ORDER BY vector <-> $1 LIMIT {}"
    origin = PgVector([0, 0, 0])
    await session.execute("SET enable_seqscan = off")
    assert len(await session.select(nearest.format("> 0", 99), origin)) == candidates
    assert await session.select(nearest.format(f"> {candidates}", 9), origin) == []
    await session.execute("DROP INDEX found_l2")
    assert len(await session.select(nearest.format(f"> {candidates}", 9), origin)) == 9
    await session.execute_script("DROP TABLE found; RESET enable_seqscan")


@proves(
    "`{operator}` in a `DELETE` without `{clause}`, which deletes another row (pgvector)",
    adapter="stock",
)
async def test_a_distance_in_a_delete(session, operator: str, clause: str):
    delete = f"DELETE FROM spots WHERE id = (SELECT id FROM spots ORDER BY v {operator} $1 LIMIT 1)"
    for end, is_right in (("", False), (f" {clause} id", True)):
        await session.execute_script(
            "CREATE TABLE spots AS SELECT i AS id, ARRAY[cos(i), sin(i)]::vector(2) AS v "
            "FROM generate_series(1, 9) AS i"
        )
        assert await failure(session.execute(delete + end, PgVector([1, 0]))) is None
        left = await session.select_value("SELECT array_agg(id ORDER BY id) FROM spots")
        assert len(left) == 8
        assert (6 not in left) is is_right  # 6 is the nearest by the cosine
        await session.execute("DROP TABLE spots")


@proves(
    "`{method}({argument}={value})` that fails outside a transaction: the old rows are gone (Bulk "
    "loading)",
    adapter="stock",
)
async def test_an_overwriting_load_that_fails(kept, dsn, method: str, argument: str, value: bool):
    twice = pa.table({"id": pa.array([7, 7], pa.int32()), "name": ["a", "b"]})
    for rows, is_inside in ((1, True), (0, False)):
        await kept.execute("TRUNCATE kept")
        await kept.execute(ADD, 1)
        if is_inside:
            await kept.begin()
        error = await failure(getattr(kept, method)("kept", twice, **{argument: value}))
        assert isinstance(error, SQLSpecError)
        if is_inside:
            await kept.rollback()
        assert ask(dsn, COUNT) == rows
