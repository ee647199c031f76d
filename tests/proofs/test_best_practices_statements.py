"""Proofs of references/best-practices.md: what a statement is sent as, and with which values."""

from __future__ import annotations

import logging
import uuid

import numpy as np
import pytest
from best_practices_tools import failure
from proveskill import proves
from psqlpy.extra_types import Float64, PgVector
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import SQLSpecError
from watching_tools import ask

NEAREST = "SELECT id FROM embeddings ORDER BY vector <#> $1 LIMIT 1"


def config_of(dsn, **features):
    settings = {"dsn": dsn, "max_db_pool_size": 2}
    return PsqlpyConfig(connection_config=settings, driver_features=features)


@proves(
    "`{flag}` chooses the SQL dialect of a config; it converts no parameter.",
    "Leave it {on}: without the dialect, `{operator}` loses its rows.",
    adapter="stock",
)
async def test_what_the_flag_of_pgvector_does(dsn, flag: str, on: bool, operator: str):
    query = np.array([1.0, 0.0, 0.0])
    rows, dialects = {}, {}
    for enabled in (True, False):
        config = config_of(dsn, **{flag: enabled})
        async with config.provide_session() as session:
            dialects[enabled] = session.statement_config.dialect
            assert ask(dsn, f"SELECT count(*) FROM embeddings WHERE vector {operator} vector < 0")
            search = f"SELECT id FROM embeddings ORDER BY vector {operator} $1 LIMIT 1"
            assert "Can not covert you type" in str(await failure(session.select(search, query)))
            rows[enabled] = await session.select(search, PgVector(query))
        await config.close_pool()
    assert rows == {on: [{"id": 5}], not on: []}
    assert dialects == {True: "pgvector", False: "postgres"}


@proves(
    "`$1, $2` and named parameters (`:status`) find the same rows; use one style in a project, a "
    "mix of both can be refused (`{message}`)."
)
async def test_styles_of_parameters(session, message: str):
    find = "SELECT id FROM users WHERE status = {} AND age > {}"
    numbered = await session.select(find.format("$1", "$2"), "active", 40)
    named = await session.select(find.format(":status", ":age"), {"status": "active", "age": 40})
    assert numbered == named == [{"id": 2}]
    with pytest.raises(SQLSpecError) as raised:
        await session.select(find.format(":status", "$1"), {"status": "active"}, 40)
    assert str(raised.value).startswith(f"{message}: ")


TIGHT = {
    "SELECT id FROM users WHERE id IN ($1,$2)": "SELECT id FROM users WHERE id IN ($1, $2)",
    "SELECT $1::int+$2::int AS n": "SELECT $1::int + $2::int AS n",
    "SELECT ARRAY[$1::int,3,$2] AS n": "SELECT ARRAY[$1::int,3, $2] AS n",
    "SELECT ($1::int),$2::int AS n": "SELECT ($1::int), $2::int AS n",
    "SELECT $1*$2::int AS n": "SELECT $1 *\n$2::int AS n",
}


@proves(
    "Any two `$n` without white space between them lose rows: search the code for "
    r"`\$[0-9]+[^[:space:]]*\$[0-9]`.",
    adapter="stock",
)
async def test_parameters_without_white_space(session, dsn):
    pattern = r"\$[0-9]+[^[:space:]]*\$[0-9]"
    for tight, spaced in TIGHT.items():
        assert await session.select(tight, 1, 2) == []
        assert len(await session.select(spaced, 1, 2)) > 0
        assert ask(dsn, "SELECT %s ~ %s", tight, pattern) is True
        assert ask(dsn, "SELECT %s ~ %s", spaced, pattern) is False


@proves(
    "A config caches a statement after its first run, and then treats casts and floats "
    "differently.",
    "A test that runs it once passes where the second run fails.",
    adapter="stock",
)
async def test_the_second_run_of_a_statement(dsn):
    since = "SELECT id FROM events WHERE timestamp > $1::timestamptz"
    rated = "SELECT id FROM products WHERE rating > $1"
    for sql, value in ((since, "2025-01-01T00:00:00+00:00"), (rated, 4.2)):
        config = config_of(dsn)
        async with config.provide_session() as first:
            assert await first.select(sql, value)
        async with config.provide_session() as second:
            assert isinstance(await failure(second.select(sql, value)), SQLSpecError)
        other = config_of(dsn)
        async with other.provide_session() as anew:
            assert await anew.select(sql, value)
        await config.close_pool()
        await other.close_pool()


@proves(
    "With `{flag}={value}` a value of the wrong type fails on the first run, floats excepted.",
    adapter="stock",
)
async def test_wrong_types_fail_on_the_first_run(dsn, flag: str, value: bool):
    wrong = (
        ("SELECT id FROM events WHERE timestamp > $1::timestamptz", "2025-01-01T00:00:00+00:00"),
        ("SELECT id FROM accounts WHERE id = $1::uuid", str(uuid.UUID(int=0))),
    )
    failed = {}
    for features in ({flag: value}, {}):
        config = config_of(dsn, **features)
        async with config.provide_session() as session:
            failed[len(features)] = [await failure(session.select(*call)) for call in wrong]
            rated = "SELECT id FROM products WHERE rating > $1"
            assert await failure(session.select(rated, 4.2)) is None
            assert await failure(session.select(rated, 4.2)) is not None
            assert await failure(session.select(rated, Float64(4.2))) is None
        await config.close_pool()
    assert failed[0] == [None, None]
    assert None not in failed[1]


class Errors(logging.Handler):
    """The errors of a logger, while the block lasts."""

    def __init__(self, name):
        super().__init__(logging.ERROR)
        self.logger = logging.getLogger(name)
        self.found = []

    def emit(self, record):
        self.found.append(record)

    def __enter__(self):
        self.logger.addHandler(self)
        return self

    def __exit__(self, *_):
        self.logger.removeHandler(self)


@proves(
    "SQL that SQLSpec cannot parse is sent all the same, its rows are dropped, and its `{mark}` is "
    "`'{word}'`.",
    "For two `$n` without white space the logger `{logger}` has an error, at the first run on a "
    "config: raise an alarm on it; fail a test on it.",
    "For other such SQL, `SELECT 1_000 AS n` for one, it has none: compare `{again}` in a test.",
    adapter="stock",
)
async def test_sql_that_is_not_parsed(dsn, mark: str, word: str, logger: str, again: str):
    seen, unlogged = [], "SELECT 1_000 AS n"
    for _ in range(2):
        config = config_of(dsn)
        async with config.provide_session() as session:
            await session.execute("CREATE SEQUENCE sent")
            tight = "SELECT nextval('sent') + int4mul($1,$2) AS n"
            for sql, values, count in ((tight, (1, 2), 1), (tight, (1, 2), 0), (unlogged, (), 0)):
                with Errors(logger) as errors:
                    result = await session.execute(sql, *values)
                assert (result.all(), getattr(result, mark), getattr(result, again)) == (
                    ([], word, word)
                )
                assert [record.name for record in errors.found] == [logger] * count
            assert await session.connection.fetch_val(unlogged) == 1_000
            seen.append(ask(dsn, "SELECT last_value FROM sent"))
            with Errors(logger) as errors:
                assert (await session.execute("SELECT 1000 AS n")).operation_type != word
            assert errors.found == []
            await session.execute("DROP SEQUENCE sent")
        await config.close_pool()
    assert seen == [2, 2]
